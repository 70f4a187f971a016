"""Chat Completions messages as the plain dictionaries that chat templates read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from botkit.completion.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    message_text,
)
from botkit.errors import InvalidRequestError


def template_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """What a template sees: ``developer`` is ``system``, content is one text, calls are parsed.

    Raises:
        InvalidRequestError: A message has a part that is no text; ``param`` names it.
    """
    return [_plain(message, index) for index, message in enumerate(messages)]


def _plain(message: Message, index: int) -> dict[str, Any]:
    _refuse_other_parts(message, index)
    role = "system" if message.role == "developer" else message.role
    plain: dict[str, Any] = {"role": role, "content": message_text(message)}
    if isinstance(message, AssistantMessage):
        if message.tool_calls:
            plain["tool_calls"] = [_call(call) for call in message.tool_calls]
        if message.reasoning_content:
            plain["reasoning_content"] = message.reasoning_content
    if isinstance(message, ToolMessage):
        plain["tool_call_id"] = message.tool_call_id
    elif message.name is not None:
        plain["name"] = message.name
    return plain


def _refuse_other_parts(message: Message, index: int) -> None:
    if not isinstance(message.content, list):
        return
    for place, part in enumerate(message.content):
        if part.type not in ("text", "refusal"):
            raise InvalidRequestError(
                f"This model reads text only; it cannot read a part of type '{part.type}'.",
                param=f"messages[{index}].content[{place}]",
                code="unsupported_content",
            )


def _call(call: ToolCall) -> dict[str, Any]:
    """Templates write arguments with ``tojson``, so they get the object, not its text."""
    try:
        arguments: Any = json.loads(call.function.arguments)
    except (ValueError, RecursionError):
        arguments = call.function.arguments
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.function.name, "arguments": arguments},
    }
