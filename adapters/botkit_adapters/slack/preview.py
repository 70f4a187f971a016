"""A reply while it is written: a stream in a thread, an edited message elsewhere.

Sources: https://docs.slack.dev/reference/methods/chat.startStream and its two siblings. A stream
needs a thread, and dies after some minutes; the delivered reply then takes its place.

What is saved, for a later attempt and for the delivery:

* ``ts``, ``stream``: the message on show. With ``unsettled`` an edit of it may be carried out any
  time yet: the reply is a message of its own, and the preview is deleted.
* ``ts`` empty, with ``since``, ``mark`` and ``head``: one may have been opened; look for it.
* nothing: none is there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from botkit.adapter import Holds, SavePreview
from botkit.errors import DeliveryError, DeliveryUncertainError, StoreError
from botkit.types import Event, Json
from botkit_adapters.showing import Showing
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.history import History, letters
from botkit_adapters.slack.marks import PREVIEW, metadata, preview_mark
from botkit_adapters.slack.render import MARKDOWN, UPDATE
from botkit_adapters.slack.streams import Streams

APPEND_SECONDS = 0.5
EDIT_SECONDS = 1.5
"""Between two updates: appendStream allows a hundred a minute, chat.update fifty."""

FIRST_CHARACTERS = 20
"""Shorter beginnings are not worth a message."""

LOOKS = 2
"""At an opening whose answer was lost. Of one event at most one preview is ever opened: what the
looks do not find may be carried out yet, and the delivery looks once more. One that appears after
that stays beside the reply."""


class NoPreview:
    """Where only one person may see the reply, nothing is shown before it is whole."""

    async def update(self, text: str) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""


class SlackPreview:
    """Shows the newest text at its own pace; see :class:`botkit.adapter.Preview`."""

    def __init__(
        self,
        calls: Calls,
        history: History,
        streams: Streams,
        event: Event,
        *,
        saved: Json | None,
        save: SavePreview,
        holds: Holds,
    ) -> None:
        self._calls = calls
        self._history = history
        self._streams = streams
        self._event = event
        self._address: Mapping[str, Any] = event.address
        self._saved: dict[str, Any] | None = dict(saved) if saved else None
        self._save = save
        self._holds = holds
        self._pause = APPEND_SECONDS if self._address["thread"] else EDIT_SECONDS
        self._opened_with: str | None = None
        self._looks = 0
        self._unsettled = False
        self._showing = Showing(self._show)

    async def update(self, text: str) -> None:
        """Show ``text`` soon."""
        await self._showing.update(text)

    async def close(self) -> None:
        """Stop."""
        try:
            await self._showing.close()
        finally:
            if self._unsettled and self._saved is not None:
                await self._keep({**self._saved, "unsettled": True})

    async def _show(self, text: str) -> float | None:
        if not self._holds():
            return None
        if self._saved is None:
            return await self._open(text)
        if not self._saved["ts"]:
            return await self._look(self._saved)
        if self._saved["stream"]:
            return await self._append(self._saved["ts"], text)
        return await self._edit(self._saved["ts"], text)

    async def _open(self, text: str) -> float | None:
        """Open the preview. That is kept before it is done: whatever happens then, somebody looks
        for it. So an attempt that finds nothing saved may open one, were there others before."""
        if len(text.strip()) < FIRST_CHARACTERS:
            return 0.0
        stream = bool(self._address["thread"])
        shown = text[: MARKDOWN if stream else UPDATE]
        opening = {
            "ts": "",
            "stream": stream,
            "since": self._event.message_id,
            "mark": preview_mark(self._event),
            "head": letters(shown),
        }
        await self._save(opening)
        if not self._holds():
            return None
        self._saved, self._opened_with = opening, shown
        try:
            answer = await (self._start(shown) if stream else self._post(shown))
        except DeliveryUncertainError:
            return self._pause
        except DeliveryError:
            self._saved = None
            await self._keep({})
            raise
        await self._opened(str(answer["ts"]), stream)
        return self._pause

    async def _opened(self, ts: str, stream: bool) -> None:
        self._saved = {"ts": ts, "stream": stream}
        if stream and self._opened_with is not None:
            self._streams.put(self._address["channel"], ts, self._opened_with)
        await self._keep(self._saved)

    async def _look(self, opening: Mapping[str, Any]) -> float | None:
        """Look for an opening whose answer was lost, and go on in it."""
        self._looks += 1
        ts = await self._history.preview(self._address, opening)
        if ts is None:
            return self._pause if self._looks < LOOKS else None
        await self._opened(ts, opening["stream"])
        return self._pause

    async def _start(self, text: str) -> dict[str, Any]:
        arguments = {
            "thread_ts": self._address["thread"],
            "markdown_text": text,
            "recipient_team_id": self._address["team"],
            "recipient_user_id": self._address["user"],
        }
        return await self._call("chat.startStream", arguments)

    async def _post(self, text: str) -> dict[str, Any]:
        marked = metadata(PREVIEW, preview_mark(self._event))
        return await self._call("chat.postMessage", {"text": text, "metadata": marked})

    async def _append(self, ts: str, text: str) -> float | None:
        channel = self._address["channel"]
        # While the call is under way, and when nobody knows how it ended, what the stream shows is
        # unknown: the reply is then put in as a whole.
        shown = self._streams.take(channel, ts)
        if shown is None:
            return None
        more = text[len(shown) : MARKDOWN] if text.startswith(shown) else ""
        try:
            if more:
                await self._call("chat.appendStream", {"ts": ts, "markdown_text": more})
        except DeliveryUncertainError:
            raise
        except DeliveryError:
            self._streams.put(channel, ts, shown)
            raise
        self._streams.put(channel, ts, shown + more)
        return self._pause

    async def _edit(self, ts: str, text: str) -> float | None:
        if len(text) > UPDATE:
            return None
        self._unsettled = True
        try:
            await self._call("chat.update", {"ts": ts, "text": text})
        except DeliveryError as error:
            self._unsettled = isinstance(error, DeliveryUncertainError)
            raise
        self._unsettled = False
        return self._pause

    async def _keep(self, saved: Json) -> None:
        with contextlib.suppress(StoreError):
            await self._save(saved)

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = {"channel": self._address["channel"]}
        return await self._calls.call(self._address["team"], method, {**channel, **arguments})
