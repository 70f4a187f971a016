"""Web sites of other people on loopback: one that embeds the widget, and one that nothing should
ever ask."""

from __future__ import annotations

import contextlib
import html
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

LOCAL = "127.0.0.1"

STYLE = """
body { margin: 0; font: 16px/1.5 sans-serif; color: #222; background: #fff; }
main { max-width: 40rem; margin: 0 auto; padding: 2rem 1rem; }
botkit-chat:not([floating]) { display: block; height: 32rem; }
"""


@dataclass
class Site:
    """A server of static pages, reached under several names; each name is another origin.

    Fields:
        port: Where it listens.
        pages: Bodies, types and headers, by path.
        asked: The paths that were asked for.
    """

    port: int
    pages: dict[str, tuple[str, str, Mapping[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def origin(self, name: str = LOCAL) -> str:
        """Its origin under a name that leads here."""
        return f"http://{name}:{self.port}"

    def add(self, path: str, body: str, *, kind: str = "text/html", **headers: str) -> None:
        """Serve ``body``; underscores of header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (body, kind, named)

    async def _give(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        body, kind, headers = self.pages.get(request.path, ("nothing here", "text/plain", {}))
        status = 200 if request.path in self.pages else 404
        allowed = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        return web.Response(
            text=body, content_type=kind, status=status, headers={**allowed, **headers}
        )


@contextlib.asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """A server on a free port, until the block ends."""
    served = Site(0)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served._give)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        listener = web.TCPSite(runner, LOCAL, 0)
        await listener.start()
        served.port = runner.addresses[0][1]
        served.add("/style.css", STYLE, kind="text/css")
        served.add("/favicon.ico", "", kind="image/x-icon")
        yield served
    finally:
        await runner.cleanup()


def strict_policy(bot: str) -> str:
    """As tight as a policy can be that lets the widget of ``bot`` in."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {bot}",
            f"connect-src {bot}",
            f"img-src 'self' {bot}",
            "style-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def embedding(
    bot: str, *, body: str = "<h1>The shop</h1><p>Welcome.</p>", head: str = "", **data: str
) -> str:
    """A page with the one line that embeds the widget; ``data`` are its ``data-`` attributes."""
    given = "".join(
        f' data-{name.replace("_", "-")}="{html.escape(value)}"' for name, value in data.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The shop</title>
<link rel="stylesheet" href="/style.css">
{head}<script async src="{bot}/widget.js"{given}></script>
</head>
<body>
<main>{body}</main>
</body>
</html>
"""
