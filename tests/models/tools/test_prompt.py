"""What prompts say of tools, with templates of several families."""

import re

import pytest
from grammar_engine import CHATML
from tool_templates import CODER, EFFORT, LLAMA3, QWEN3, R1, SMOLLM3

from botkit_models.tools.prompt import with_tools
from botkit_models.tools.syntax import HERMES, TemplateAbilities
from botkit_models.tools.syntax import LLAMA3 as LLAMA3_CALLS

TOOL = {"type": "function", "function": {"name": "weather", "description": "Où?"}}
CALLS = [
    {"id": "1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Köln"}}},
    {"id": "2", "type": "function", "function": {"name": "time", "arguments": "{broken"}},
]
CHAT = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "Well.", "tool_calls": CALLS},
    {"role": "tool", "content": "sunny", "tool_call_id": "1"},
    {"role": "tool", "content": "noon", "tool_call_id": "2"},
    {"role": "user", "content": "thanks"},
]


@pytest.mark.parametrize(
    ("template", "syntax", "variable", "calls", "results", "thinks"),
    [
        (CHATML, HERMES, None, False, False, False),
        (QWEN3, HERMES, "tools", True, True, True),
        (SMOLLM3, HERMES, "xml_tools", False, False, True),
        (LLAMA3, LLAMA3_CALLS, "tools", True, True, False),
        (R1, HERMES, None, False, False, True),
        (EFFORT, HERMES, None, False, False, False),
        (CODER, HERMES, None, False, False, False),  # its own form of calls is unknown here
    ],
    ids=["chatml", "qwen3", "smollm3", "llama3", "r1", "effort", "coder"],
)
def test_what_templates_can_do(template, syntax, variable, calls, results, thinks):
    knows = TemplateAbilities.of(template)
    assert knows.syntax == syntax
    assert knows.tool_variable == variable
    assert (knows.writes_calls, knows.writes_results) == (calls, results)
    assert knows.thinks == thinks


def test_a_template_that_knows_nothing_of_tools_gets_messages_it_can_show():
    shown = with_tools(CHAT, [TOOL], TemplateAbilities.of(CHATML))
    assert [message["role"] for message in shown] == ["system", "user", "assistant", "user", "user"]
    assert (
        '{"type": "function", "function": {"name": "weather", "description": "Où?"}}'
        in (shown[0]["content"])
    )
    assert shown[2]["content"] == (
        'Well.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>\n'
        '<tool_call>\n{"name": "time", "arguments": {broken}\n</tool_call>'
    )
    assert "tool_calls" not in shown[2]
    assert shown[3]["content"] == (
        "<tool_response>\nsunny\n</tool_response>\n<tool_response>\nnoon\n</tool_response>"
    )
    assert CHAT[1]["tool_calls"] == CALLS  # what was given is as it was


def test_declarations_end_the_systems_own_message():
    system = {"role": "system", "content": "Be brief."}
    shown = with_tools([system, *CHAT], [TOOL], TemplateAbilities.of(CHATML))
    assert re.fullmatch(r"(?s)Be brief\.\n\n# Tools\n.*weather.*", shown[0]["content"])
    assert [message["role"] for message in shown].count("system") == 1


def test_without_tools_no_section_is_written():
    shown = with_tools([{"role": "user", "content": "hi"}], [], TemplateAbilities.of(CHATML))
    assert shown == [{"role": "user", "content": "hi"}]


def test_a_template_that_knows_tools_gets_messages_as_they_are():
    assert with_tools(CHAT, [TOOL], TemplateAbilities.of(QWEN3)) == CHAT
