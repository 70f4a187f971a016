"""What every request of the widget passes: its origin is looked at, and errors become answers that
its page can read.

Source: Fetch Standard, "HTTP extensions" (CORS protocol).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from botkit.adapter import AdapterRoute
from botkit.errors import StoreError
from botkit.server.failures import unexpected
from botkit_adapters.web.origins import Origins
from botkit_adapters.web.refusals import RefusalError, not_found, unavailable

logger = logging.getLogger(__name__)


class Cors(dict[str, str]):
    """The headers that an answer needs so that the page may read it."""


CORS = web.RequestKey("cors", Cors)
"""For answers that are streamed."""

_ASKED = {
    "Access-Control-Allow-Headers": "authorization, content-type, last-event-id",
    "Access-Control-Max-Age": "7200",  # as long as any browser keeps it
}


class Door:
    """Routes for those who may ask."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins

    def routes(
        self, path: str, handlers: Sequence[tuple[str, Handler]], *, signed: bool = False
    ) -> list[AdapterRoute]:
        """A path by its methods, and what a browser asks before it sends them.

        Args:
            path: As aiohttp has it.
            handlers: By method.
            signed: The address itself lets in whoever has it, as a picture does that a page shows
                without asking as who.
        """
        methods = [method for method, _ in handlers]
        asked = self._guarded(_asked_before(methods), signed)
        others = self._guarded(_not_allowed(methods), signed)
        return [
            AdapterRoute(hdrs.METH_OPTIONS, path, asked, raw=True),
            *(
                AdapterRoute(method, path, self._guarded(handler, signed), raw=True)
                for method, handler in handlers
            ),
            AdapterRoute(hdrs.METH_ANY, path, others, raw=True),
        ]

    def nothing(self, path: str) -> AdapterRoute:
        """A path where nothing is, as the page can read."""
        return AdapterRoute(hdrs.METH_ANY, path, self._guarded(_nothing, False), raw=True)

    def _guarded(self, handler: Handler, signed: bool) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            cors = Cors({hdrs.VARY: "Origin"})
            try:
                if origin := self._origins.check(request, signed=signed):
                    cors[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
                    cors[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After"
                request[CORS] = cors
                response = await handler(request)
            except (RefusalError, StoreError) as error:
                response = _refusal(error).response()
            except web.HTTPException:
                raise
            except Exception as error:
                if request.transport is None or request.transport.is_closing():
                    raise ConnectionResetError("the client has gone") from error
                failure = unexpected(request, error)
                if request.writer.output_size > 0:  # a stream that was begun cannot become another
                    raise ConnectionResetError("the answer was cut off") from error
                response = RefusalError(500, "internal_error", failure.message).response()
            if not response.prepared:
                response.headers.update(cors)
            return response

        return answer


def _refusal(error: RefusalError | StoreError) -> RefusalError:
    if isinstance(error, RefusalError):
        return error
    logger.error("web: the store is away: %s", error)
    return unavailable()


def _asked_before(methods: Sequence[str]) -> Handler:
    allowed = {hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(methods), **_ASKED}

    async def asked(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers=allowed)

    return asked


def _not_allowed(methods: Sequence[str]) -> Handler:
    async def refuse(request: web.Request) -> web.StreamResponse:
        response = RefusalError(405, "method_not_allowed", "That cannot be done here.").response()
        response.headers[hdrs.ALLOW] = ", ".join(methods)
        return response

    return refuse


async def _nothing(request: web.Request) -> web.StreamResponse:
    raise not_found("There is nothing here.")
