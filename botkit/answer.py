"""``turn.ask()``: the model's answer, awaited whole or shown as it is written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import aclosing
from typing import Any

from botkit.draft import Draft, last

Ask = Callable[[bool, int | None], AsyncGenerator[Draft, None]]
"""Asks the model: whether a person sees the reply, and how often it may be begun (None: as the
middleware says)."""


class Answer:
    """Await it for the whole text, iterate it for pieces, or return it to have it shown.

    Each asks the model anew. Pieces that somebody has taken cannot be taken back: a reply that is
    iterated is not begun again, however bad it is.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def drafts(self) -> AsyncGenerator[Draft, None]:
        """The reply while it is written, for a person to see."""
        return self._ask(True, None)

    async def __aiter__(self) -> AsyncIterator[str]:
        taken = ""
        async with aclosing(self._ask(False, 1)) as drafts:
            async for draft in drafts:
                if draft.text.startswith(taken):
                    piece, taken = draft.text[len(taken) :], draft.text
                    if piece:
                        yield piece

    def __await__(self) -> Generator[Any, None, str]:
        return self._whole().__await__()

    async def _whole(self) -> str:
        return (await last(self._ask(False, None))).text
