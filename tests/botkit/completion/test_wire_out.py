"""What is on the wire: constants always, unset fields never, null where it was said."""

from __future__ import annotations

import json

from botkit.completion import ChatCompletionChunk, ChunkChoice, Delta, ReplyMessage
from botkit.completion.chat import ChoiceLogprobs


def test_constants_are_sent_and_unset_fields_are_not() -> None:
    chunk = ChatCompletionChunk(id="x", created=1, model="m", choices=[])
    assert json.loads(chunk.to_json()) == {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [],
    }


def test_null_is_sent_where_it_was_said() -> None:
    chunk = ChatCompletionChunk(id="x", created=1, model="m", choices=[])
    assert json.loads(chunk.model_copy(update={"usage": None}).to_json())["usage"] is None
    choice = ChunkChoice(index=0, delta=Delta(content="a"), finish_reason=None)
    assert json.loads(choice.to_json()) == {
        "index": 0,
        "delta": {"content": "a"},
        "finish_reason": None,
    }


def test_required_nulls_and_roles_are_always_there() -> None:
    assert json.loads(ChoiceLogprobs(content=[]).to_json()) == {"content": [], "refusal": None}
    message = ReplyMessage(content="a", refusal=None)
    assert json.loads(message.to_json())["role"] == "assistant"
