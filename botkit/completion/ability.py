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
        if isinstance(layer, cast(type, protocol)):
            return cast(T, layer)
        layer = getattr(layer, "inner", None)
    return None
