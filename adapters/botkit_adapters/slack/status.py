"""The assistant's status (https://docs.slack.dev/reference/methods/assistant.threads.setStatus)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from botkit.errors import DeliveryError
from botkit_adapters.errands import Errands
from botkit_adapters.slack.calls import Calls

THINKING = "is thinking…"

CLEAR_SECONDS = 2.0
"""After the turn; by then a reply has left, and Slack has cleared the status itself."""

Place = tuple[str, str, str]


class Status:
    """Shows that the bot is thinking, and no longer where no reply comes."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._errands = Errands()
        self._thinking: dict[Place, object] = {}

    async def show(self, address: Mapping[str, Any]) -> None:
        """Show it until cancelled."""
        place, turn = _place(address), object()
        setting = self._errands.begin(self._set(place, THINKING, turn))
        try:
            await asyncio.Event().wait()
        finally:
            self._errands.begin(self._end(place, setting, turn))

    def answered(self, to: Mapping[str, Any]) -> None:
        """A message was sent there, which clears the status."""
        self._thinking.pop(_place(to), None)

    async def aclose(self) -> None:
        """Finish what was begun. Slack itself lets a status go after two minutes."""
        await self._errands.aclose()

    async def _set(self, place: Place, status: str, turn: object) -> None:
        team, channel, thread = place
        arguments = {"channel_id": channel, "thread_ts": thread, "status": status}
        with contextlib.suppress(DeliveryError):
            await self._calls.call(team, "assistant.threads.setStatus", arguments)
            if status:
                self._thinking[place] = turn

    async def _end(self, place: Place, setting: asyncio.Task[None], turn: object) -> None:
        # Cut off, it might be carried out after the reply, which then does not clear it.
        await asyncio.wait({setting})
        if place in self._thinking:
            await asyncio.sleep(CLEAR_SECONDS)
        if self._thinking.get(place) is turn:
            del self._thinking[place]
            await self._set(place, "", turn)


def _place(where: Mapping[str, Any]) -> Place:
    return where["team"], where["channel"], where["thread"]
