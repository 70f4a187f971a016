"""Requests with tools, and their replies put together."""

from __future__ import annotations

import json
from typing import Any

from botkit.completion import ChatCompletionRequest
from botkit.completion.chat import Choice
from botkit_models.local.chat import stream_chat
from botkit_models.local.runtime import Runtime

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather somewhere.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 8}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
TIME = {"type": "function", "function": {"name": "time"}}
NAMED = {"type": "function", "function": {"name": "weather"}}
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'
OTHER = '<tool_call>\n{"name": "time", "arguments": {}}\n</tool_call>'


def chat(**fields: Any) -> ChatCompletionRequest:
    """A request for the model named ``fake``."""
    fields = {"messages": [{"role": "user", "content": "hi"}], "seed": 1, **fields}
    return ChatCompletionRequest(model="fake", **fields)


def called(choice: Choice) -> list[tuple[str, str]]:
    """Names and arguments of a reply's calls."""
    return [
        (call.function.name, call.function.arguments) for call in choice.message.tool_calls or []
    ]


async def streamed(
    runtime: Runtime, request: ChatCompletionRequest
) -> tuple[str, str, list[tuple[str, str]], str]:
    """Content, reasoning, calls and finish reason of choice 0, put together as clients do."""
    content, thought, reason, first = "", "", None, None
    calls: dict[int, dict[str, str]] = {}
    async for chunk in stream_chat(runtime, request):
        for choice in chunk.choices:
            assert reason is None
            delta = json.loads(choice.delta.to_json())
            first = first or delta
            content += delta.get("content") or ""
            thought += delta.get("reasoning_content") or ""
            for part in delta.get("tool_calls", ()):
                known = calls.setdefault(part["index"], {"arguments": ""})
                for key in ("id", "type"):
                    if key in part:
                        assert key not in known
                        known[key] = part[key]
                if "name" in part["function"]:
                    assert "name" not in known
                    known["name"] = part["function"]["name"]
                known["arguments"] += part["function"]["arguments"]
            reason = choice.finish_reason
    assert first["role"] == "assistant"
    assert list(calls) == list(range(len(calls)))
    ids = [call["id"] for call in calls.values()]
    assert len(set(ids)) == len(ids)
    assert all(id.startswith("call_") for id in ids)
    return content, thought, [(call["name"], call["arguments"]) for call in calls.values()], reason
