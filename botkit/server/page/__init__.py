"""The plain chat page at ``/``: one HTML document that loads nothing else.

``PAGE`` is the document and ``CSP`` the Content-Security-Policy to send with it: only this very
style and script may run, and only this server may be asked.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """A CSP source for an inline element with exactly this text (CSP 3, section 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


_STYLE = _read("page.css")
_SCRIPT = _read("page.js")

_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(_STYLE)}",
        f"script-src {_hash(_SCRIPT)}",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)

# In the document too, so that it is held wherever its bytes are served from.
PAGE: bytes = (
    _read("index.html")
    .replace("{policy}", _POLICY)
    .replace("<style></style>", f"<style>{_STYLE}</style>")
    .replace('<script type="module"></script>', f'<script type="module">{_SCRIPT}</script>')
    .encode()
)

CSP: str = f"{_POLICY}; frame-ancestors 'none'"  # a document cannot forbid being framed itself
