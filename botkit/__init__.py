"""Chat bots on every platform, answered by a model in the process or by any endpoint.

Importing this package imports nothing else: each public name is brought when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botkit.bot import Bot
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
        DeliveryError,
        HandlerError,
        MissingExtraError,
        ModelFileError,
        PullError,
        SettingsError,
        StoreError,
    )
    from botkit.plugins import Check, load_completion
    from botkit.replies import Button, File, Reply
    from botkit.settings import Settings
    from botkit.turn import Turn
    from botkit.types import Attachment, ConversationKey, Event, Sender

_HOMES = {
    "Attachment": "botkit.types",
    "Bot": "botkit.bot",
    "BotkitError": "botkit.errors",
    "Button": "botkit.replies",
    "ChatCompletion": "botkit.completion",
    "ChatCompletionChunk": "botkit.completion",
    "ChatCompletionRequest": "botkit.completion",
    "Check": "botkit.plugins",
    "Completion": "botkit.completion",
    "CompletionError": "botkit.errors",
    "ConversationKey": "botkit.types",
    "DeliveryError": "botkit.errors",
    "Event": "botkit.types",
    "File": "botkit.replies",
    "HandlerError": "botkit.errors",
    "Message": "botkit.completion",
    "MissingExtraError": "botkit.errors",
    "ModelFileError": "botkit.errors",
    "PullError": "botkit.errors",
    "Reply": "botkit.replies",
    "Sender": "botkit.types",
    "Settings": "botkit.settings",
    "SettingsError": "botkit.errors",
    "StoreError": "botkit.errors",
    "Turn": "botkit.turn",
    "load_completion": "botkit.plugins",
}

__all__ = [
    "Attachment",
    "Bot",
    "BotkitError",
    "Button",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "Check",
    "Completion",
    "CompletionError",
    "ConversationKey",
    "DeliveryError",
    "Event",
    "File",
    "HandlerError",
    "Message",
    "MissingExtraError",
    "ModelFileError",
    "PullError",
    "Reply",
    "Sender",
    "Settings",
    "SettingsError",
    "StoreError",
    "Turn",
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
