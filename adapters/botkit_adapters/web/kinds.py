"""What a file is, found out from its bytes: what its sender calls it is a hint at most."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from botkit.types import AttachmentKind

_TEXTS = {
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".json": "application/json",
}
_TEXT_TYPES = frozenset(_TEXTS.values())
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MARKUP = re.compile(r"\s*<(?:!doctype|html|svg|script|\?xml|head|body|iframe)\b", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,128}", re.ASCII | re.IGNORECASE)

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""What a browser may show as it is: pictures that hold no script. SVG is not among them."""

UNKNOWN = "application/octet-stream"


def media_type(data: bytes, declared: str, name: str) -> str:
    """The type of a file's bytes; :data:`UNKNOWN` where they are nothing that is known.

    A text is what its sender calls it, as long as that is a kind of text; a document for browsers
    is none, however it is called.
    """
    import filetype  # here: few processes are sent files

    found = filetype.guess(data)
    if found is not None:
        return str(found.mime).lower()
    if not data or _CONTROL.search(data):
        return UNKNOWN
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return UNKNOWN
    if _MARKUP.match(text.removeprefix("\ufeff")):
        return UNKNOWN
    return _text_type(declared, name)


def _text_type(declared: str, name: str) -> str:
    if declared in _TEXT_TYPES:
        return declared
    if declared in ("", UNKNOWN) or declared.startswith("text/"):
        by_name = _TEXTS.get(PurePosixPath(name).suffix.lower())
        if by_name is not None:
            return by_name
    return "text/plain" if declared in ("", UNKNOWN) else UNKNOWN


def attachment_kind(kind: str) -> AttachmentKind:
    """What a model could do with a file of that type."""
    first = kind.partition("/")[0]
    if first == "image":
        return "image"
    if first == "audio":
        return "audio"
    return "video" if first == "video" else "file"


def sane(kind: str) -> str:
    """A type that may stand in a header."""
    return kind.lower() if _MEDIA_TYPE.fullmatch(kind) else UNKNOWN
