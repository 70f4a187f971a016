"""Tools and thoughts with templates of several families, and what requests say of thinking."""

import json

import pytest
from grammar_engine import CHATML, NotAllowedError, grammar_runtime
from tool_requests import CALL, NAMED, TIME, WEATHER, called, chat, streamed
from tool_templates import CODER, EFFORT, LLAMA3, QWEN3, R1, SMOLLM3

from botkit.errors import InvalidRequestError, UnsupportedParameterError
from botkit_models.local.chat import complete_chat

LLAMA_CALL = '{"name": "weather", "parameters": {"city": "Rome"}}'
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "boolean"}},
    "required": ["a"],
    "additionalProperties": False,
}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


async def reply_to(runtime, **fields):
    (choice,) = (await complete_chat(runtime, chat(**fields))).choices
    content, thought, calls, reason = await streamed(runtime, chat(**fields))
    assert content == (choice.message.content or "")
    assert thought == (choice.message.reasoning_content or "")
    assert (calls, reason) == (called(choice), choice.finish_reason)
    return choice


def prompt_of(runtime):
    return runtime.tokenizer.decode(runtime.engine.seen[-1].text, skip_special=False)


@pytest.mark.parametrize("template", [CHATML, QWEN3, SMOLLM3, LLAMA3, CODER, R1])
@pytest.mark.parametrize(
    "tool_choice", ["auto", "required", NAMED], ids=["auto", "required", "named"]
)
async def test_every_family_is_told_of_tools_and_calls_them(template, tool_choice):
    thought = "</think>\n\n" if template is R1 else ""
    runtime = grammar_runtime(
        [thought + (LLAMA_CALL if template is LLAMA3 else CALL)], template=template
    )
    choice = await reply_to(runtime, tools=[WEATHER, TIME], tool_choice=tool_choice)
    assert called(choice) == [("weather", '{"city": "Rome"}')]
    assert "The weather somewhere." in prompt_of(runtime)
    assert prompt_of(runtime).endswith("<think>\n" if template is R1 else "<|im_start|>assistant\n")


@pytest.mark.parametrize("template", [QWEN3, SMOLLM3, LLAMA3])
@pytest.mark.parametrize("seed", range(4))
async def test_what_must_be_called_is_whatever_is_drawn(template, seed):
    fields = {"tools": [WEATHER, TIME], "tool_choice": "required", "seed": seed}
    choice = await reply_to(
        grammar_runtime(template=template),
        reasoning_effort="none" if template != LLAMA3 else None,
        **fields,
    )
    assert called(choice)
    assert choice.message.content is None
    if template is LLAMA3:
        assert len(called(choice)) == 1
    for name, arguments in called(choice):
        assert set(json.loads(arguments)) == ({"city"} if name == "weather" else set())


async def test_a_text_that_begins_with_a_brace_is_a_call_to_llama():
    fields = {"tools": [WEATHER], "template": LLAMA3}
    with pytest.raises(NotAllowedError):
        await reply_to(grammar_runtime(['{"a": 1}'], template=LLAMA3), tools=[WEATHER])
    choice = await reply_to(
        grammar_runtime(["So {it} goes"], template=LLAMA3), tools=fields["tools"]
    )
    assert (choice.message.content, choice.finish_reason) == ("So {it} goes", "stop")


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
STRICT = {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON, "strict": True}}
OBJECT = {"type": "json_object"}


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize(
    ("form", "said", "calls"),
    [
        (STRICT, '{"name": "Bob", "age": 3}', []),
        (STRICT, '{"name": "weather", "age": 3}', []),
        (STRICT, LLAMA_CALL, [("weather", '{"city": "Rome"}')]),
        (STRICT, '{"name": "time", "parameters": {}}', [("time", "{}")]),
        (OBJECT, '{"name": "Bob", "age": 3}', []),
        (OBJECT, '{"name": "weather"}', []),
        (OBJECT, '{"a": {"name": "weather", "parameters": {}}}', []),
        (OBJECT, LLAMA_CALL, [("weather", '{"city": "Rome"}')]),
    ],
)
async def test_llama_may_write_a_form_or_a_call(form, said, calls, size):
    choice = await reply_to(
        grammar_runtime([said], template=LLAMA3, size=size),
        messages=[{"role": "user", "content": "Answer in JSON."}],
        tools=[WEATHER, TIME],
        response_format=form,
    )
    assert (choice.message.content, called(choice)) == (None if calls else said, calls)
    assert choice.finish_reason == ("tool_calls" if calls else "stop")


async def test_llama_writes_nothing_between_a_form_and_a_call():
    for said in ('{"name": "weather", "parameters": {"town"', '{"name": "Bob", "parameters"'):
        with pytest.raises(NotAllowedError):
            await reply_to(
                grammar_runtime([said], template=LLAMA3), tools=[WEATHER], response_format=STRICT
            )


async def test_results_reach_a_template_that_has_a_form_for_them():
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
    }
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [call], "reasoning_content": "I must look."},
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
    ]
    runtime = grammar_runtime(["Sunny."], template=QWEN3)
    await reply_to(runtime, messages=messages, tools=[WEATHER])
    assert "<think>\nI must look.\n</think>" in prompt_of(runtime)
    assert '{"name": "weather", "arguments": {"city": "Rome"}}' in prompt_of(runtime)
    assert "<tool_response>\nsunny\n</tool_response>" in prompt_of(runtime)
    runtime = grammar_runtime(["Sunny."], template=LLAMA3)
    await reply_to(runtime, messages=messages, tools=[WEATHER])
    assert '<|im_start|>ipython\n"sunny"<|im_end|>' in prompt_of(runtime)
    second = {**call, "id": "2"}
    messages[1]["tool_calls"] = [call, second]
    messages.append({"role": "tool", "tool_call_id": "2", "content": "x"})
    with pytest.raises(InvalidRequestError, match="one call at a time"):
        await reply_to(runtime, messages=messages, tools=[WEATHER])


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize(
    ("template", "said", "thought", "content"),
    [
        (QWEN3, "<think>\nHm, {x}.\n</think>\n\nYes.", "Hm, {x}.", "Yes."),
        (QWEN3, "<think>\n\n</think>\n\nYes.", "", "Yes."),
        (QWEN3, "Yes <think>.", "", "Yes <think>."),
        (R1, "Hm.\n</think>\n\nYes.", "Hm.", "Yes."),
        (CHATML, "<think>Hm.</think>Yes.", "", "<think>Hm.</think>Yes."),
    ],
)
async def test_thoughts_are_told_apart(template, said, thought, content, size):
    choice = await reply_to(grammar_runtime([said], template=template, size=size))
    assert choice.message.content == content
    assert (choice.message.reasoning_content or "") == thought
    assert ("reasoning_content" in json.loads(choice.message.to_json())) == bool(thought)


async def test_thoughts_are_counted_and_bring_no_logprobs():
    runtime = grammar_runtime(["<think>\nHm, let me see.\n</think>\n\nYes."], template=QWEN3)
    reply = await complete_chat(runtime, chat(logprobs=True))
    told = b"".join(bytes(one.bytes) for one in reply.choices[0].logprobs.content).decode()
    assert told.strip() == "Yes."
    details = reply.usage.completion_tokens_details
    assert 5 <= details.reasoning_tokens < reply.usage.completion_tokens - 2


async def test_stop_texts_are_not_looked_for_in_thoughts():
    runtime = grammar_runtime(["<think>Hm, no.</think>Yes, no."], template=QWEN3)
    choice = await reply_to(runtime, stop=["no"])
    assert (choice.message.content, choice.message.reasoning_content) == ("Yes, ", "Hm, no.")


@pytest.mark.parametrize(
    ("template", "effort", "end"),
    [
        (QWEN3, None, "assistant\n"),
        (QWEN3, "none", "assistant\n<think>\n\n</think>\n\n"),
        (SMOLLM3, "none", "assistant\n<think>\n\n</think>\n"),
        (R1, None, "<think>\n"),
        (R1, "none", "<think>\n\n</think>\n\n"),
        (CHATML, "none", "assistant\n"),
        (EFFORT, "high", "assistant\n"),
    ],
)
async def test_effort(template, effort, end):
    runtime = grammar_runtime(["Yes."], template=template)
    choice = await reply_to(runtime, reasoning_effort=effort)
    assert prompt_of(runtime).endswith(end)
    if effort == "none":
        assert (choice.message.content, choice.message.reasoning_content) == ("Yes.", None)
    assert ("Reasoning: high" in prompt_of(runtime)) == (template is EFFORT)


@pytest.mark.parametrize("effort", ["low", "medium", "high", "enormous"])
@pytest.mark.parametrize("template", [CHATML, QWEN3, R1])
async def test_degrees_of_thinking_that_a_model_does_not_have_are_refused(template, effort):
    runtime = grammar_runtime(["Yes."], template=template)
    with pytest.raises(InvalidRequestError) as refused:
        await complete_chat(runtime, chat(reasoning_effort=effort))
    assert refused.value.param == "reasoning_effort"
    assert isinstance(refused.value, UnsupportedParameterError) == (effort != "enormous")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (QWEN3, '<think>\nAny text "{ here.\n</think>\n\n{"a": true}'),
        (QWEN3, '{"a": true}'),
        (R1, 'Any text "{ here.</think>\n{"a": true}'),
    ],
)
async def test_a_form_holds_after_the_thought(template, said):
    choice = await reply_to(grammar_runtime([said], template=template), response_format=FORM)
    assert choice.message.content == '{"a": true}'
    with pytest.raises(NotAllowedError):
        await reply_to(grammar_runtime([said + "."], template=template), response_format=FORM)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [({"choice": ["y", "\n\nx"]}, "\n\nx"), ({"grammar": 'start: "x"'}, "x")],
    ids=["choice", "grammar"],
)
async def test_a_form_that_cannot_be_told_from_a_thoughts_end_needs_there_to_be_none(wanted, said):
    ((kind, _),) = wanted.items()
    for template in (QWEN3, R1):
        with pytest.raises(UnsupportedParameterError, match="'reasoning_effort' to be") as refused:
            await reply_to(grammar_runtime([said], template=template), structured_outputs=wanted)
        assert refused.value.param == f"structured_outputs.{kind}"
        choice = await reply_to(
            grammar_runtime([said], template=template),
            structured_outputs=wanted,
            reasoning_effort="none",
        )
        assert choice.message.content == said


async def test_a_choice_is_made_after_the_thought():
    for said in ("</think>x", "Hm.</think>\n\nx y"):
        choice = await reply_to(
            grammar_runtime([said], template=R1), structured_outputs={"choice": ["x", "x y"]}
        )
        assert choice.message.content == said.split("</think>")[1].lstrip()


@pytest.mark.parametrize("tool_choice", ["auto", "required"])
async def test_calls_come_after_the_thought(tool_choice):
    runtime = grammar_runtime(
        [f"<think>\nI must <tool_call> it.\n</think>\n\n{CALL}"], template=QWEN3
    )
    choice = await reply_to(runtime, tools=[WEATHER], tool_choice=tool_choice)
    assert choice.message.reasoning_content == "I must <tool_call> it."
    assert called(choice) == [("weather", '{"city": "Rome"}')]
