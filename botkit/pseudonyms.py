"""Names for conversations that tell nothing about them."""

from __future__ import annotations

import hashlib
import os

from botkit.types import ConversationKey


class Pseudonyms:
    """Short names for conversations, from which nobody without the key finds the conversation.

    An unkeyed hash would not do: ids of chats are numbers that one can try.

    Args:
        key: Empty takes a random one, and other processes have other names.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = hashlib.sha256(key).digest() if key else os.urandom(32)

    def name(self, conversation: ConversationKey) -> str:
        """Twelve hexadecimal digits."""
        text = str(conversation).encode("utf-8", "replace")
        return hashlib.blake2b(text, key=self._key, digest_size=6).hexdigest()
