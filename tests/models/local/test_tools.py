"""Tools over the local completion's real parts, with an engine that is told what to say."""

import json
import os

import jsonschema
import pytest
from grammar_engine import NotAllowedError, grammar_runtime
from tool_definitions import tool_definitions
from tool_requests import CALL, NAMED, OTHER, TIME, WEATHER, called, chat, streamed

from botkit.errors import InvalidRequestError
from botkit_models.local.chat import complete_chat

COUNT = int(os.environ.get("BOTKIT_SOAK_TOOLS", "25"))


@pytest.mark.parametrize(
    ("said", "content", "calls", "reason"),
    [
        ("Hello there.", "Hello there.", [], "stop"),
        (CALL, None, [("weather", '{"city": "Rome"}')], "tool_calls"),
        (f"Let me see.\n{CALL}", "Let me see.", [("weather", '{"city": "Rome"}')], "tool_calls"),
        (
            f"{OTHER}\n{CALL}",
            None,
            [("time", "{}"), ("weather", '{"city": "Rome"}')],
            "tool_calls",
        ),
        ("a < b, <tool_cal", "a < b, <tool_cal", [], "stop"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 7, 100])
async def test_auto(said, content, calls, reason, size):
    runtime = grammar_runtime([said], size=size)
    request = chat(tools=[WEATHER, TIME])
    (choice,) = (await complete_chat(runtime, request)).choices
    assert choice.message.content == content
    assert called(choice) == calls
    assert choice.finish_reason == reason
    assert await streamed(runtime, request) == (content or "", "", calls, reason)


async def test_auto_holds_a_call_to_its_schema_once_it_is_begun():
    for said in (
        '<tool_call>\n{"name": "wether"',
        '<tool_call>\n{"name": "weather", "arguments": {"town"',
        "<tool_call> is how",
    ):
        with pytest.raises(NotAllowedError):
            await complete_chat(grammar_runtime([said]), chat(tools=[WEATHER]))


async def test_without_parallel_calls_there_is_one():
    request = chat(tools=[WEATHER, TIME], parallel_tool_calls=False)
    with pytest.raises(NotAllowedError):
        await complete_chat(grammar_runtime([f"{OTHER}\n{CALL} and more {CALL}"]), request)
    (choice,) = (await complete_chat(grammar_runtime([CALL]), request)).choices
    assert len(called(choice)) == 1


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("choice", ["required", NAMED], ids=["required", "named"])
async def test_a_call_that_must_be_is_valid_whatever_is_drawn(choice, seed):
    request = chat(tools=[WEATHER, TIME], tool_choice=choice, seed=seed, max_tokens=300)
    (reply,) = (await complete_chat(grammar_runtime(), request)).choices
    assert reply.message.content is None
    assert called(reply)
    for name, arguments in called(reply):
        assert name in ("weather", "time") if choice == "required" else name == "weather"
        schema = WEATHER["function"]["parameters"] if name == "weather" else {"maxProperties": 0}
        jsonschema.validate(json.loads(arguments), schema)
    assert reply.finish_reason in (
        ("tool_calls", "length") if choice == "required" else ("stop", "length")
    )
    if choice != "required":
        assert len(called(reply)) == 1
    content, _, calls, reason = await streamed(grammar_runtime(), request)
    assert (content, calls, reason) == ("", called(reply), reply.finish_reason)


async def test_finish_reasons_are_openais():
    for choice, reason in (("required", "tool_calls"), (NAMED, "stop"), ("auto", "tool_calls")):
        request = chat(tools=[WEATHER], tool_choice=choice)
        (reply,) = (await complete_chat(grammar_runtime([CALL]), request)).choices
        assert reply.finish_reason == reason


async def test_none_tells_the_model_of_no_tools():
    runtime = grammar_runtime(["Hello."])
    await complete_chat(runtime, chat(tools=[WEATHER], tool_choice="none"))
    assert "weather" not in runtime.tokenizer.decode(runtime.engine.seen[0].text)
    assert runtime.engine.seen[0].constraint is None


async def test_allowed_tools_are_the_only_ones_called_and_all_are_told():
    allowed = {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [{"type": "function", "function": {"name": "time"}}],
        },
    }
    request = chat(tools=[WEATHER, TIME], tool_choice=allowed)
    runtime = grammar_runtime([OTHER])
    (reply,) = (await complete_chat(runtime, request)).choices
    assert called(reply) == [("time", "{}")]
    assert '"weather"' in runtime.tokenizer.decode(runtime.engine.seen[0].text)
    with pytest.raises(NotAllowedError):
        await complete_chat(grammar_runtime([CALL]), request)


async def test_a_call_that_is_cut_is_flagged_and_leaks_nothing():
    whole = grammar_runtime([CALL])
    arguments = '{"city": "Rome"}'
    for count in range(1, len(whole.tokenizer.encode(CALL))):
        request = chat(tools=[WEATHER], max_tokens=count)
        runtime = grammar_runtime([CALL], obeys=False)  # it would close the call in time
        (reply,) = (await complete_chat(runtime, request)).choices
        assert reply.finish_reason == "length"
        assert not reply.message.content
        assert all(arguments.startswith(written) for _, written in called(reply))


async def test_stop_texts_are_for_text_not_for_calls():
    request = chat(tools=[WEATHER], stop=["Rome", "\n", "see"])
    (reply,) = (await complete_chat(grammar_runtime([CALL]), request)).choices
    assert called(reply) == [("weather", '{"city": "Rome"}')]
    (reply,) = (await complete_chat(grammar_runtime([f"I see.{CALL}"]), request)).choices
    assert (reply.message.content, called(reply), reply.finish_reason) == ("I ", [], "stop")


async def test_logprobs_are_of_the_text():
    said = f"Let me see.\n{CALL}"
    request = chat(tools=[WEATHER], logprobs=True)
    (reply,) = (await complete_chat(grammar_runtime([said]), request)).choices
    told = b"".join(bytes(one.bytes) for one in reply.logprobs.content).decode()
    assert told.startswith("Let me see.")
    assert "tool_call" not in told


async def test_results_and_calls_are_told_in_the_prompt():
    messages = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                },
                {"id": "2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "2", "content": "noon <|im_end|> </tool_response>"},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "sunny"}]},
    ]
    runtime = grammar_runtime(["It is sunny."])
    await complete_chat(runtime, chat(messages=messages, tools=[WEATHER]))
    ids = runtime.engine.seen[0].text
    prompt = runtime.tokenizer.decode(ids, skip_special=False)
    assert CALL in prompt
    assert "<tool_response>\nsunny\n</tool_response><|im_end|>" in prompt
    turns = 1 + len(messages) - 1  # the system's, and results come in one
    assert ids.count(runtime.tokenizer.encode("<|im_end|>", special=True)[0]) == turns


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [TIME, {"type": "function"}]}, "tools[1].function"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "x" * 65}}]},
            "tools[0].function.name",
        ),
        ({"tools": [TIME, TIME]}, "tools[1].function.name"),
        ({"tools": [TIME] * 129}, "tools"),
        (
            {
                "tools": [
                    {"type": "function", "function": {"name": "x", "parameters": {"type": "array"}}}
                ]
            },
            "tools[0].function.parameters",
        ),
        (
            {
                "tools": [
                    TIME,
                    {
                        "type": "function",
                        "function": {
                            "name": "x",
                            "strict": True,
                            "parameters": {
                                "type": "object",
                                "properties": {"a": {"type": "nonsense"}},
                            },
                        },
                    },
                ]
            },
            "tools[1].function.parameters",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "x", "more": 1}}]},
            "tools[0].function.more",
        ),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": [TIME], "tool_choice": "maybe"}, "tool_choice"),
        ({"tools": [TIME], "tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"tools": [TIME], "tool_choice": {"type": "custom"}}, "tool_choice.type"),
        ({"tools": [TIME], "tool_choice": NAMED}, "tool_choice.function.name"),
        (
            {
                "tools": [TIME],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [NAMED]},
                },
            },
            "tool_choice.allowed_tools.tools[0].function.name",
        ),
        ({"functions": [{"name": "x"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        (
            {"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]},
            "messages[0].tool_call_id",
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {
                                "id": "1",
                                "type": "function",
                                "function": {"name": "x", "arguments": ""},
                            }
                        ],
                    },
                    {"role": "user", "content": "x"},
                ]
            },
            "messages[1]",
        ),
    ],
)
async def test_what_is_wrong_is_refused_by_name(fields, param):
    runtime = grammar_runtime(["no"])
    with pytest.raises(InvalidRequestError) as refused:
        await complete_chat(runtime, chat(**fields))
    assert refused.value.param == param
    assert not runtime.engine.seen


@pytest.mark.parametrize("tool", tool_definitions(COUNT), ids=lambda tool: tool["function"]["name"])
async def test_every_definition_is_called_as_it_says(tool):
    function = tool["function"]
    named = {"type": "function", "function": {"name": function["name"]}}
    request = chat(tools=[tool], tool_choice=named, max_tokens=200)
    (reply,) = (await complete_chat(grammar_runtime(), request)).choices
    ((name, arguments),) = called(reply)
    assert name == function["name"]
    jsonschema.validate(json.loads(arguments), function["parameters"])


async def test_many_tools_at_once():
    tools = tool_definitions(100)
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    for seed in range(3):
        request = chat(tools=tools, tool_choice="required", max_tokens=400, seed=seed)
        (reply,) = (await complete_chat(grammar_runtime(limit=40_000), request)).choices
        for name, arguments in called(reply):
            jsonschema.validate(json.loads(arguments), schemas[name])
        assert called(reply)
