"""What requests say of tools, their results and forms of replies."""

from __future__ import annotations

from typing import Any

import pytest

from botkit.completion import ChatCompletionRequest
from botkit.completion.formats import (
    ChoiceForm,
    GrammarForm,
    JsonForm,
    JsonObjectForm,
    RegexForm,
    reply_form,
)
from botkit.completion.tools import check_tool_messages, tool_plan
from botkit.errors import InvalidRequestError

NAMES = ("weather", "time", "mail")
TOOLS = [{"type": "function", "function": {"name": name}} for name in NAMES]
USER: dict[str, Any] = {"role": "user", "content": "Answer in JSON."}


def request(**fields: Any) -> ChatCompletionRequest:
    return ChatCompletionRequest.model_validate({"model": "m", "messages": [USER], **fields})


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(mode: str, *names: str) -> dict[str, Any]:
    tools = {"mode": mode, "tools": [named(name) for name in names]}
    return {"type": "allowed_tools", "allowed_tools": tools}


@pytest.mark.parametrize(
    ("choice", "mode", "names", "parallel"),
    [
        (None, "auto", NAMES, True),
        ("auto", "auto", NAMES, True),
        ("required", "required", NAMES, True),
        (named("time"), "named", ("time",), False),
        (allowed("auto", "mail", "time"), "auto", ("time", "mail"), True),
        (allowed("required", "mail"), "required", ("mail",), True),
    ],
)
def test_choices(choice: Any, mode: str, names: tuple[str, ...], parallel: bool) -> None:
    plan = tool_plan(request(tools=TOOLS, tool_choice=choice))
    assert plan is not None
    assert (plan.mode, plan.parallel) == (mode, parallel)
    assert tuple(function.name for function in plan.callable) == names
    assert all(TOOLS[place]["function"]["name"] == found.name for place, found in plan.places)  # type: ignore[index]
    assert plan.declared == tuple(TOOLS)


@pytest.mark.parametrize(
    "fields", [{}, {"tools": []}, {"tool_choice": "none"}, {"tools": TOOLS, "tool_choice": "none"}]
)
def test_no_tools(fields: dict[str, Any]) -> None:
    assert tool_plan(request(**fields)) is None


def test_one_call_at_a_time_where_that_is_asked() -> None:
    plan = tool_plan(request(tools=TOOLS, parallel_tool_calls=False))
    assert plan is not None
    assert not plan.parallel


@pytest.mark.parametrize(
    ("parameters", "schema"),
    [
        (None, {"type": "object", "properties": {}, "additionalProperties": False}),
        ({}, {"type": "object"}),
        ({"type": "object", "required": ["a"]}, {"type": "object", "required": ["a"]}),
        ({"$ref": "#/$defs/a", "$defs": {}}, {"$ref": "#/$defs/a", "$defs": {}}),
    ],
)
def test_the_schema_of_arguments_is_an_objects(parameters: Any, schema: Any) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    plan = tool_plan(request(tools=[tool]))
    assert plan is not None
    assert plan.callable[0].schema_of_arguments == schema


def calling(*ids: str) -> dict[str, Any]:
    function = {"name": "time", "arguments": "{}"}
    calls = [{"id": id, "type": "function", "function": function} for id in ids]
    return {"role": "assistant", "tool_calls": calls}


def result(id: str) -> dict[str, Any]:
    return {"role": "tool", "content": "x", "tool_call_id": id}


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([USER, calling("1", "2"), result("2"), result("1"), USER], None),
        ([USER, calling("1"), result("1"), calling("1"), result("1")], None),
        ([USER, result("1")], "messages[1].tool_call_id"),
        ([calling("1"), result("2")], "messages[1].tool_call_id"),
        ([calling("1"), result("1"), result("1")], "messages[2].tool_call_id"),
        ([calling("1"), USER, result("1")], "messages[1]"),
        ([calling("1", "2"), result("1")], "messages[1]"),
        ([calling("1")], "messages[0]"),
    ],
)
def test_results_follow_their_calls(messages: list[Any], param: str | None) -> None:
    asked = request(messages=messages).messages
    if param is None:
        check_tool_messages(asked)
        return
    with pytest.raises(InvalidRequestError) as refused:
        check_tool_messages(asked)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, None),
        ({"response_format": {"type": "text"}}, None),
        ({"response_format": {"type": "json_object"}}, JsonObjectForm("response_format")),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "description": "d", "schema": {}, "strict": True},
                }
            },
            JsonForm(
                {}, "response_format.json_schema.schema", strict=True, name="n", description="d"
            ),
        ),
        ({"structured_outputs": {"json": True}}, JsonForm(True, "structured_outputs.json")),
        (
            {"structured_outputs": {"json": '{"a": 1}'}},
            JsonForm({"a": 1}, "structured_outputs.json"),
        ),
        ({"structured_outputs": {"regex": "a"}}, RegexForm("a", "structured_outputs.regex")),
        (
            {"structured_outputs": {"choice": ["a"]}},
            ChoiceForm(("a",), "structured_outputs.choice"),
        ),
        ({"structured_outputs": {"grammar": "g"}}, GrammarForm("g", "structured_outputs.grammar")),
        (
            {"structured_outputs": {"json_object": True}},
            JsonObjectForm("structured_outputs.json_object"),
        ),
    ],
    ids=str,
)
def test_forms(fields: dict[str, Any], form: Any) -> None:
    assert reply_form(request(**fields)) == form


def test_json_is_to_be_mentioned_as_openai_wants_it() -> None:
    parts = [{"type": "text", "text": "as JSON please"}]
    for messages in (
        [{"role": "developer", "content": "Json."}],
        [{"role": "user", "content": parts}],
    ):
        assert reply_form(request(messages=messages, response_format={"type": "json_object"}))
    with pytest.raises(InvalidRequestError, match="'json'") as refused:
        reply_form(
            request(
                messages=[{"role": "user", "content": "hi"}],
                response_format={"type": "json_object"},
            )
        )
    assert refused.value.param == "messages"
