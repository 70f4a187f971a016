"""Bad bodies become errors that name the field and repeat no value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from botkit.completion import (
    ChatCompletionRequest,
    EmbeddingRequest,
    TextCompletionRequest,
    parse_request,
)
from botkit.errors import InvalidRequestError

USER = {"role": "user", "content": "hi"}


def refused(kind: Any, fields: dict[str, Any], **given: str) -> InvalidRequestError:
    body = json.dumps({"model": "m", **fields}).encode()
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(kind, body, **given)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({}, "messages", "missing_required_parameter"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": "hi"}, "messages", "invalid_value"),
        ({"messages": [3]}, "messages[0]", "invalid_value"),
        ({"messages": [{}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "wizard"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [USER, {"role": "user"}]}, "messages[1].content", None),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "invalid_value"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content", "invalid_value"),
        ({"messages": [{**USER, "x": 1}]}, "messages[0].x", "unknown_parameter"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
            "missing_required_parameter",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", None),
        ({"messages": [USER], "temperature": "hot"}, "temperature", "invalid_value"),
        ({"messages": [USER], "temperature": True}, "temperature", "invalid_value"),
        ({"messages": [USER], "n": 1.5}, "n", "invalid_value"),
        ({"messages": [USER], "stop": 5}, "stop", "invalid_value"),
        ({"messages": [USER], "stop": [""]}, "stop[0]", "invalid_value"),
        ({"messages": [USER], "logit_bias": {"x": 1}}, "logit_bias.x", "invalid_value"),
        ({"messages": [USER], "logit_bias": {"5": 101}}, "logit_bias", "invalid_value"),
        ({"messages": [USER], "stream_options": {}}, "stream_options", None),
        ({"messages": [USER], "top_logprobs": 1}, "top_logprobs", None),
        ({"messages": [USER], "max_tokens": 1, "max_completion_tokens": 1}, "max_tokens", None),
        ({"messages": [USER], "unheard_of": 1}, "unheard_of", "unknown_parameter"),
    ],
)
def test_chat(fields: dict[str, Any], param: str, code: str | None) -> None:
    error = refused(ChatCompletionRequest, fields)
    assert error.param == param
    assert code is None or error.code == code
    assert param in error.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"prompt": [[]]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": "x", "n": 3, "best_of": 2}, "best_of"),
        ({"prompt": "x", "best_of": 2, "stream": True}, "best_of"),
        ({"prompt": ["x"] * 100, "n": 100}, "prompt"),
        ({"prompt": "x", "logprobs": 6}, "logprobs"),
        ({"prompt": "x", "logprobs": True}, "logprobs"),
    ],
)
def test_text(fields: dict[str, Any], param: str) -> None:
    error = refused(TextCompletionRequest, fields)
    assert error.param is not None
    assert error.param.startswith(param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_embeddings(fields: dict[str, Any], param: str) -> None:
    error = refused(EmbeddingRequest, fields)
    assert error.param is not None
    assert error.param.startswith(param)


def test_no_value_is_repeated() -> None:
    secret = "my very private words"
    for fields in (
        {"messages": [{"role": secret, "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": secret}]}]},
        {"messages": [USER], "temperature": secret},
        {"messages": [USER], "service_tier": secret},
    ):
        assert secret not in refused(ChatCompletionRequest, fields).message


def test_a_given_model_wins_and_may_be_absent() -> None:
    body = json.dumps({"prompt": "x"}).encode()
    assert parse_request(TextCompletionRequest, body, model="m").model == "m"
    body = json.dumps({"prompt": "x", "model": "other"}).encode()
    assert parse_request(TextCompletionRequest, body, model="m").model == "m"
    for broken in (b"[]", b"3", b"{", b"\xff"):
        with pytest.raises(InvalidRequestError, match="could not parse"):
            parse_request(TextCompletionRequest, broken, model="m")


def test_null_means_the_default() -> None:
    fields = ("temperature", "top_p", "n", "stop", "stream", "seed", "logit_bias", "max_tokens")
    nothing = dict.fromkeys(fields)
    body = json.dumps({"model": "m", "messages": [USER], **nothing}).encode()
    request = parse_request(ChatCompletionRequest, body)
    assert (request.temperature, request.top_p, request.n, request.stream) == (1.0, 1.0, 1, False)
