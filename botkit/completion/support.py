"""Refusing by name what a completion does not obey."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from botkit.completion.chat import ChatCompletionRequest
from botkit.completion.messages import Message, TextPart
from botkit.completion.sampling import SamplingFields
from botkit.completion.text import TextCompletionRequest
from botkit.errors import UnsupportedParameterError

TEXT_ONLY_CHAT: Mapping[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none",),
    "functions": ([],),
    "function_call": ("none",),
    "response_format": ({"type": "text"},),
    "structured_outputs": (),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "reasoning_effort": ("none",),
    "verbosity": ("medium",),
    "web_search_options": (),
    "moderation": (),
    "store": (False,),
    "service_tier": ("auto", "default", "flex", "priority"),
    "prompt_cache_retention": (),
    "prompt_cache_options": (),
}
"""What a completion that writes plain text refuses, and the values that ask for nothing.

``parallel_tool_calls`` says nothing without tools; ``metadata``, ``user``, ``safety_identifier``
and ``prompt_cache_key`` are labels for the operator and change no reply."""

PLAIN_TEXT: Mapping[str, tuple[Any, ...]] = {"suffix": ("",)}
"""The same for legacy text completions: text is continued, not filled in."""


def refuse_unsupported(request: BaseModel, harmless: Mapping[str, tuple[Any, ...]]) -> None:
    """Refuse every parameter in ``harmless`` that has a value other than those listed.

    Args:
        request: A validated request.
        harmless: Field name to the values (besides None) that ask for nothing special, so that
            ``tools=[]`` or ``response_format={"type": "text"}`` pass.

    Raises:
        UnsupportedParameterError: Naming the first field that asks for something.
    """
    for field, accepted in harmless.items():
        value = getattr(request, field)
        if value is not None and value not in accepted:
            raise UnsupportedParameterError(field)


def refuse_unsupported_chat(
    request: ChatCompletionRequest, obeyed: Collection[str] = frozenset()
) -> None:
    """Refuse what a model that reads and writes plain text cannot do.

    Args:
        request: A validated request.
        obeyed: Fields that this completion obeys all the same; with ``tools``, messages may tell of
            calls and their results, too.

    Raises:
        UnsupportedParameterError: Naming the field, or the place in a message.
    """
    refused = {field: free for field, free in TEXT_ONLY_CHAT.items() if field not in obeyed}
    refuse_unsupported(request, refused)
    _refuse_obfuscation(request)
    for place, message in enumerate(request.messages):
        if "tools" not in obeyed:
            _refuse_calls(message, f"messages[{place}]")
        _refuse_parts(message, f"messages[{place}]")


def refuse_unsupported_text(request: TextCompletionRequest) -> None:
    """Refuse what a model that only continues text cannot do.

    Raises:
        UnsupportedParameterError: Naming the field.
    """
    refuse_unsupported(request, PLAIN_TEXT)
    _refuse_obfuscation(request)


def _refuse_obfuscation(request: SamplingFields) -> None:
    """Padding that hides the length of tokens from whoever watches the encrypted traffic."""
    if request.stream_options is not None and request.stream_options.include_obfuscation:
        raise UnsupportedParameterError("stream_options.include_obfuscation")


def _refuse_calls(message: Message, where: str) -> None:
    # By role: isinstance of a pydantic model costs ten times as much, and histories are long.
    if message.role == "tool":
        raise UnsupportedParameterError(f"{where}.role", "of 'tool' is not supported by this model")
    if message.role == "assistant" and message.tool_calls:
        raise UnsupportedParameterError(f"{where}.tool_calls")


def _refuse_parts(message: Message, where: str) -> None:
    if message.content is None or isinstance(message.content, str):
        return
    for index, part in enumerate(message.content):
        if not isinstance(part, TextPart):
            problem = f"of type '{part.type}' is not supported by this model"
            raise UnsupportedParameterError(f"{where}.content[{index}]", problem)
