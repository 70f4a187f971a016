"""``/widget.js``: the widget's script, as it was built.

Source: RFC 9111 (HTTP Caching), RFC 8246 (immutable).
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from aiohttp import hdrs, web

from botkit.adapter import AdapterRoute

PATH = "/widget.js"
REVALIDATED = "public, max-age=300, must-revalidate"
IMMUTABLE = "public, max-age=31536000, immutable"
HASH_CHARACTERS = 16


@dataclass(frozen=True)
class Built:
    """The script, plain and gzipped, and what names these very bytes."""

    plain: bytes
    packed: bytes
    hash: str


class Script:
    """Serves it; read and packed once, when it is first asked for."""

    @cached_property
    def built(self) -> Built | None:
        """The script; None where it was not built."""
        file = files("botkit_adapters.web").joinpath("static", "widget.js")
        if not file.is_file():
            return None
        plain = file.read_bytes()
        digest = hashlib.sha256(plain).hexdigest()[:HASH_CHARACTERS]
        return Built(plain, gzip.compress(plain, 9, mtime=0), digest)

    @property
    def address(self) -> str:
        """Where these very bytes are, for as long as a browser likes to keep them."""
        return PATH if self.built is None else f"{PATH}?v={self.built.hash}"

    @property
    def routes(self) -> list[AdapterRoute]:
        """Any page may have it."""
        return [AdapterRoute(method, PATH, self.give) for method in ("GET", "HEAD")]

    async def give(self, request: web.Request) -> web.StreamResponse:
        """The script, or that it is the one that the browser has."""
        built = self.built
        if built is None:
            return web.Response(
                status=404, text="// The widget was not built: see adapters/widget."
            )
        exact = request.query.get("v") == built.hash
        tag = f'W/"{built.hash}"'  # weak: packed or not, it is the same script
        headers = {
            hdrs.ETAG: tag,
            hdrs.CACHE_CONTROL: IMMUTABLE if exact else REVALIDATED,
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if built.hash in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers)
        packed = _takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        if packed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(
            body=built.packed if packed else built.plain,
            content_type="text/javascript",
            charset="utf-8",
            headers=headers,
        )


def _takes_gzip(accepted: str) -> bool:
    """Whether ``Accept-Encoding`` allows it (RFC 9110, 12.5.3)."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
