"""What visitors and their pages are told when something cannot be."""

from __future__ import annotations

import math

from aiohttp import web

from botkit.types import Json


class RefusalError(Exception):
    """An answer that is an error.

    Args:
        status: The HTTP status.
        code: For the page.
        message: A sentence for the visitor.
        retry_after: Seconds after which it may go better; None does not say.
        close: The connection is of no further use.
        more: Further fields, as ``limit``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: float | None = None,
        close: bool = False,
        **more: Json,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.close = close
        self.more = more

    def response(self) -> web.Response:
        """The answer."""
        fields = {"message": self.message, "code": self.code, **self.more}
        response = web.json_response({"error": fields}, status=self.status)
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == web.HTTPUnauthorized.status_code:
            response.headers["WWW-Authenticate"] = "Bearer"
        if self.close:
            response.force_close()
        return response


def invalid(message: str) -> RefusalError:
    """The request is wrong."""
    return RefusalError(400, "invalid_request", message)


def not_found(message: str) -> RefusalError:
    """There is no such thing, or it is somebody else's."""
    return RefusalError(404, "not_found", message)


def unavailable() -> RefusalError:
    """The store is away; nothing was kept."""
    return RefusalError(
        503, "unavailable", "That did not work just now. Please try again.", retry_after=2.0
    )
