"""Which conversation a pseudonym stands for: spans hold nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from botkit.pseudonyms import Pseudonyms
from botkit.store import Store
from botkit.types import ConversationKey

LOOKED_AT = 1000
"""Conversations, the latest: those of the turns that are kept are among them."""

FRESH_SECONDS = 2.0
"""For which the store is not asked again for a name that it did not know."""

KEPT_SECONDS = 60.0
"""After which it is asked again in any case: what was erased is not linked for ever."""


class Directory:
    """Names of conversations, and whose they are.

    It is made from the store's own list when somebody looks, so that tracing goes on not knowing
    a conversation from its name.

    Args:
        store: The open store.
        pseudonyms: What names them.
    """

    def __init__(self, store: Callable[[], Store], pseudonyms: Pseudonyms) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._known: dict[str, ConversationKey] = {}
        self._asked = -KEPT_SECONDS

    def name(self, conversation: ConversationKey) -> str:
        """What a conversation is called in spans."""
        return self._pseudonyms.name(conversation)

    async def keys(self, names: Iterable[str]) -> dict[str, ConversationKey]:
        """Whose names they are, as far as that is known.

        Raises:
            StoreError: It cannot be asked.
        """
        wanted = {name for name in names if name}
        age = time.monotonic() - self._asked
        if age > KEPT_SECONDS or (age > FRESH_SECONDS and not wanted <= self._known.keys()):
            found = await self._store().conversations(LOOKED_AT)
            self._known = {self.name(each.conversation): each.conversation for each in found}
            self._asked = time.monotonic()
        return {name: self._known[name] for name in wanted & self._known.keys()}
