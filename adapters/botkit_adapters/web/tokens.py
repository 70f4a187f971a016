"""What visitors show to be let in: tokens of sessions, keys in the addresses of files.

Whatever is in them, nobody without the server's key can make one; each kind has a salt of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from urllib.parse import quote

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from botkit_adapters.web.options import DAY
from botkit_adapters.web.refusals import RefusalError, not_found
from botkit_adapters.web.session import Session

_SIGNING = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
_FORM = 1
"""Of what is in a session's token; others are of another botkit."""

FILE_SECONDS = DAY
HOUR = 3600


class _HourlySigner(TimestampSigner):
    """Says the hour only: a file has the same address for a while, and is fetched once."""

    def get_timestamp(self) -> int:
        return int(time.time()) // HOUR * HOUR


class Tokens:
    """Makes and reads them.

    Args:
        key: The server's, of any length.
        session_seconds: For which a session's token is good.
    """

    def __init__(self, key: bytes, session_seconds: float) -> None:
        self._key = hmac.digest(key, b"botkit.web", "sha256")
        self._seconds = session_seconds
        self._sessions = URLSafeTimedSerializer(
            self._key, salt="botkit.web.session", signer_kwargs=_SIGNING
        )
        self._files = URLSafeTimedSerializer(
            self._key, salt="botkit.web.file", signer=_HourlySigner, signer_kwargs=_SIGNING
        )

    def lifetime(self, session: Session) -> float:
        """For how many seconds a token is good: whom a site vouched for is so for a day, as long
        as what it vouched with may last."""
        return min(self._seconds, DAY) if session.identified else self._seconds

    def session(self, session: Session) -> str:
        """A token that leads to it."""
        fields = (session.id, session.sender, session.identified)
        about = (session.name, session.locale, session.timezone)
        return str(self._sessions.dumps([_FORM, *fields, *about]))

    def read_session(self, token: str) -> Session:
        """Whom a token leads to.

        Raises:
            RefusalError: It is none, another server's, or too old.
        """
        try:
            form, *fields = self._sessions.loads(token, max_age=int(self._seconds))
            session = Session(*fields)
            if session.identified:
                self._sessions.loads(token, max_age=int(self.lifetime(session)))
        except SignatureExpired:
            raise _again("session_expired") from None
        except (BadSignature, TypeError, ValueError):
            raise _again("invalid_token") from None
        if form != _FORM:
            raise _again("invalid_token")
        return session

    def address(self, session: str, file: str) -> str:
        """The key in a file's address: it tells us whose the file is, and others nothing."""
        return str(self._files.dumps([file, self._veiled(session.encode(), file).hex()]))

    def read_address(self, key: str, file: str) -> str:
        """Whose the file is.

        Raises:
            RefusalError: The key is none of this file, or too old.
        """
        try:
            named, veiled = self._files.loads(key, max_age=int(FILE_SECONDS) + HOUR)
            if named == file:
                return self._veiled(bytes.fromhex(veiled), file).decode()
        except (BadSignature, TypeError, ValueError):
            pass
        raise not_found("There is no such file, or its address is too old.")

    def stranger(self) -> Session:
        """A new session of somebody unknown."""
        return Session(f"s_{secrets.token_urlsafe(18)}", f"v_{secrets.token_urlsafe(18)}")

    def known(self, subject: str, name: str) -> Session:
        """The session of whom the site calls ``subject``: the same wherever it is asked for."""
        digest = hmac.digest(self._key, b"person\n" + subject.encode(), "sha256")
        sender = f"u_{quote(subject, safe='@')}"  # no colon: keys of records are told apart by it
        return Session(f"s_{digest[:18].hex()}", sender, identified=True, name=name)

    def _veiled(self, data: bytes, file: str) -> bytes:
        """``data`` under a pad that only this server knows, another one for each file; and back.

        A proxy's log should not have what tells which files are of one visitor.
        """
        pad = hashlib.shake_256(hmac.digest(self._key, b"veil\n" + file.encode(), "sha256"))
        return bytes(a ^ b for a, b in zip(data, pad.digest(len(data)), strict=True))


def _again(code: str) -> RefusalError:
    return RefusalError(401, code, "This conversation has ended. Please begin a new one.")
