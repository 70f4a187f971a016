"""``response_format`` and ``structured_outputs`` over the local completion's real parts."""

import json
import re

import jsonschema
import pytest
from grammar_engine import CHATML, NotAllowedError, grammar_runtime
from tool_requests import CALL, TIME, WEATHER, called, chat
from tool_templates import QWEN3

from botkit.errors import InvalidRequestError
from botkit_models.engine.job import Finished, Savings
from botkit_models.local.chat import complete_chat, stream_chat

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "integer"},
        "b": {"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 3},
    },
    "required": ["a", "b"],
    "additionalProperties": False,
}
ASKED = [{"role": "user", "content": "Answer in JSON."}]


def schema_format(schema=SCHEMA, **more):
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, **more}}


async def content_of(runtime, **fields):
    (choice,) = (await complete_chat(runtime, chat(**fields))).choices
    return choice.message.content


@pytest.mark.parametrize("strict", [True, False, None])
@pytest.mark.parametrize("seed", range(4))
async def test_a_reply_obeys_its_schema_whatever_is_drawn(strict, seed):
    asked = {"response_format": schema_format(strict=strict), "seed": seed}
    jsonschema.validate(json.loads(await content_of(grammar_runtime(), **asked)), SCHEMA)


@pytest.mark.parametrize("budget", [12, 20, 40, 300])
async def test_a_reply_that_is_closed_in_time_is_flagged(budget):
    long = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    asked = {"response_format": schema_format(long, strict=True), "max_tokens": budget}
    flagged = 0
    for seed in range(6):
        (choice,) = (await complete_chat(grammar_runtime(), chat(**asked, seed=seed))).choices
        flagged += choice.finish_reason == "length"
        jsonschema.validate(json.loads(choice.message.content), long)
    assert flagged or budget == 300


async def test_a_schema_is_told_to_the_model():
    runtime = grammar_runtime(['{"a": 1, "b": []}'])
    await content_of(runtime, response_format=schema_format(description="What was asked for."))
    prompt = runtime.tokenizer.decode(runtime.engine.seen[0].text)
    assert "answer: What was asked for." in prompt
    assert json.dumps(SCHEMA) in prompt


async def test_json_object():
    content = await content_of(
        grammar_runtime(), messages=ASKED, response_format={"type": "json_object"}, max_tokens=60
    )
    assert isinstance(json.loads(content), dict)
    with pytest.raises(NotAllowedError):
        await content_of(
            grammar_runtime(["[]"]), messages=ASKED, response_format={"type": "json_object"}
        )


async def test_text_is_any_text():
    assert await content_of(grammar_runtime(["{ oh"]), response_format={"type": "text"}) == "{ oh"


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"regex": r"[0-9]{3}-[a-f]+"}, r"[0-9]{3}-[a-f]+"),
        ({"choice": ["yes", "no", "per<|im_end|>haps"]}, r"yes|no|per<\|im_end\|>haps"),
        ({"grammar": 'start: "ab" ("c" | "d")'}, r"ab[cd]"),
        ({"json": {"type": "boolean"}}, "true|false"),
        ({"json": '{"type": "boolean"}'}, "true|false"),
    ],
)
async def test_extensions(wanted, fits):
    for seed in range(3):
        content = await content_of(
            grammar_runtime(), structured_outputs=wanted, seed=seed, max_tokens=50
        )
        assert re.fullmatch(fits, content)


async def test_a_form_is_for_the_text_where_tools_may_be_called():
    asked = {"tools": [WEATHER, TIME], "response_format": schema_format(strict=True)}
    (choice,) = (await complete_chat(grammar_runtime([CALL]), chat(**asked))).choices
    assert called(choice) == [("weather", '{"city": "Rome"}')]
    assert await content_of(grammar_runtime(['{"a": 1, "b": []}']), **asked) == '{"a": 1, "b": []}'
    with pytest.raises(NotAllowedError):
        await content_of(grammar_runtime(["Hello"]), **asked)


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("template", [CHATML, QWEN3], ids=["chatml", "qwen3"])
async def test_a_form_may_hold_what_begins_a_call(template, size):
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    said = '{"a": "write <tool_call> first"}'
    (choice,) = (
        await complete_chat(
            grammar_runtime([said], template=template, size=size),
            chat(tools=[WEATHER, TIME], response_format=schema_format(schema, strict=True)),
        )
    ).choices
    assert (choice.message.content, called(choice)) == (said, [])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"response_format": {}}, "response_format.type"),
        ({"response_format": {"type": "text", "x": 1}}, "response_format.x"),
        ({"response_format": {"type": "json_object"}}, "messages"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "response_format.json_schema.name",
        ),
        ({"response_format": schema_format(name="a b")}, "response_format.json_schema.name"),
        (
            {"response_format": schema_format({"type": "nonsense"})},
            "response_format.json_schema.schema",
        ),
        ({"response_format": schema_format([])}, "response_format.json_schema.schema"),
        (
            {"response_format": schema_format({"not": {}}, strict=True)},
            "response_format.json_schema.schema",
        ),
        (
            {"tools": [TIME], "response_format": schema_format({"not": {}}, strict=True)},
            "response_format.json_schema.schema",
        ),
        ({"structured_outputs": {}}, "structured_outputs"),
        ({"structured_outputs": {"regex": "a", "choice": ["b"]}}, "structured_outputs"),
        ({"structured_outputs": {"regex": "("}}, "structured_outputs.regex"),
        ({"structured_outputs": {"regex": ""}}, "structured_outputs.regex"),
        ({"structured_outputs": {"choice": []}}, "structured_outputs.choice"),
        ({"structured_outputs": {"grammar": "nonsense"}}, "structured_outputs.grammar"),
        ({"structured_outputs": {"json": "{"}}, "structured_outputs.json"),
        (
            {"structured_outputs": {"whitespace_pattern": " "}},
            "structured_outputs.whitespace_pattern",
        ),
        (
            {"structured_outputs": {"regex": "a"}, "response_format": schema_format()},
            "structured_outputs",
        ),
        ({"structured_outputs": {"regex": "a"}, "tools": [TIME]}, "structured_outputs"),
        (
            {
                "structured_outputs": {"regex": "a"},
                "continue_final_message": True,
                "messages": [{"role": "assistant", "content": "x"}],
            },
            "continue_final_message",
        ),
    ],
    ids=str,
)
async def test_what_is_wrong_is_refused_by_name(fields, param):
    runtime = grammar_runtime(["no"])
    for answering in (
        complete_chat(runtime, chat(**fields)),
        _first(stream_chat(runtime, chat(**fields))),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            await answering
        assert refused.value.param == param
    assert not runtime.engine.seen


async def _first(chunks):
    return await anext(chunks)


async def test_usage_tells_what_was_cached_and_guessed():
    end = Finished("stop", Savings(cached=7, drafted=5, accepted=3))
    usage = (await complete_chat(grammar_runtime(["Hi there."], end=end), chat(n=2))).usage
    assert usage.prompt_tokens_details.cached_tokens == 7
    details = usage.completion_tokens_details
    assert (details.accepted_prediction_tokens, details.rejected_prediction_tokens) == (6, 4)
    assert details.reasoning_tokens == 0
