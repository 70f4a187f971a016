"""The demo page at ``/``: the widget at work, and what to copy to have it elsewhere.

Nothing in it is inline, and nothing comes from another host.
"""

from __future__ import annotations

import html
from importlib.resources import files

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from botkit.adapter import AdapterRoute
from botkit_adapters.web.options import WebOptions
from botkit_adapters.web.origins import parse_origin
from botkit_adapters.web.script import PATH, Script

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    hdrs.CACHE_CONTROL: "no-cache",
}
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}


def page_routes(options: WebOptions, script: Script) -> list[AdapterRoute]:
    """The page and what it loads."""
    return [
        AdapterRoute("GET", "/", _page(options, script)),
        *(
            AdapterRoute("GET", f"/web/page/{name}", _asset(_read(name), kind))
            for name, kind in _ASSETS.items()
        ),
    ]


def _page(options: WebOptions, script: Script) -> Handler:
    document = _read("index.html")

    async def show(request: web.Request) -> web.StreamResponse:
        address = options.public_url or _address(request)
        # A browser that calls the server by another name than it knows itself by is told so.
        works = options.origins.allows(_address(request), request.headers.get(hdrs.HOST, ""))
        said = {
            "{script}": script.address,
            "{embed}": f'<script async src="{address}{PATH}"></script>',
            "{open}": "" if options.origins.patterns else "hidden",
            "{closed}": "hidden" if options.origins.patterns else "",
            "{refused}": "hidden" if works else "",
        }
        text = document
        for name, value in said.items():
            text = text.replace(name, html.escape(value))
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    return show


def _asset(body: bytes | str, kind: str) -> Handler:
    async def show(request: web.Request) -> web.StreamResponse:
        return web.Response(text=str(body), content_type=kind, headers=_HEADERS)

    return show


def _address(request: web.Request) -> str:
    """The address that the browser has used, as far as can be seen from here."""
    host = request.headers.get(hdrs.HOST, "")
    try:
        local = parse_origin(f"http://{host}").local
    except ValueError:
        return ""
    secure = request.secure or not local
    return f"{'https' if secure else 'http'}://{host}"


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
