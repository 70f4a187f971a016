"""The web application: any completion behind OpenAI's HTTP interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from botkit.adapter import AdapterRoute
from botkit.completion import Completion
from botkit.server.limits import ServerLimits
from botkit.server.middleware import middlewares
from botkit.server.openapi import openapi_json
from botkit.server.page import CSP
from botkit.server.request_id import stamp
from botkit.server.routes import ROUTES
from botkit.server.service import SERVICE, Service

PLAYGROUND = "/playground"


def create_app(
    completion: Completion,
    *,
    api_keys: Iterable[str] = (),
    aliases: Mapping[str, str] | None = None,
    limits: ServerLimits | None = None,
    page: bytes | None = None,
    open_routes: Sequence[AdapterRoute] = (),
    routes: Sequence[AdapterRoute] = (),
) -> web.Application:
    """Serve ``completion`` at ``/v1``, with health, readiness and the OpenAPI document.

    The application does not start the completion: :func:`botkit.server.serve` does, once it
    listens; elsewhere ``await app[SERVICE].start()``.

    Args:
        completion: Who answers.
        api_keys: Keys of which clients must show one; with none, everyone may ask.
        aliases: Other names for its models; ``*`` stands for any name.
        limits: Bounds on what clients may send.
        page: HTML for ``/``, or None; no script or style but those of
            :mod:`botkit.server.page` will run in it. Where a route has taken ``/``, it is at
            :data:`PLAYGROUND`.
        open_routes: Further routes that check themselves who is calling.
        routes: Further routes, behind the API keys.
    """
    limits = limits or ServerLimits()
    page_path = PLAYGROUND if any(route.path == "/" for route in open_routes) else "/"
    app = web.Application(middlewares=middlewares(api_keys), client_max_size=limits.body_bytes)
    app[SERVICE] = Service(
        completion,
        dict(aliases or {}),
        limits,
        open_paths=frozenset([page_path, *(route.path for route in open_routes)]),
        raw_paths=frozenset(route.path for route in open_routes if route.raw),
    )
    for extra in (*open_routes, *routes):
        app.router.add_route(extra.method, extra.path, extra.handler)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    app.router.add_get("/openapi.json", openapi_json)
    if page is not None:
        app.router.add_get(page_path, _page(page))
    app.on_response_prepare.append(stamp)
    app.on_response_prepare.append(_close_when_stopping)
    return app


def _page(page: bytes) -> Handler:
    headers = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}

    async def show(request: web.Request) -> web.StreamResponse:
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)

    return show


async def _close_when_stopping(request: web.Request, response: web.StreamResponse) -> None:
    if request.app[SERVICE].stopping:
        response.force_close()
        response.headers["Connection"] = "close"
