"""python-telegram-bot's network seam over aiohttp, which the process has loaded anyway.

It never sends anything twice, and tells apart what certainly did not arrive.
"""

from __future__ import annotations

from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    FormData,
    TCPConnector,
)
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

CONNECT_SECONDS = 10.0
CONNECTIONS = 64


class NotConnectedError(NetworkError):
    """No connection came about: the request was not sent."""


class AiohttpRequest(BaseRequest):
    """One pool of connections.

    Args:
        seconds: For one request, longer for what asks for longer.
    """

    def __init__(self, seconds: float = 30.0) -> None:
        self._seconds = seconds
        self._session: ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds for one request."""
        return self._seconds

    async def initialize(self) -> None:
        """Open the pool."""
        if self._session is None:
            timeout = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            self._session = ClientSession(
                timeout=timeout, connector=TCPConnector(limit=CONNECTIONS)
            )

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Send one request; the status and the body of the answer.

        Raises:
            NotConnectedError: Certainly not sent.
            TimedOut, NetworkError: Sent or not.
        """
        await self.initialize()
        assert self._session is not None
        longer = read_timeout if isinstance(read_timeout, int | float) else self._seconds
        timeout = ClientTimeout(total=max(longer, self._seconds), sock_connect=CONNECT_SECONDS)
        try:
            async with self._session.request(
                method, url, data=_body(request_data), timeout=timeout
            ) as response:
                return response.status, await response.read()
        except ClientConnectorError as error:
            raise NotConnectedError(type(error).__name__) from None
        except TimeoutError:
            raise TimedOut from None
        except (ClientError, OSError) as error:
            # The error's own text may hold the URL, and with it the token.
            raise NetworkError(type(error).__name__) from None


def _body(data: RequestData | None) -> FormData | dict[str, str] | None:
    if data is None:
        return None
    if not data.contains_files:
        return dict(data.json_parameters)
    form = FormData(dict(data.json_parameters))
    for field, (name, content, media_type) in (data.multipart_data or {}).items():
        form.add_field(field, content, filename=name, content_type=media_type)
    return form
