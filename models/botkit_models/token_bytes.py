"""The exact bytes of a token, for the two ways tokenizers spell them.

* byte-level: every byte is one printable character (Radford et al. 2019, GPT-2's
  ``bytes_to_unicode``);
* byte fallback: pieces are text with U+2581 for a space, and ``<0xNN>`` for a byte that no piece
  holds (SentencePiece).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from botkit.errors import ModelFileError

_BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPACE = "▁"


@dataclass(frozen=True)
class ByteScheme:
    """How a tokenizer spells bytes."""

    kind: Literal["byte_level", "byte_fallback"]
    strips_leading_space: bool = False


def byte_scheme(decoder: dict[str, Any]) -> ByteScheme:
    """The scheme of a ``tokenizer.json``'s decoder.

    Raises:
        ModelFileError: It is neither byte-level nor SentencePiece-like.
    """
    steps = decoder.get("decoders") if decoder.get("type") == "Sequence" else [decoder]
    kinds = {step.get("type"): step for step in steps or [] if isinstance(step, dict)}
    if "ByteLevel" in kinds:
        return ByteScheme("byte_level")
    if "ByteFallback" in kinds or "Metaspace" in kinds:
        metaspace = kinds.get("Metaspace", {"prepend_scheme": "never"})
        strips = "Strip" in kinds or metaspace.get("prepend_scheme", "always") != "never"
        return ByteScheme("byte_fallback", strips_leading_space=strips)
    raise ModelFileError(
        f"a tokenizer that decodes with {sorted(map(str, kinds))} is not supported; "
        "byte-level and byte-fallback ones are"
    )


def byte_alphabet() -> dict[str, int]:
    """GPT-2's printable character for each byte, as character to byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    return alphabet | {chr(256 + index): byte for index, byte in enumerate(others)}


class TokenBytes:
    """Token id to bytes, each worked out once."""

    def __init__(self, piece: Callable[[int], str | None], scheme: ByteScheme) -> None:
        self.scheme = scheme
        self._piece = piece
        self._alphabet = byte_alphabet()
        self._known: dict[int, bytes] = {}

    def __getitem__(self, id: int) -> bytes:
        found = self._known.get(id)
        if found is None:
            piece = self._piece(id) if 0 <= id < 1 << 31 else None
            found = self._known[id] = b"" if piece is None else self._spell(piece)
        return found

    def _spell(self, piece: str) -> bytes:
        if self.scheme.kind == "byte_level":
            if all(char in self._alphabet for char in piece):
                return bytes(self._alphabet[char] for char in piece)
            return piece.encode()  # an added token, written as it is
        byte = _BYTE_PIECE.fullmatch(piece)
        return bytes([int(byte[1], 16)]) if byte else piece.replace(_SPACE, " ").encode()
