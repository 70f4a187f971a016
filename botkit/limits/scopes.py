"""Whose limits hold for a turn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from botkit.types import ConversationKey, Event

Kind = Literal["user", "conversation", "workspace"]


@dataclass(frozen=True, slots=True)
class Scope:
    """One person, conversation or workspace."""

    kind: Kind
    id: str


def scopes(event: Event) -> list[Scope]:
    """Of a turn, the narrowest first. A person is the same in all workspaces of a platform; an
    event of nobody in particular has no person."""
    person, platform = event.sender.id, event.conversation.platform
    whose = [Scope("user", f"{platform}:{person}")] if person else []
    return [*whose, *place_scopes(event.conversation)]


def place_scopes(conversation: ConversationKey) -> list[Scope]:
    """Of a conversation, whoever speaks in it."""
    workspace = f"{conversation.platform}:{conversation.space}"
    # As str() has it, but without encoding: it is only ever hashed.
    place = f"{workspace}\x1f{conversation.channel}\x1f{conversation.thread}"
    return [Scope("conversation", place), Scope("workspace", workspace)]


class Names:
    """Names for scopes, as Redis and the database know them: no id of a person is there.

    Args:
        key: With one, nobody without it can find out by trying ids whose name it is.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = hashlib.sha256(key).digest() if key else b""

    def name(self, scope: Scope, *more: object) -> str:
        """The scope's kind and 128 bits."""
        text = "\n".join((scope.kind, *map(str, more), scope.id)).encode("utf-8", "replace")
        return f"{scope.kind}:{hashlib.blake2b(text, key=self._key, digest_size=16).hexdigest()}"
