"""What a completion can do besides chat, looked for through whatever wraps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from botkit.completion.protocol import Completion

T = TypeVar("T")


def ability(completion: Completion, protocol: Callable[..., T]) -> T | None:
    """The completion itself, or what it wraps (its ``inner``), as ``protocol``; None where none of
    them is one."""
    layer: Any = completion
    while layer is not None:
        if _has(type(layer), protocol):
            return cast(T, layer)
        layer = getattr(layer, "inner", None)
    return None


_KNOWN: dict[tuple[type, Callable[..., object]], bool] = {}


def _has(kind: type, protocol: Callable[..., object]) -> bool:
    """Whether objects of ``kind`` have the protocol's methods. Asked at every turn, and slow."""
    known = _KNOWN.get((kind, protocol))
    if known is None:
        known = _KNOWN[kind, protocol] = issubclass(kind, cast(type, protocol))
    return known
