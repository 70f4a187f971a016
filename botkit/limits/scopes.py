"""Whose limits hold for a turn."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from botkit.types import Event

Kind = Literal["user", "conversation", "workspace"]
KINDS: tuple[Kind, ...] = ("user", "conversation", "workspace")


@dataclass(frozen=True, slots=True)
class Scope:
    """One person, conversation or workspace."""

    kind: Kind
    id: str


def scopes(event: Event) -> Sequence[Scope]:
    """The narrowest first. A person is the same in all workspaces of a platform; an event of
    nobody in particular has no person."""
    where = event.conversation
    found = [
        Scope("conversation", str(where)),
        Scope("workspace", f"{where.platform}:{where.space}"),
    ]
    if event.sender.id:
        found.insert(0, Scope("user", f"{where.platform}:{event.sender.id}"))
    return found


class Names:
    """Names for scopes, as Redis and the database know them: no id of a person is there.

    Args:
        key: With one, nobody without it can find out by trying ids whose name it is.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key

    def name(self, scope: Scope, *more: object) -> str:
        """The scope's kind and 128 bits."""
        text = "\n".join((scope.kind, *map(str, more), scope.id)).encode("utf-8", "replace")
        return f"{scope.kind}:{hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]}"
