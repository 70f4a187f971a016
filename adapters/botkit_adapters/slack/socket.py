"""Socket Mode: events over a connection that the bot opens
(https://docs.slack.dev/apis/events-api/using-socket-mode).

For development, and for hosts that nothing reaches from outside. slack_sdk's client keeps the
connection; an envelope is acknowledged here, once its event is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botkit.errors import StoreError
from botkit_adapters.slack.addresses import API
from botkit_adapters.slack.inbound import Take, parse

if TYPE_CHECKING:
    from slack_sdk.socket_mode.aiohttp import SocketModeClient

logger = logging.getLogger(__name__)


class Socket:
    """One connection.

    Args:
        app_token: The app-level token, ``xapp-...``.
        base_url: Of the Web API; None for Slack's own.
        bot_user: The bot's user id in a workspace.
        take: Keeps what was parsed.
    """

    def __init__(
        self, app_token: str, base_url: str | None, bot_user: Callable[[str], str], take: Take
    ) -> None:
        self._app_token = app_token
        self._base_url = base_url or API
        self._bot_user = bot_user
        self._take = take
        self._client: SocketModeClient | None = None

    async def run(self) -> None:
        """Connect, and go on trying until it succeeds; the client then reconnects by itself."""
        from slack_sdk.errors import SlackClientError
        from slack_sdk.socket_mode.aiohttp import SocketModeClient
        from slack_sdk.web.async_client import AsyncWebClient

        web = AsyncWebClient(base_url=self._base_url, retry_handlers=[])
        self._client = SocketModeClient(app_token=self._app_token, web_client=web)
        self._client.socket_mode_request_listeners.append(self._hear)
        pause = 1.0
        while True:
            try:
                await self._client.connect()  # type: ignore[no-untyped-call]
                return
            except (SlackClientError, OSError, TimeoutError) as error:
                logger.warning(
                    "Socket Mode: no connection, again in %.0f s: %s", pause, _why(error)
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, 60.0)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]

    async def _hear(self, client: Any, request: Any) -> None:
        from slack_sdk.socket_mode.response import SocketModeResponse

        try:
            await self._take(parse(request.payload, self._bot_user))
        except StoreError as error:
            logger.error("an event could not be kept: %s", error)
            return  # not acknowledged: Slack sends it again
        except (ValueError, RecursionError):
            logger.warning("an envelope of an unknown shape was skipped")
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))


def _why(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("error")) if response is not None else type(error).__name__
