"""A reply while it is written: a stream in a thread, an edited message elsewhere.

Sources: https://docs.slack.dev/reference/methods/chat.startStream and its two siblings. A stream
needs a thread, and dies after some minutes; the delivered reply then takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from botkit.adapter import SavePreview
from botkit.errors import DeliveryDelayedError, DeliveryError, DeliveryUncertainError, StoreError
from botkit.types import Event, Json
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.render import MARKDOWN, UPDATE

APPEND_SECONDS = 0.5
EDIT_SECONDS = 1.5
"""Between two updates: appendStream allows a hundred a minute, chat.update fifty."""

FIRST_CHARACTERS = 20
"""Shorter beginnings are not worth a message."""


class SlackPreview:
    """Shows the newest text at its own pace; see :class:`botkit.adapter.Preview`.

    Args:
        shown: Of streams that are open in this process: what they show, by message.
    """

    def __init__(
        self,
        calls: Calls,
        event: Event,
        saved: Json | None,
        save: SavePreview,
        shown: dict[str, str],
    ) -> None:
        self._calls = calls
        self._address: Mapping[str, Any] = event.address
        self._saved = saved
        self._save = save
        self._shown = shown
        self._text = ""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None

    async def update(self, text: str) -> None:
        """Show ``text`` soon."""
        self._text = text
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._show())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)

    async def _show(self) -> None:
        pause = APPEND_SECONDS if self._address["thread"] else EDIT_SECONDS
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._saved is None and len(self._text.strip()) < FIRST_CHARACTERS:
                continue
            try:
                await self._step(self._text)
            except DeliveryDelayedError as error:
                await asyncio.sleep(error.retry_after or pause)
            except (DeliveryError, StoreError):
                return
            await asyncio.sleep(pause)

    async def _step(self, text: str) -> None:
        if self._saved is None:
            # Cancelled half-way, the message would be there without anybody knowing of it.
            self._opening = asyncio.create_task(self._open(text))
            await asyncio.shield(self._opening)
        elif self._saved.get("stream"):
            await self._append(self._saved["ts"], text)
        elif len(text) <= UPDATE:
            await self._call("chat.update", {"ts": self._saved["ts"], "text": text})

    async def _open(self, text: str) -> None:
        thread = self._address["thread"]
        if thread:
            arguments = {
                "thread_ts": thread,
                "markdown_text": text[:MARKDOWN],
                "recipient_team_id": self._address["team"],
                "recipient_user_id": self._address["user"],
            }
            answer = await self._call("chat.startStream", arguments)
            self._shown[answer["ts"]] = text[:MARKDOWN]
        else:
            answer = await self._call("chat.postMessage", {"text": text[:UPDATE]})
        self._saved = {"ts": answer["ts"], "stream": bool(thread)}
        with contextlib.suppress(StoreError):
            await self._save(self._saved)

    async def _append(self, ts: str, text: str) -> None:
        shown = self._shown.get(ts)
        if shown is None or not text.startswith(shown):
            return
        more = text[len(shown) : MARKDOWN]
        if not more:
            return
        try:
            await self._call("chat.appendStream", {"ts": ts, "markdown_text": more})
        except DeliveryUncertainError:
            # What the stream shows is unknown now: the reply has to be put in whole.
            del self._shown[ts]
            raise
        self._shown[ts] = shown + more

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = {"channel": self._address["channel"]}
        return await self._calls.call(self._address["team"], method, {**channel, **arguments})
