"""The console's page: a document without any data, its style and its scripts.

Nothing but these files runs: each answer has a nonce of its own, which the document's style and
script carry and the modules that the script imports inherit (HTML, "descendant script fetch
options"). ``trusted-types 'none'`` has the browser refuse every way to make markup of text.
"""

from __future__ import annotations

import secrets
from importlib.resources import files

from aiohttp import web

from botkit.console.answers import HEADERS, refusal

_TYPES = {"css": "text/css", "js": "text/javascript"}


def _read() -> dict[str, bytes]:
    folder = [each for each in files(__name__).iterdir() if each.name.rpartition(".")[2] in _TYPES]
    return {each.name: each.read_bytes() for each in folder}


FILES = _read()
"""Style and scripts, by name."""

_DOCUMENT = files(__name__).joinpath("index.html").read_text(encoding="utf-8")


def policy(nonce: str) -> str:
    """The Content-Security-Policy of a document whose style and script carry ``nonce``."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


async def show_page(request: web.Request) -> web.StreamResponse:
    """The document."""
    nonce = secrets.token_urlsafe(16)
    headers = {**HEADERS, "Content-Security-Policy": policy(nonce)}
    text = _DOCUMENT.replace("{nonce}", nonce)
    return web.Response(text=text, content_type="text/html", headers=headers)


async def show_file(request: web.Request) -> web.StreamResponse:
    """Its style, or one of its scripts."""
    name = request.match_info["name"]
    body = FILES.get(name)
    if body is None:
        return refusal(404, "The console has no such file.")
    kind = _TYPES[name.rpartition(".")[2]]
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)
