"""The judge that costs nothing, and what it looks at."""

from __future__ import annotations

import time

import pytest

from botkit.judge import HeuristicJudge, repeats
from botkit.language import LanguageDetector
from botkit.leaks import cleaned, leaks
from botkit.quality import Candidate
from botkit.sentences import joined, unfinished

JUDGE = HeuristicJudge()
CIRCLES = [
    "I like cats and dogs. " * 8,
    "no " * 40,
    "ha" * 60,
    "the the the the the the the the the the the the the the the the the the the the the the the",
    "我喜欢猫和狗。" * 8,
    "Sure, here it is: " + "a b c d e f g. " * 12,
]
GOOD = [
    "Paris.",
    "Yes, yes, yes!",
    "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 1 | 3 |\n| 2 | 2 |\n| 2 | 3 |",
    "-" * 80,
    "Hurra" + "!" * 30,
    "10^30 is 1" + "0" * 30 + ".",
    "\n".join(f'<li><a href="/p/{at}">Item {at}</a></li>' for at in range(12)),
    "\n".join(f"INSERT INTO t (a, b) VALUES ({at}, 'x');" for at in range(8)),
    "```\n" + "print('again and again and again and again')\n" * 12 + "```",
    "1. Boil water.\n2. Add the egg.\n3. Wait seven minutes.\n4. Cool it.\n5. Peel and eat it.",
    "for i in range(10):\n    print(i)\nfor j in range(20):\n    print(j)\n",
    "The opening hours are: Monday 9 to 17, Tuesday 9 to 17, Wednesday 9 to 13, Thursday 9 to 17,"
    " Friday 9 to 15. On Saturday and Sunday we are closed, and on public holidays as well.",
]


@pytest.mark.parametrize("text", CIRCLES)
async def test_circles_are_seen(text: str) -> None:
    verdict = await JUDGE.judge(Candidate((), text))
    assert (verdict.passed, verdict.reason) == (False, "repeats")


@pytest.mark.parametrize("text", GOOD)
async def test_good_replies_pass(text: str) -> None:
    assert (await JUDGE.judge(Candidate((), text))).passed


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (Candidate((), " \n"), "empty"),
        (Candidate((), "Hello <|im_start|>user and more"), "leaks"),
        (Candidate((), "Fine words.", logprob=-4.0), "unlikely"),
        (
            Candidate((), "The shop opens at nine o'clock and closes at five.", "de"),
            "language",
        ),
    ],
)
async def test_what_is_refused_and_why(candidate: Candidate, reason: str) -> None:
    verdict = await JUDGE.judge(candidate)
    assert (verdict.passed, verdict.reason) == (False, reason)
    assert verdict.hint


async def test_the_right_language_code_and_short_words_pass() -> None:
    german = "Der Laden öffnet um neun Uhr und schließt um fünf."
    for text in (german, "OK", "```python\nprint('the shop opens at nine, my friend')\n```"):
        assert (await JUDGE.judge(Candidate((), text, "de", logprob=-0.5))).passed


def test_a_long_reply_is_judged_quickly() -> None:
    began = time.perf_counter()
    repeats("abcdefghij klm " * 4000)
    repeats("".join(chr(97 + at * at % 26) for at in range(60_000)))
    assert time.perf_counter() - began < 5, "a bound far above what it takes, against blow-ups"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Hello!<|im_end|>", "Hello!"),
        ("Hello!<|im_end|>\n<|im_start|>user\nmore", "Hello!\n"),
        ("<|im_start|>assistant\nHello!", "Hello!"),
        ("<start_of_turn>model\nHello!<end_of_turn>", "Hello!"),
        ("Hello</s>", "Hello"),
        ("[INST] mine [/INST]", ""),
        ("a < b [1] <b>bold</b>", "a < b [1] <b>bold</b>"),
        ("Use vector<s> v; or <s>old</s> words.", "Use vector<s> v; or <s>old</s> words."),
        ("The template is `[INST] q [/INST]`, so.", "The template is `[INST] q [/INST]`, so."),
        ("```\n<|im_start|>user\n```\nThat.<|im_end|>", "```\n<|im_start|>user\n```\nThat."),
        ("<|user|>\nmore", ""),
    ],
)
def test_template_tokens_are_taken_out(text: str, clean: str) -> None:
    assert cleaned(text) == clean


def test_a_token_at_the_end_is_no_leak() -> None:
    assert not leaks("Hello!<|im_end|> </s>\n")
    assert leaks("Hello!<|im_end|> and more")
    assert not leaks("a < b, [1] and <b>")


@pytest.mark.parametrize("text", ["One two.", "Really?", "好。", "| a |", "`x`", "- done)", ""])
def test_what_is_finished(text: str) -> None:
    assert not unfinished(text)


@pytest.mark.parametrize("text", ["One two", "and then,", "```\ncode.", "好的", "1"])
def test_what_is_not(text: str) -> None:
    assert unfinished(text)


def test_halves_are_joined_without_what_is_said_twice() -> None:
    assert joined("I live in the old town of", " Lisbon.") == "I live in the old town of Lisbon."
    assert joined("I live in the old town", "the old town of Lisbon.").endswith(
        "old town of Lisbon."
    )
    assert joined("", "a") == "a"


@pytest.mark.parametrize(
    ("text", "before", "spoken"),
    [
        ("Wo ist denn meine Bestellung geblieben?", "", "de"),
        ("Where is my order, please?", "de", "en"),
        ("何時に開きますか", "", "ja"),
        ("ok", "fr", "fr"),
        ("👍", "fr", "fr"),
        ("12345", "", ""),
        ("", "", ""),
    ],
)
async def test_languages(text: str, before: str, spoken: str) -> None:
    assert await LanguageDetector().detect(text, before) == spoken
