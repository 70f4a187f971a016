"""Whom a site says its visitor is: a JWT (RFC 7519) that it signs with HS256."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass

from botkit_adapters.web.options import DAY
from botkit_adapters.web.refusals import RefusalError

LEEWAY_SECONDS = 10
"""For clocks that differ."""

TOKEN_CHARACTERS = 8192
SUBJECT_CHARACTERS = 255
NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """Who it is; ``name`` is empty when the site did not say."""

    subject: str
    name: str = ""


def identify(token: str, secret: bytes) -> Identity:
    """Whom ``token`` names.

    Raises:
        RefusalError: It is not signed by whoever has ``secret``, is too old or lasts too long, or
            does not say who it is.
    """
    import jwt  # here: it takes long to import, and few sites use it

    if not secret or len(token) > TOKEN_CHARACTERS:
        raise _refused()
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={"require": ["exp", "sub"]},
            leeway=LEEWAY_SECONDS,
        )
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _refused() from None
    subject, name = claims["sub"], claims.get("name") or ""
    if int(claims["exp"]) > time.time() + DAY + LEEWAY_SECONDS:
        raise _refused()
    if not _fits(subject, SUBJECT_CHARACTERS) or not isinstance(name, str):
        raise _refused()
    return Identity(subject, _printable(name)[:NAME_CHARACTERS])


def _fits(subject: object, characters: int) -> bool:
    return (
        isinstance(subject, str)
        and 0 < len(subject) <= characters
        and _printable(subject) == subject
        and bool(subject.strip())
    )


def _printable(text: str) -> str:
    """Without control characters and halves of characters."""
    return "".join(each for each in text if unicodedata.category(each) not in ("Cc", "Cs"))


def _refused() -> RefusalError:
    return RefusalError(403, "invalid_identity", "We could not make sure who you are.")
