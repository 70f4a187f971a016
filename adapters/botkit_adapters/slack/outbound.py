"""Sending one payload so that it is there once."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from botkit.adapter import Outgoing, Receipt
from botkit.errors import (
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUncertainError,
)
from botkit.types import Json
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.history import History
from botkit_adapters.slack.marks import REPLY, metadata, reply_mark
from botkit_adapters.slack.pacing import slack_pacer
from botkit_adapters.slack.render import message
from botkit_adapters.slack.streams import Streams

logger = logging.getLogger(__name__)

LOOKS = 3
"""Attempts that wait for a preview to be found; then the reply comes without."""

NOT_THERE = frozenset({"channel_not_found", "not_in_channel"})
URL_IS_SPENT = frozenset({"http_404", "http_410", "used_url", "expired_url"})
"""A response URL takes five answers, within thirty minutes
(https://docs.slack.dev/interactivity/handling-user-interaction#message_responses)."""


class Outbound:
    """Messages, updates and files; ``streams`` is what open streams of this process show."""

    def __init__(self, calls: Calls, history: History, streams: Streams) -> None:
        self._calls = calls
        self._history = history
        self._streams = streams
        self._pacer = slack_pacer()

    async def pace(self, outgoing: Outgoing) -> None:
        """Wait for the channel's turn; see :meth:`botkit.adapter.Adapter.pace`."""
        if "assistant" not in outgoing.payload and "remove" not in outgoing.payload:
            await self._pacer.wait(_place(outgoing.payload["to"]))

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Send one payload; see :meth:`botkit.adapter.Adapter.deliver`."""
        payload = outgoing.payload
        to = payload["to"]
        if "assistant" in payload:
            return await self._dress(payload["assistant"], to)
        try:
            if "remove" in payload:
                return await self._remove(payload["remove"], to)
            return await self._send(outgoing, payload, to)
        except DeliveryDelayedError as error:
            if error.retry_after:
                self._pacer.pause(_place(to), error.retry_after)
            raise

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        """The message that carries this payload's mark; see :meth:`botkit.adapter.Adapter.find`.

        An update carries it too, and so does a message that was posted where one was refused.
        """
        payload, to = outgoing.payload, outgoing.payload["to"]
        if "remove" in payload or "assistant" in payload:
            return None  # done again, it says the same
        if "user" in to or "file" in payload:
            raise DeliveryRefusedError("Slack does not tell of files and messages to one person")
        ts = await self._history.marked(to, reply_mark(outgoing))
        return None if ts is None else Receipt(ts)

    async def _send(
        self, outgoing: Outgoing, payload: Mapping[str, Any], to: Mapping[str, Any]
    ) -> Receipt:
        if "file" in payload:
            return await self._share(payload["file"], to)
        if "user" in to:
            return await self._send_to_one(payload, to)
        marked = {"metadata": metadata(REPLY, reply_mark(outgoing))}
        ts = await self._preview(payload.get("replaces"), to, outgoing.attempt)
        if ts:
            with contextlib.suppress(DeliveryRefusedError):
                return await self._replace(payload, marked, to, ts)
        try:
            answer = await self._calls.call(
                to["team"], "chat.postMessage", {**_at(to), **message(payload), **marked}
            )
        except DeliveryRefusedError as error:
            if error.reason not in NOT_THERE or not to.get("elsewhere"):
                raise
            return await self._send_to_one(payload, {**to, **to["elsewhere"]})
        return Receipt(str(answer["ts"]))

    async def _dress(self, payload: Mapping[str, Any], to: Mapping[str, Any]) -> Receipt:
        """Title or prompts of an assistant's thread; a thread that takes none does without."""
        fields = {name: value for name, value in payload.items() if name != "method"}
        arguments = {"channel_id": to["channel"], "thread_ts": to["thread"], **fields}
        try:
            await self._calls.call(to["team"], payload["method"], arguments)
        except DeliveryRefusedError as error:
            logger.info("%s was refused: %s", payload["method"], error.reason)
        return Receipt()

    async def _share(self, file: Mapping[str, str], to: Mapping[str, Any]) -> Receipt:
        """Share a file. Slack has none that one person sees in a channel: that person gets it in
        the direct message (https://docs.slack.dev/reference/methods/conversations.open)."""
        if "user" in to:
            opened = await self._calls.call(to["team"], "conversations.open", {"users": to["user"]})
            to = {**to, "channel": str(opened["channel"]["id"]), "thread": ""}
        await self._calls.upload(to, file)
        return Receipt()

    async def _send_to_one(self, payload: Mapping[str, Any], to: Mapping[str, Any]) -> Receipt:
        if to["response_url"]:
            body = {**message(payload), "response_type": "ephemeral"}
            try:
                await self._calls.respond(to["response_url"], body)
                return Receipt()
            except DeliveryRefusedError as error:
                if error.reason not in URL_IS_SPENT:
                    raise
        arguments = {**_at(to), **message(payload), "user": to["user"]}
        answer = await self._calls.call(to["team"], "chat.postEphemeral", arguments)
        return Receipt(str(answer["message_ts"]))

    async def _preview(self, saved: Json | None, to: Mapping[str, Any], attempt: int) -> str:
        """The preview on show; empty where there is none, or where it cannot be found.

        Raises:
            DeliveryDelayedError: Slack does not tell now; nothing was sent.
        """
        if not saved or saved["ts"]:
            return str(saved["ts"]) if saved else ""
        try:
            return await self._history.preview(to, saved) or ""
        except DeliveryRefusedError as error:
            reason = error.reason
        except DeliveryDelayedError as error:
            if attempt < LOOKS:
                raise
            reason = error.reason
        except DeliveryError as error:
            if attempt < LOOKS:
                raise DeliveryDelayedError(error.reason) from None
            reason = error.reason
        logger.info("a preview was not looked for: %s", reason)
        return ""

    async def _remove(self, saved: Json, to: Mapping[str, Any]) -> Receipt:
        """Take a preview away; that it cannot be, or is gone already, is no loss of a reply."""
        try:
            if ts := await self._preview(saved, to, attempt=LOOKS):
                where = {"channel": to["channel"], "ts": ts}
                if saved["stream"]:
                    self._streams.take(to["channel"], ts)
                    with contextlib.suppress(DeliveryRefusedError):
                        await self._calls.call(to["team"], "chat.stopStream", where)
                await self._calls.call(to["team"], "chat.delete", where)
        except DeliveryRefusedError as error:
            logger.info("a preview was not removed: %s", error.reason)
        except DeliveryUncertainError as error:
            raise DeliveryDelayedError(error.reason) from None  # harmless to do again
        return Receipt()

    async def _replace(
        self,
        payload: Mapping[str, Any],
        marked: Mapping[str, Any],
        to: Mapping[str, Any],
        ts: str,
    ) -> Receipt:
        """End the preview with the reply in its place.

        Raises:
            DeliveryRefusedError: That is not possible, and the preview is gone.
        """
        where = {"channel": to["channel"], "ts": ts}
        if payload["replaces"]["stream"] and await self._finish(payload, marked, to, ts):
            return Receipt(ts)
        try:
            await self._calls.call(
                to["team"], "chat.update", {**where, **message(payload), **marked}
            )
        except DeliveryRefusedError:
            with contextlib.suppress(DeliveryError):
                await self._calls.call(to["team"], "chat.delete", where)
            raise
        return Receipt(ts)

    async def _finish(
        self,
        payload: Mapping[str, Any],
        marked: Mapping[str, Any],
        to: Mapping[str, Any],
        ts: str,
    ) -> bool:
        """Stop the stream; whether it then shows the reply. Only then it bears the mark."""
        shown, text = self._streams.take(to["channel"], ts), str(payload["markdown"])
        whole = shown is not None and text.startswith(shown)
        arguments: dict[str, Any] = {"channel": to["channel"], "ts": ts}
        if whole and shown is not None:
            more = {"markdown_text": text[len(shown) :]} if text[len(shown) :] else {}
            blocks = {"blocks": payload["blocks"]} if payload["blocks"] else {}
            arguments |= {**marked, **more, **blocks}
        try:
            await self._calls.call(to["team"], "chat.stopStream", arguments)
        except DeliveryRefusedError:
            return False
        return whole


def _at(to: Mapping[str, Any]) -> dict[str, str]:
    thread = {"thread_ts": to["thread"]} if to["thread"] else {}
    return {"channel": to["channel"], **thread}


def _place(to: Mapping[str, Any]) -> tuple[str, str]:
    """What Slack paces."""
    return to["team"], to["channel"]
