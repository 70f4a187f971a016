"""Equal requests have equal keys, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.cache.key import EVERYBODY, LABELS, cache_key, deterministic, person, scope_of
from botkit.completion.chat import ChatCompletionRequest
from botkit.completion.model import Model

HELLO = {"role": "user", "content": "hello"}
MODEL = Model(id="m", created=1, owned_by="botkit")

VALUES: dict[str, list[Any]] = {
    "model": ["m", "n"],
    "messages": [
        [HELLO],
        [{"role": "user", "content": "hello "}],
        [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        [{"role": "user", "content": "hello", "name": "ada"}],
        [{"role": "system", "content": "hello"}],
        [HELLO, {"role": "assistant", "content": "hello"}],
        [HELLO, HELLO],
        [{"role": "user", "content": "hel"}, {"role": "user", "content": "lo"}],
    ],
    "temperature": [0.0, 0.5],
    "top_p": [1.0, 0.9],
    "top_k": [0, 5],
    "min_p": [0.0, 0.1],
    "frequency_penalty": [0.0, 0.4],
    "presence_penalty": [0.0, 0.4],
    "repetition_penalty": [1.0, 1.1],
    "logit_bias": [None, {"1": 1.0, "2": 2.0}, {"2": 2.0, "1": 1.0}, {"1": 2.0, "2": 1.0}],
    "seed": [7, 8, 0],
    "stop": [None, "x", ["x", "y"], ["y", "x"]],
    "max_tokens": [None, 5, 6],
    "logprobs": [None, True, False],
    "tools": [None, []],
    "tool_choice": [None, "none"],
    "parallel_tool_calls": [None, True, False],
    "response_format": [None, {"type": "text"}, {"type": "json_object"}],
    "functions": [None, []],
    "function_call": [None, "none"],
    "modalities": [None, ["text"]],
    "prediction": [None, {"type": "content", "content": "x"}],
    "reasoning_effort": [None, "low", "high"],
    "verbosity": [None, "low"],
    "service_tier": [None, "auto", "flex"],
    "user": [None, "ada"],
    "metadata": [None, {"a": "b"}],
    "safety_identifier": [None, "ada"],
    "prompt_cache_key": [None, "k"],
    "prompt_cache_retention": [None, "24h"],
    "prompt_cache_options": [None, {}],
    "stream": [True],
    "structured_outputs": [None, {"regex": "a+"}, {"choice": ["a", "b"]}, {"choice": ["b", "a"]}],
    "stream_options": [None, {"include_usage": True}, {"include_usage": False}],
    "store": [None, False],
    "deadline": [None, 5.0],
}
ELSEWHERE = {
    "n": "one only",
    "max_completion_tokens": "not with max_tokens",
    "top_logprobs": "not without logprobs",
    "continue_final_message": "not after a user's message",
    "audio": "never kept",
    "web_search_options": "never kept",
    "moderation": "never kept",
}

requests = st.fixed_dictionaries({name: st.sampled_from(found) for name, found in VALUES.items()})


def key(fields: dict[str, Any], scope: str = EVERYBODY) -> str | None:
    return cache_key(ChatCompletionRequest.model_validate(fields), scope, MODEL, None)


def meaning(fields: dict[str, Any]) -> Any:
    """What of the fields a reply depends on; two times the same is the same reply."""
    asked = ChatCompletionRequest.model_validate(fields)
    kept = {
        name: value for name, value in asked.model_dump(mode="json").items() if name not in LABELS
    }
    return kept, asked.include_usage


def test_every_field_of_a_request_is_thought_of() -> None:
    assert set(VALUES) | set(ELSEWHERE) == set(ChatCompletionRequest.model_fields)


@given(one=requests, other=requests, taken=st.sets(st.sampled_from(sorted(VALUES))))
def test_keys_are_equal_where_requests_are(
    one: dict[str, Any], other: dict[str, Any], taken: set[str]
) -> None:
    other = {**one, **{name: other[name] for name in taken}}
    assert (key(one) == key(other)) == (meaning(one) == meaning(other))


@pytest.mark.parametrize("name", sorted(set(VALUES) - LABELS))
def test_every_field_alone_changes_the_key(name: str) -> None:
    base = {each: found[0] for each, found in VALUES.items()}
    for value in VALUES[name][1:]:
        changed = {**base, name: value}
        assert (key(base) == key(changed)) == (meaning(base) == meaning(changed)), (name, value)


@pytest.mark.parametrize("name", sorted(LABELS - {"stream_options"}))
def test_no_label_changes_it(name: str) -> None:
    base = {each: found[0] for each, found in VALUES.items()}
    assert {key({**base, name: value}) for value in VALUES[name]} == {key(base)}


def test_more_that_changes_it() -> None:
    asked = {"model": "m", "messages": [HELLO], "temperature": 0.0, "logprobs": True}
    said = [HELLO, {"role": "assistant", "content": "hel"}]
    request = ChatCompletionRequest.model_validate(asked)
    keys = [
        key(asked),
        key(asked, scope_of("slack", "T1", "U1")),
        key(asked, scope_of("slack", "T1U", "1")),
        key(asked, scope_of("slack", "T2", "U1")),
        cache_key(request, EVERYBODY, MODEL.model_copy(update={"created": 2}), None),
        cache_key(request, EVERYBODY, MODEL, "fp_1"),
        cache_key(request, EVERYBODY, MODEL, "fp_2"),
        cache_key(request, EVERYBODY, None, None),
        key({**asked, "max_completion_tokens": 5}),
        key({**asked, "top_logprobs": 2}),
        key({**asked, "messages": said}),
        key({**asked, "messages": said, "continue_final_message": True}),
        key({**asked, "response_format": {"type": "json_schema", "a": 1, "b": 2}}),
        key({**asked, "response_format": {"type": "json_schema", "b": 2, "a": 1}}),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"temperature": 0.0}, True),
        ({"seed": 0}, True),
        ({}, False),
        ({"temperature": 0.2}, False),
        ({"temperature": 0.0, "n": 2}, False),
        ({"temperature": 0.0, "tools": [{"type": "function"}]}, False),
        ({"temperature": 0.0, "functions": [{"name": "f"}]}, False),
        ({"temperature": 0.0, "tools": [], "tool_choice": "none"}, True),
        ({"temperature": 0.0, "store": True}, False),
        ({"temperature": 0.0, "modalities": ["text", "audio"]}, False),
        ({"temperature": 0.0, "web_search_options": {}}, False),
        ({"temperature": 0.0, "audio": {"voice": "v"}}, False),
        ({"temperature": 0.0, "moderation": {}}, False),
    ],
)
def test_what_could_turn_out_otherwise_is_not_kept(fields: dict[str, Any], kept: bool) -> None:
    asked = {"model": "m", "messages": [HELLO], **fields}
    assert deterministic(ChatCompletionRequest.model_validate(asked)) == kept
    assert (key(asked) is not None) == kept


def test_half_a_character_is_not_kept() -> None:
    asked = {"model": "m", "messages": [HELLO], "temperature": 0.0}
    request = ChatCompletionRequest.model_validate(asked)
    broken = request.messages[0].model_copy(update={"content": "\ud83d"})
    request = request.model_copy(update={"messages": [broken]})
    assert cache_key(request, EVERYBODY, MODEL, None) is None


def test_people_are_told_apart_and_not_named() -> None:
    names = {person("slack", "U1"), person("slack", "U2"), person("slac", "kU1")}
    assert len(names) == 3
    assert not any("U1" in name for name in names)
