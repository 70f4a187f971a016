"""What a prompt says of tools: declarations, earlier calls and their results.

Where the model's template knows how, it does it all itself. Where it does not, the messages are
rewritten so that any template can show them: declarations end the system message, calls stand in
the assistant's text, and results come in a user's message, all as Hermes models were taught.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botkit.completion.formats import JsonForm
from botkit_models.tools.syntax import CallSyntax, TemplateAbilities, declaration

PlainMessage = dict[str, Any]

_DECLARED = """\
# Tools

You may call one or more functions to answer. Their signatures are within <tools></tools>:
<tools>
{tools}
</tools>

To call a function, write a JSON object with its name and arguments within {opening}{closing}:
{example}"""


def with_tools(
    messages: Sequence[PlainMessage], tools: Sequence[Mapping[str, Any]], knows: TemplateAbilities
) -> list[PlainMessage]:
    """The messages as the template can show them, with ``tools`` told of where it cannot."""
    shown = list(messages)
    if not knows.writes_calls:
        shown = [_with_calls_as_text(message, knows.syntax) for message in shown]
    if not knows.writes_results:
        shown = _with_results_from_user(shown)
    if tools and knows.tool_variable is None:
        shown = _with_declarations(shown, tools, knows.syntax)
    return shown


def _with_calls_as_text(message: PlainMessage, syntax: CallSyntax) -> PlainMessage:
    calls = message.get("tool_calls")
    if not calls:
        return message
    parts = [message["content"]] if message["content"] else []
    for call in calls:
        function = call["function"]
        parts.append(syntax.call(function["name"], function["arguments"]))
    rest = {key: value for key, value in message.items() if key != "tool_calls"}
    return {**rest, "content": "\n".join(parts)}


def _with_results_from_user(messages: Sequence[PlainMessage]) -> list[PlainMessage]:
    """Results that follow one another come as one message, for turns alternate."""
    shown: list[PlainMessage] = []
    answering = False
    for message in messages:
        if message["role"] != "tool":
            answering = False
            shown.append(message)
            continue
        text = f"<tool_response>\n{message['content']}\n</tool_response>"
        if answering:
            shown[-1] = {"role": "user", "content": f"{shown[-1]['content']}\n{text}"}
        else:
            shown.append({"role": "user", "content": text})
        answering = True
    return shown


def _with_declarations(
    messages: Sequence[PlainMessage], tools: Sequence[Mapping[str, Any]], syntax: CallSyntax
) -> list[PlainMessage]:
    section = _DECLARED.format(
        tools="\n".join(map(declaration, tools)),
        opening=syntax.opening,
        closing=syntax.closing,
        example=f'{syntax.opening}\n{{"name": <name>, "arguments": <arguments>}}\n{syntax.closing}',
    )
    return _with_section(messages, section)


def with_schema(messages: Sequence[PlainMessage], form: JsonForm) -> list[PlainMessage]:
    """The messages, with the schema that the reply is to obey in the system's."""
    named = form.name if form.description is None else f"{form.name}: {form.description}"
    schema = json.dumps(form.schema, ensure_ascii=False)
    return _with_section(
        messages,
        f"# Response format\n\nAnswer with JSON that obeys this schema.\n{named}\n{schema}",
    )


def _with_section(messages: Sequence[PlainMessage], section: str) -> list[PlainMessage]:
    """The section, at the end of the system's message."""
    first = messages[0] if messages else None
    if first is not None and first["role"] == "system":
        content = f"{first['content']}\n\n{section}" if first["content"] else section
        return [{**first, "content": content}, *messages[1:]]
    return [{"role": "system", "content": section}, *messages]
