"""What is taken for personal, and what only looks like it."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from botkit.redaction import redacted

EMAILS = [
    ("write to ada.lovelace+bot@example.co.uk.", "write to [email]."),
    ("<mailto:ada@example.org|ada@example.org>", "<mailto:[email]|[email]>"),
    ("'ada@example.org'", "'[email]'"),
    ("ÄDA.MÜLLER@bücher.de bitte", "[email] bitte"),
    ("письмо на иван@почта.рф!", "письмо на [email]!"),
    ("我的邮箱是ada@example.com谢谢", "我的邮箱是[email]谢谢"),
    ("メールはada@example.co.jpです", "メールは[email]です"),
    ("메일은 ada@example.kr로 주세요", "메일은 [email]로 주세요"),
    ("ada＠example．com", "[email]"),
    ("ｃａｎａｒｙ＠ｅｘａｍｐｌｅ．ｏｒｇ", "[email]"),
    ("ada(at)example(dot)org", "[email]"),
    ("ada [at] example.org", "[email]"),
    ("o'brien@example.org", "[email]"),
    ("用户@例子.中国", "[email]"),
]

PHONES = [
    ("+1 (555) 123-4567", "[phone]"),
    ("(555) 123-4567", "[phone]"),
    ("555-123-4567 or 555.123.4568", "[phone] or [phone]"),
    ("1-800-555-1234", "[phone]"),
    ("call 5551234567 now", "call [phone] now"),
    ("call me: 555-1234", "call me: [phone]"),
    ("+14155552671", "[phone]"),
    ("tel:+44-20-7946-0958", "tel:[phone]"),
    ("020 7946 0958", "[phone]"),
    ("07911 123456", "[phone]"),
    ("Ruf 0171/1234567 an", "Ruf [phone] an"),
    ("+49 (0)89 12345678", "[phone]"),
    ("0049 171 1234567", "[phone]"),
    ("(089) 12345678", "[phone]"),
    ("Appelle le 06 12 34 56 78.", "Appelle le [phone]."),
    ("01.23.45.67.89", "[phone]"),
    ("Mi móvil es 612 345 678", "Mi móvil es [phone]"),
    ("91 234 56 78 es mi teléfono: 91 234 56 78", "91 234 56 78 es mi teléfono: [phone]"),
    ("+55 11 91234-5678", "[phone]"),
    ("(11) 91234-5678", "[phone]"),
    ("8 (495) 123-45-67", "[phone]"),
    ("+7 912 345-67-89", "[phone]"),
    ("8-912-345-67-89", "[phone]"),
    ("我的手机13812345678，谢谢", "我的手机[phone]，谢谢"),
    ("138 1234 5678", "[phone]"),
    ("電話は03-1234-5678です", "電話は[phone]です"),
    ("携帯 ０９０－１２３４－５６７８", "携帯 [phone]"),
    ("010-1234-5678", "[phone]"),
    ("98765 43210", "[phone]"),
    ("اتصل بي ٠١٠١٢٣٤٥٦٧٨", "اتصل بي [phone]"),
    ("+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", "[phone]"),
    ("۰۹۱۲ ۳۴۵ ۶۷۸۹", "[phone]"),
    ("फोन +९१ ९८७६५ ४३२१०", "फोन [phone]"),
    ("＋４９ １７１ １２３４５６７", "[phone]"),
    ("โทร 081-234-5678", "โทร [phone]"),
    ("050-123-4567 ל", "[phone] ל"),
    ("\u202a+49 171 1234567\u202c", "\u202a[phone]\u202c"),
    ("+49\u00a0171\u00a01234567", "[phone]"),
    ("0171 1234567, 0171 7654321", "[phone], [phone]"),
    ("2024-01-15 0171 1234567", "2024-01-15 [phone]"),
]

CARDS = [
    ("4111 1111 1111 1111", "[card]"),
    ("4111-1111-1111-1111", "[card]"),
    ("4111111111111111", "[card]"),
    ("3782 822463 10005", "[card]"),
    ("378282246310005", "[card]"),
    ("5555555555554444 exp 12/26", "[card] exp 12/26"),
    ("30569309025904", "[card]"),
    ("6759649826438453", "[card]"),
    ("2024-01-15 4111 1111 1111 1111 12/26", "2024-01-15 [card] 12/26"),
    ("卡号4111111111111111谢谢", "卡号[card]谢谢"),
    ("٤١١١ ١١١١ ١١١١ ١١١١", "[card]"),
    ("４１１１－１１１１－１１１１－１１１１", "[card]"),
    ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[card]"),
    ("4111\u00a01111\u00a01111\u00a01111", "[card]"),
]

TELEGRAM = "123456789:AAF" + "a1B2c3D4" * 4
KEYS = [
    ("sk-proj-" + "a1B2c3D4" * 5, "[key]"),
    ("sk-ant-api03-" + "a1B2c3D4" * 5 + "-xy", "[key]"),
    ("xoxb-123456789012-abcdefABCDEF", "[key]"),
    ("xoxe.xoxp-1-Mi0yLTEyMzQ1", "[key]"),
    ("xapp-1-A012-123456-abcdef", "[key]"),
    (f"https://api.telegram.org/bot{TELEGRAM}/getMe", "https://api.telegram.org/bot[key]/getMe"),
    ("AKIAIOSFODNN7EXAMPLE", "[key]"),
    ("ghp_" + "a1B2c3D4" * 5, "[key]"),
    ("github_pat_" + "a1B2c3D4" * 5, "[key]"),
    ("AIza" + "a1B2c3D4" * 4 + "abc", "[key]"),
    ("sk_live_" + "a1B2c3D4" * 3, "[key]"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[key]"),
    ("Authorization: Bearer abc123def456ghi7", "Authorization: Bearer [key]"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----!", "[key]!"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE", "[key]"),
    ("password=hunter2&x=1", "password=[key]&x=1"),
    ('{"password": "correct horse battery"}', '{"password": [key]}'),
    ("Passwort: Sommer!", "Passwort: [key]"),
    ("my password is hunter2", "my password is [key]"),
    ("пароль: тайна7", "пароль: [key]"),
    ("密码：abc123", "密码：[key]"),
    ("postgresql://bot:s3cret@db.example.org/x", "postgresql://[key]@db.example.org/x"),
    ("api_key = 9f86d081884c7d659a2feaa0c55ad015", "api_key = [key]"),
    ("the signing secret 8f742231b10e8888abcd99yyyzzz85a5", "the signing secret [key]"),
    ('"token": "dGhpcyBpcyBub3QgYSB0b2tlbg1"', '"token": "[key]"'),
]

UNTOUCHED = [
    "",
    "Hello, how are you?",
    "1990-1995, 2024, 24.12.2024, 24/12/2024, 12/24/2024 and 2024-12-24 at 10:30",
    "2024-01-15T10:30:00.123456Z",
    "01/2024 - 05/2024",
    "01.02.2024 1030 Uhr",
    "It costs $1,234,567.89 or 1.234.567,89 € or 12 345 678 kr",
    "612 345 678 €",
    "order 0012345678, invoice 5551234567, #0171234567",
    "Bestellung 0171234567",
    "订单号 13812345678",
    "1234567890123456",  # fails the check digit
    "1700000000000 and 1700000000",
    "192.168.100.200 and 10.0.0.1:8080",
    "version 1.2.3 of package@1.2.3",
    "0.12345678901",
    "page 123-4567",
    "3.14159265358979",
    "550e8400-e29b-41d4-a716-446655440000",
    "48.858093, -122.294694",
    "1 000 000 people",
    "#1234567",
    "a@b and @ada and ada@",
    "monkey: banana; the key: practise every day",
    "the token expired, the secret is patience",
    "basic understanding; bearer instruments.",
    "https://example.org/a/b?c=d",
    "risk-management-and-so-on-and-on",
    "The password is wrong. What is a password?",
]


@pytest.mark.parametrize(("text", "expected"), EMAILS + PHONES + CARDS + KEYS)
def test_what_is_personal_goes(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redacted(text) == text


PERSONAL = [text for text, _ in EMAILS + PHONES + CARDS + KEYS] + UNTOUCHED
pieces = st.one_of(
    st.sampled_from(PERSONAL),
    st.text(alphabet="0123456789٠٤９+-. ()/:@#\n", max_size=24),
    st.text(alphabet="abkeyEJ09_-.:=/\"'[]@ \n", max_size=24),
    st.text(max_size=12),
    st.sampled_from(
        ["[phone]", "[card]", "[email]", "[key]", "call ", "order ", "password=", "://"]
    ),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(pieces, max_size=6).map("".join))
@example("call [phone] 12345678")
def test_twice_is_as_once(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        *["1", "1 ", "12 34 ", "0171-", "4111 1111 ", "+1", "(1", "٤", "1:", "\u200b1", "1/"],
        *["01.02.", "12/2024 ", "[phone]", "call ", "a", "a.", "a@", "a@b.", "a.1", "[at]", "@"],
        *["sk-", "xoxb-", "eyJ", "eyJa.", "A3T", "SG.a", "hooks.slack.com/", "bearer ", "://a:"],
        *["-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "Bearer a ", "authorization: ", "://"],
        *["password=", "password ", 'password="', "pwd='", "key ", "keykey", "key=a1", "["],
        *["token is ", "é", "的", "-", "a@1.1", "(at)a(dot)"],
    ],
)
def test_time_grows_with_length_only(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        began = time.process_time()
        redacted(text)
        return time.process_time() - began

    assert min(seconds(40_000) for _ in range(2)) < 4.0, "squares would take minutes"
