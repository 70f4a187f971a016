"""Sending one payload so that it is there once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from botkit.adapter import Outgoing, Receipt
from botkit.errors import DeliveryDelayedError, DeliveryError, DeliveryRefusedError
from botkit.types import Json
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.pacing import slack_pacer
from botkit_adapters.slack.render import message

logger = logging.getLogger(__name__)

METADATA = "botkit_reply"
LOOKED_AT = 100
"""Messages that are looked at for one whose answer was lost."""


class Outbound:
    """Messages, updates and files; ``shown`` is what open streams of this process show."""

    def __init__(self, calls: Calls, shown: dict[str, str]) -> None:
        self._calls = calls
        self._shown = shown
        self._pacer = slack_pacer()

    async def pace(self, outgoing: Outgoing) -> None:
        """Wait for the channel's turn; see :meth:`botkit.adapter.Adapter.pace`."""
        if "assistant" not in outgoing.payload:
            await self._pacer.wait(_place(outgoing.payload["to"]))

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Send one payload; see :meth:`botkit.adapter.Adapter.deliver`."""
        payload = outgoing.payload
        to = payload["to"]
        if "assistant" in payload:
            return await self._dress(payload["assistant"], to)
        try:
            return await self._send(outgoing, payload, to)
        except DeliveryDelayedError as error:
            if error.retry_after:
                self._pacer.pause(_place(to), error.retry_after)
            raise

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        """The message that carries this payload's mark; see :meth:`botkit.adapter.Adapter.find`."""
        payload, to = outgoing.payload, outgoing.payload["to"]
        if payload.get("replaces") or "assistant" in payload:
            return None  # done again, it says the same
        if "user" in to or "file" in payload:
            raise DeliveryRefusedError("Slack does not tell of files and messages to one person")
        arguments: dict[str, Any] = {
            "channel": to["channel"],
            "include_all_metadata": True,
            "limit": LOOKED_AT,
        }
        method = "conversations.history"
        if to["thread"]:
            method, arguments["ts"] = "conversations.replies", to["thread"]
        answer = await self._calls.call(to["team"], method, arguments)
        wanted = mark(outgoing)
        for said in answer.get("messages", []):
            if (said.get("metadata") or {}).get("event_payload", {}).get("mark") == wanted:
                return Receipt(str(said["ts"]))
        return None

    async def _send(
        self, outgoing: Outgoing, payload: Mapping[str, Any], to: Mapping[str, Any]
    ) -> Receipt:
        if "file" in payload:
            await self._calls.upload(to, payload["file"])
            return Receipt()
        if "user" in to:
            return await self._send_to_one(payload, to)
        if payload.get("replaces"):
            with contextlib.suppress(DeliveryRefusedError):
                return await self._replace(payload, to, payload["replaces"])
        metadata = {"event_type": METADATA, "event_payload": {"mark": mark(outgoing)}}
        answer = await self._calls.call(
            to["team"], "chat.postMessage", {**_at(to), **message(payload), "metadata": metadata}
        )
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

    async def _send_to_one(self, payload: Mapping[str, Any], to: Mapping[str, Any]) -> Receipt:
        if to["response_url"]:
            body = {**message(payload), "response_type": "ephemeral"}
            await self._calls.respond(to["response_url"], body)
            return Receipt()
        arguments = {**_at(to), **message(payload), "user": to["user"]}
        answer = await self._calls.call(to["team"], "chat.postEphemeral", arguments)
        return Receipt(str(answer["message_ts"]))

    async def _replace(
        self, payload: Mapping[str, Any], to: Mapping[str, Any], saved: Json
    ) -> Receipt:
        """End the preview with the reply in its place.

        Raises:
            DeliveryRefusedError: That is not possible, and the preview is gone.
        """
        ts = str(saved["ts"])
        if saved.get("stream") and await self._finish(payload, to, ts):
            return Receipt(ts)
        try:
            fields = {"channel": to["channel"], "ts": ts, **message(payload)}
            await self._calls.call(to["team"], "chat.update", fields)
        except DeliveryRefusedError:
            with contextlib.suppress(DeliveryError):
                gone = {"channel": to["channel"], "ts": ts}
                await self._calls.call(to["team"], "chat.delete", gone)
            raise
        return Receipt(ts)

    async def _finish(self, payload: Mapping[str, Any], to: Mapping[str, Any], ts: str) -> bool:
        """Stop the stream; whether it then shows the reply."""
        shown, text = self._shown.pop(ts, None), str(payload["markdown"])
        whole = shown is not None and text.startswith(shown)
        arguments: dict[str, Any] = {"channel": to["channel"], "ts": ts}
        if whole and shown is not None and text[len(shown) :]:
            arguments["markdown_text"] = text[len(shown) :]
        if whole and payload["blocks"]:
            arguments["blocks"] = payload["blocks"]
        try:
            await self._calls.call(to["team"], "chat.stopStream", arguments)
        except DeliveryRefusedError:
            return False
        return whole


def mark(outgoing: Outgoing) -> str:
    """What tells this payload from every other, in this database and any."""
    digest = hashlib.sha256(json.dumps(outgoing.payload, sort_keys=True).encode()).hexdigest()
    return f"{outgoing.id}-{digest[:16]}"


def _at(to: Mapping[str, Any]) -> dict[str, str]:
    thread = {"thread_ts": to["thread"]} if to["thread"] else {}
    return {"channel": to["channel"], **thread}


def _place(to: Mapping[str, Any]) -> tuple[str, str]:
    """What Slack paces."""
    return to["team"], to["channel"]
