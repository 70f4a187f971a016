"""Calls of Slack's Web API, and what their errors mean for a delivery.

The SDK's own retries are off: it would post a message again when the answer was lost.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout

from botkit.errors import (
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUncertainError,
)
from botkit_adapters.slack.addresses import API
from botkit_adapters.slack.tokens import Tokens

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

SECONDS = 30
RATE_SECONDS = 30.0
"""For a 429 that does not say how long."""

PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Errors after which nobody knows whether it was done (https://docs.slack.dev/reference/methods)."""

TOKEN_ERRORS = frozenset({"account_inactive", "invalid_auth", "token_expired", "token_revoked"})
"""Errors that blame the token; nothing was done."""


class Calls:
    """The Web API for every workspace. slack_sdk is imported at the first call."""

    def __init__(self, tokens: Tokens, base_url: str | None) -> None:
        self._tokens = tokens
        self._base_url = base_url or API
        self._session: ClientSession | None = None
        self._client: AsyncWebClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def call(self, team: str, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of ``method`` in a workspace.

        Raises:
            DeliveryDelayedError: Not done: too many requests, or no connection.
            DeliveryUncertainError: Done or not.
            DeliveryRefusedError: Not done, with Slack's code.
        """
        token = await self._tokens.bot(team)
        try:
            return await self._call(method, arguments, token)
        except DeliveryRefusedError as error:
            if error.reason not in TOKEN_ERRORS:
                raise
            other = await self._tokens.instead(team, token, error.reason)
            if other is None:
                raise
        return await self._call(method, arguments, other)

    async def _call(self, method: str, arguments: Mapping[str, Any], token: str) -> dict[str, Any]:
        from slack_sdk.errors import SlackClientError

        try:
            answer = await self._sdk().api_call(method, json={**arguments, "token": token})
        except SlackClientError as error:
            raise translate(error) from None
        except (TimeoutError, ClientError, OSError) as error:
            raise unanswered(error) from None
        return dict(answer.data) if isinstance(answer.data, dict) else {}

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Post to a response URL. Raises as :meth:`call`."""
        self._sdk()
        assert self._session is not None
        try:
            async with self._session.post(url, json=dict(body)) as response:
                if response.status == 429:
                    raise DeliveryDelayedError("ratelimited", RATE_SECONDS)
                if response.status >= 500:
                    raise DeliveryUncertainError(f"http_{response.status}")
                if response.status >= 400:
                    raise DeliveryRefusedError(f"http_{response.status}")
        except (TimeoutError, ClientError, OSError) as error:
            raise unanswered(error) from None

    async def upload(self, to: Mapping[str, str], file: Mapping[str, str]) -> None:
        """Share a file. Raises as :meth:`call`."""
        data = base64.b64decode(file["data"])
        where = {"filename": file["name"], "length": len(data)}
        slot = await self.call(to["team"], "files.getUploadURLExternal", where)
        await self._put(slot["upload_url"], data)
        arguments = {
            "files": [{"id": slot["file_id"], "title": file["name"]}],
            "channel_id": to["channel"],
            **({"thread_ts": to["thread"]} if to.get("thread") else {}),
        }
        await self.call(to["team"], "files.completeUploadExternal", arguments)

    async def download(self, team: str, url: str, limit: int) -> bytes:
        """The bytes of a file of at most ``limit`` bytes. Raises as :meth:`call`."""
        self._sdk()
        assert self._session is not None
        headers = {"Authorization": f"Bearer {await self._tokens.bot(team)}"}
        try:
            async with self._session.get(url, headers=headers) as response:
                if response.status != 200 or response.content_type == "text/html":
                    raise DeliveryRefusedError("the file may not be read: is files:read granted?")
                data = await response.content.read(limit + 1)
                while len(data) <= limit and (more := await response.content.read(limit)):
                    data += more
        except (TimeoutError, ClientError, OSError) as error:
            raise unanswered(error) from None
        if len(data) > limit:
            raise DeliveryRefusedError("the file is too big")
        return data

    async def _put(self, url: str, data: bytes) -> None:
        assert self._session is not None
        try:
            async with self._session.post(url, data=data) as response:
                if response.status != 200:
                    raise DeliveryDelayedError(f"upload: http_{response.status}")
        except (TimeoutError, ClientError, OSError) as error:
            # Nobody sees an upload that was not completed: it may be done again.
            raise DeliveryDelayedError(type(error).__name__) from None

    def _sdk(self) -> AsyncWebClient:
        if self._client is None:
            from slack_sdk.web.async_client import AsyncWebClient

            self._session = ClientSession(timeout=ClientTimeout(total=SECONDS))
            self._client = AsyncWebClient(
                base_url=self._base_url, session=self._session, retry_handlers=[], timeout=SECONDS
            )
        return self._client


def unanswered(error: Exception) -> DeliveryError:
    """A connection that never was, or that broke before the answer."""
    if isinstance(error, ClientConnectorError):
        return DeliveryDelayedError("no connection")
    return DeliveryUncertainError(
        "timeout" if isinstance(error, asyncio.TimeoutError) else type(error).__name__
    )


def translate(error: Exception) -> DeliveryError:
    """The SDK's error as one of ours."""
    response = getattr(error, "response", None)
    if response is None:
        return DeliveryUncertainError(type(error).__name__)
    headers = {str(name).lower(): value for name, value in dict(response.headers).items()}
    code = str(response.get("error") or "") if isinstance(response.data, dict) else ""
    if response.status_code == 429 or code == "ratelimited":
        return DeliveryDelayedError("ratelimited", float(headers.get("retry-after", RATE_SECONDS)))
    if response.status_code >= 500 or code in PASSING:
        return DeliveryUncertainError(code or f"http_{response.status_code}")
    return DeliveryRefusedError(code or f"http_{response.status_code}")
