"""Encryption of what is kept about workspaces."""

from __future__ import annotations

import base64
import json
from functools import cached_property
from typing import TYPE_CHECKING

from botkit.types import Json

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

PURPOSE = b"botkit: slack installations"
"""Keeps this key apart from others that are derived from the same BOTKIT_SECRET_KEY."""


class SealedError(Exception):
    """A value was sealed with another key, or damaged."""


class Vault:
    """Seals values with a key derived from ``secret_key``.

    Fernet (AES-128-CBC and HMAC-SHA256, https://github.com/fernet/spec) under a key from
    HKDF-SHA256 (RFC 5869). HKDF does not slow down guessing: the secret key must be random.
    """

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def seal(self, value: Json) -> str:
        """``value`` as text that tells nothing without the key."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def open(self, sealed: str) -> Json:
        """The value.

        Raises:
            SealedError: The key is another.
        """
        from cryptography.fernet import InvalidToken

        try:
            return json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise SealedError from None

    @cached_property
    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
        return Fernet(base64.urlsafe_b64encode(derived.derive(self._secret_key.encode())))
