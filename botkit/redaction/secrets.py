"""Keys, tokens and passwords in text."""

from __future__ import annotations

import math
import re
from collections import Counter

KEY = "[key]"

RANDOM_BITS = 2.8
"""Entropy per character: 16 random hexadecimal digits have 3.1 on average, and hardly ever less."""

_START = r"(?<![A-Za-z_])"

_PRIVATE = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
)
"""RFC 7468; one that was cut off goes to the end of the text."""

_CREDENTIALS = re.compile(r"://([^\s/?#]+)@")

_TOKENS = re.compile(
    "|".join(
        (
            _START + r"sk-[\w-]{16,}",  # OpenAI, Anthropic, OpenRouter
            _START + r"xox[a-z](?:\.xox[a-z])?-[\w-]{8,}",  # Slack
            _START + r"x(?:app|wfp)-[\w-]{8,}",
            r"(?<=hooks\.slack\.com/)(?:services|workflows|commands|actions)/[\w/-]{8,}",
            r"(?<!\d)\d{6,12}:[\w-]{30,}",  # Telegram
            _START + r"(?:A3T[A-Z0-9]|ABIA|ACCA|AGPA|AIDA|AKIA|ANPA|AROA|ASIA)[A-Z0-9]{16,}",
            _START + r"(?:gh[oprsu]_|github_pat_|glpat-|npm_|hf_|pypi-)[\w-]{16,}",
            _START + r"(?:AIza|GOCSPX-|ya29\.)[\w-]{20,}",  # Google
            _START + r"(?:[prs]k_(?:live|test)_|whsec_)[A-Za-z0-9]{8,}",  # Stripe
            _START + r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
            _START + r"(?:gsk|xai|r8|dop_v1|shpat|sq0csp)[_-][\w-]{20,}",
            _START + r"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?",  # JSON Web Tokens
        )
    ),
    re.ASCII,
)
"""What its issuer marks; each is a beginning and then one row of characters."""

_BEARER = re.compile(
    r"(?i)\b(bearer[ \t]{1,8})(?=[a-z.]{0,200}[0-9_~+/=-])[\w.~+/=-]{12,}", re.ASCII
)
_HEADER = re.compile(
    r"(?i)(\bauthorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?:[a-z]{1,20}[ \t]{1,8})?)"
    r"(?!\[key\])[\w.~+/=-]{8,}"
)

_QUOTED = r"\"(?!\[key\])[^\"\n]{1,200}\"|'(?!\[key\])[^'\n]{1,200}'"
_PASSWORD = re.compile(
    r"(?i)((?:password|passwort|passwd|passphrase|passcode|\bpwd|contraseña|mot de passe|senha"
    r"|пароль|密码|密碼|パスワード|비밀번호|كلمة المرور|סיסמה)"
    r"[\"']?[ \t]{0,3}(?:[:=：＝]|=>)[ \t]{0,3})"
    rf"(?:{_QUOTED}|[\"']?(?!\[key\])[^\s,;&\"'<>\[]{{1,200}})"
)
_TOLD_PASSWORD = re.compile(
    r"(?i)((?:password|passwort|passphrase|passcode|contraseña|mot de passe|senha|пароль)"
    r"[ ](?:is|ist|est|es|é|:)[ ][\"'“„«]?)(?=[^\s]{0,60}[0-9!@#$%^&*_+=])[^\s,;\"'<>”“»\[]{4,200}"
)

_NAMED = re.compile(
    r"(?i)((?:key|token|secret|schlüssel|clé|clave|chave|ключ|токен|секрет|密钥|密鑰)"
    r"[\"'`]?[ \t]{0,3}(?:[:=：＝]|=>|->|is\b|ist\b|est\b|es\b)?[ \t]{0,3}[\"'`]?)"
    r"([A-Za-z0-9+/_.=~-]{16,})"
)


def without_secrets(text: str) -> str:
    """``text`` with ``[key]`` for each key, token and password; what names it stays."""
    text = _PRIVATE.sub(KEY, text)
    text = _CREDENTIALS.sub(_credentials, text)
    text = _TOKENS.sub(KEY, text)
    for pattern in (_BEARER, _HEADER, _PASSWORD, _TOLD_PASSWORD):
        text = pattern.sub(rf"\1{KEY}", text)
    return _NAMED.sub(_named, text)


def _named(match: re.Match[str]) -> str:
    return match[1] + KEY if is_random(match[2]) else match[0]


def _credentials(match: re.Match[str]) -> str:
    return f"://{KEY}@" if ":" in match[1] else match[0]


def is_random(text: str) -> bool:
    """Whether ``text`` looks drawn rather than written: digits among letters, and few repeats."""
    drawn = text[:200]
    if not (any(c.isdigit() for c in drawn) and any(c.isalpha() for c in drawn)):
        return False
    shares = [count / len(drawn) for count in Counter(drawn).values()]
    return -sum(share * math.log2(share) for share in shares) >= RANDOM_BITS
