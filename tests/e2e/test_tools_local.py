"""Tools and forms of replies through the ``openai`` SDK, written by the real default model."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any, Literal

import jsonschema
import openai
import pytest
from local_model import MODEL, LocalServer
from openai_contract import check
from pydantic import BaseModel, Field
from tool_definitions import tool_definitions

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 20},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
CLOCK: Any = {
    "type": "function",
    "function": {"name": "get_time", "description": "What time it is."},
}
SCHEMAS = {
    "get_weather": WEATHER["function"]["parameters"],
    "get_time": {"type": "object", "maxProperties": 0},
}
QUESTION: Any = [{"role": "user", "content": "What is the weather in Rome, in celsius?"}]
NAMED: Any = {"type": "function", "function": {"name": "get_weather"}}
TIME_ONLY: Any = {
    "type": "allowed_tools",
    "allowed_tools": {
        "mode": "required",
        "tools": [{"type": "function", "function": {"name": "get_time"}}],
    },
}
COUNT = int(os.environ.get("BOTKIT_SOAK_TOOLS", "25"))


@pytest.fixture(scope="module")
def client(local_server: LocalServer) -> Iterator[openai.OpenAI]:
    url = f"{local_server.url}/v1"
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=240) as client:
        yield client


def asked(**fields: Any) -> dict[str, Any]:
    given = {"model": MODEL, "messages": QUESTION, "tools": [WEATHER, CLOCK], "seed": 3}
    return {**given, "max_tokens": 120, **fields}


def valid_calls(message: Any) -> list[str]:
    """Names of the calls, whose arguments are valid."""
    for call in message.tool_calls or ():
        jsonschema.validate(json.loads(call.function.arguments), SCHEMAS[call.function.name])
    return [call.function.name for call in message.tool_calls or ()]


@pytest.mark.parametrize("temperature", [0, 1])
@pytest.mark.parametrize(
    ("tool_choice", "names", "reason"),
    [
        ("required", {"get_weather", "get_time"}, "tool_calls"),
        (NAMED, {"get_weather"}, "stop"),
        (TIME_ONLY, {"get_time"}, "tool_calls"),
    ],
    ids=["required", "named", "allowed"],
)
def test_a_call_that_must_be(
    client: openai.OpenAI, tool_choice: Any, names: set[str], reason: str, temperature: int
) -> None:
    fields = asked(tool_choice=tool_choice, temperature=temperature, parallel_tool_calls=False)
    reply = client.chat.completions.create(**fields)
    check("CreateChatCompletionResponse", json.loads(reply.to_json()))
    choice = reply.choices[0]
    (name,) = valid_calls(choice.message)
    assert name in names
    assert choice.message.content is None
    assert choice.finish_reason == reason


def test_several_calls(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(**asked(tool_choice="required", max_tokens=100))
    assert valid_calls(reply.choices[0].message)
    assert reply.choices[0].finish_reason in ("tool_calls", "length")


def test_auto_and_none(client: openai.OpenAI) -> None:
    for choice in ("auto", "none"):
        message = client.chat.completions.create(**asked(tool_choice=choice)).choices[0].message
        assert valid_calls(message) or message.content
        assert "<tool_call>" not in (message.content or "")
        assert choice == "auto" or not message.tool_calls


def test_a_stream_of_a_call_is_the_call(client: openai.OpenAI) -> None:
    fields = asked(tool_choice=NAMED, temperature=0)
    whole = client.chat.completions.create(**fields).choices[0].message.tool_calls[0]
    chunks = list(client.chat.completions.create(**fields, stream=True))
    for chunk in chunks:
        check("CreateChatCompletionStreamResponse", json.loads(chunk.to_json()))
    parts = [part for chunk in chunks for part in chunk.choices[0].delta.tool_calls or ()]
    assert {part.index for part in parts} == {0}
    assert [part.id for part in parts if part.id] == [parts[0].id]
    assert [part.function.name for part in parts if part.function.name] == ["get_weather"]
    assert "".join(part.function.arguments for part in parts) == whole.function.arguments
    assert len(parts) > 2
    assert not any(chunk.choices[0].delta.content for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_sdk_gathers_a_streamed_call(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        **asked(tool_choice="required", parallel_tool_calls=False)
    ) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_completion().choices[0].message
    assert "tool_calls.function.arguments.delta" in kinds
    assert kinds.count("tool_calls.function.arguments.done") == len(valid_calls(message)) == 1


def test_a_result_is_answered(client: openai.OpenAI) -> None:
    first = (
        client.chat.completions.create(**asked(tool_choice=NAMED, temperature=0)).choices[0].message
    )
    result = {
        "role": "tool",
        "tool_call_id": first.tool_calls[0].id,
        "content": "31 degrees, sunny",
    }
    messages = [*QUESTION, first.to_dict(), result]
    reply = client.chat.completions.create(
        **asked(messages=messages, tool_choice="none", temperature=0, max_tokens=40)
    )
    assert reply.choices[0].message.content
    assert "31" in reply.choices[0].message.content


class Answer(BaseModel):
    city: str = Field(max_length=20)
    unit: Literal["celsius", "fahrenheit"]
    degrees: int


def test_a_form_is_parsed_by_the_sdk(client: openai.OpenAI) -> None:
    for temperature in (0, 1):
        reply = client.chat.completions.parse(
            model=MODEL,
            messages=QUESTION,
            response_format=Answer,
            temperature=temperature,
            seed=1,
            max_tokens=100,
        )
        assert isinstance(reply.choices[0].message.parsed, Answer)


def test_json_object(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Describe Rome as JSON."}],
        response_format={"type": "json_object"},
        max_tokens=60,
        seed=2,
    )
    assert isinstance(json.loads(reply.choices[0].message.content or ""), dict)
    assert reply.choices[0].finish_reason in ("stop", "length")


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"choice": ["positive", "negative"]}, "positive|negative"),
        ({"regex": r"[A-Z][a-z]{2,8}, [0-9]{4}"}, r"[A-Z][a-z]{2,8}, [0-9]{4}"),
    ],
)
def test_extensions(client: openai.OpenAI, wanted: dict[str, Any], fits: str) -> None:
    reply = client.chat.completions.create(
        model=MODEL, messages=QUESTION, extra_body={"structured_outputs": wanted}, max_tokens=40
    )
    assert re.fullmatch(fits, reply.choices[0].message.content or "")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [CLOCK, CLOCK]}, "tools[1].function.name"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice.function.name",
        ),
        ({"functions": [{"name": "x"}], "tools": openai.omit}, "functions"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    client: openai.OpenAI, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**asked(**fields))
    assert caught.value.param == param


@pytest.mark.parametrize("tool", tool_definitions(COUNT), ids=lambda tool: tool["function"]["name"])
def test_every_definition_is_called_as_it_says(client: openai.OpenAI, tool: Any) -> None:
    function = tool["function"]
    reply = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": f"Please use {function['name']}."}],
        tools=[tool],
        tool_choice={"type": "function", "function": {"name": function["name"]}},
        temperature=1,
        seed=5,
    )
    (call,) = reply.choices[0].message.tool_calls or ()
    assert call.function.name == function["name"]
    jsonschema.validate(json.loads(call.function.arguments), function["parameters"])
