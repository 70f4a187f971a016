"""Chat bots on every platform, answered by a model in the process or by any endpoint.

Importing this package imports nothing else: each public name is brought when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botkit.completion import (
        ChatCompletion,
        ChatCompletionChunk,
        ChatCompletionRequest,
        Completion,
        Message,
    )
    from botkit.errors import (
        BotkitError,
        CompletionError,
        MissingExtraError,
        ModelFileError,
        PullError,
        SettingsError,
    )
    from botkit.plugins import Check, load_completion
    from botkit.settings import Settings

_HOMES = {
    "BotkitError": "botkit.errors",
    "ChatCompletion": "botkit.completion",
    "ChatCompletionChunk": "botkit.completion",
    "ChatCompletionRequest": "botkit.completion",
    "Check": "botkit.plugins",
    "Completion": "botkit.completion",
    "CompletionError": "botkit.errors",
    "Message": "botkit.completion",
    "MissingExtraError": "botkit.errors",
    "ModelFileError": "botkit.errors",
    "PullError": "botkit.errors",
    "Settings": "botkit.settings",
    "SettingsError": "botkit.errors",
    "load_completion": "botkit.plugins",
}

__all__ = [
    "BotkitError",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "Check",
    "Completion",
    "CompletionError",
    "Message",
    "MissingExtraError",
    "ModelFileError",
    "PullError",
    "Settings",
    "SettingsError",
    "load_completion",
]


def __getattr__(name: str) -> Any:
    """Import the public name ``name`` (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'botkit' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
