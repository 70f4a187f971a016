"""How families of models write tool calls, and what a chat template knows of tools itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class CallSyntax:
    """How a call is written.

    Fields:
        opening: What begins a call; empty where the call's JSON itself does, at the reply's start.
        closing: What ends it.
        key: The name under which the arguments stand.
        several: Whether one reply may hold several calls.
    """

    opening: str
    closing: str
    key: str
    several: bool

    def head_lexemes(self, name: str) -> tuple[str, ...]:
        """What :meth:`body_head` is made of, cut where a JSON lexer cuts."""
        return ("{", '"name"', ": ", json.dumps(name), ", ", f'"{self.key}"', ": ")

    def body_head(self, name: str) -> str:
        """The JSON of a call, up to where its arguments begin."""
        return "".join(self.head_lexemes(name))

    def call(self, name: str, arguments: Any) -> str:
        """A whole call. Arguments that are a text are taken for JSON that could not be read."""
        written = (
            arguments
            if isinstance(arguments, str)
            else json.dumps(arguments, ensure_ascii=False)  # as templates write it
        )
        body = f"{self.body_head(name)}{written}}}"
        return f"{self.opening}\n{body}\n{self.closing}" if self.opening else body


HERMES = CallSyntax("<tool_call>", "</tool_call>", "arguments", several=True)
"""Hermes 2 and later, Qwen 2.5 and 3, SmolLM3
(https://github.com/NousResearch/Hermes-Function-Calling)."""

LLAMA3 = CallSyntax("", "", "parameters", several=False)
"""Llama 3.1 and 3.2, whose templates know one call per reply
(https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1/#json-based-tool-calling)."""

PYTHON_TAG = "<|python_tag|>"
"""What Llama 3 may write before a call."""

_HERMES_CALL = re.compile(r"<tool_call>")
_OTHER_CALL = re.compile(r"<function=|<parameter=|<arg_key>")  # Qwen3-Coder, GLM
_LLAMA3_CALL = re.compile(r"\"parameters\\?\": (?:dictionary|['\"])")


@dataclass(frozen=True)
class TemplateAbilities:
    """What a chat template does by itself.

    Fields:
        source: The template.
        variables: The names that it expects from outside.
    """

    source: str
    variables: frozenset[str]

    @classmethod
    def of(cls, source: str) -> TemplateAbilities:
        """Of a template that compiles."""
        return cls(source, _undeclared(source))

    @cached_property
    def syntax(self) -> CallSyntax:
        """How calls are written: as the template says, or as Hermes does where it is silent."""
        return self._own_syntax or HERMES

    @property
    def tool_variable(self) -> str | None:
        """The variable in which the template takes declarations; None where botkit writes them,
        for the template has no place for them or asks for calls in a form unknown here."""
        if self._own_syntax is None:
            return None
        return next((name for name in ("tools", "xml_tools") if name in self.variables), None)

    @property
    def writes_calls(self) -> bool:
        """Whether the template writes the calls in an assistant's message."""
        return self._own_syntax is not None and "tool_calls" in self.source

    @property
    def writes_results(self) -> bool:
        """Whether the template has a form for messages of role ``tool``."""
        return (
            self._own_syntax is not None and re.search(r"['\"]tool['\"]", self.source) is not None
        )

    @property
    def thinks(self) -> bool:
        """Whether replies may begin with ``<think>``."""
        return "<think>" in self.source

    @cached_property
    def _own_syntax(self) -> CallSyntax | None:
        if _OTHER_CALL.search(self.source):
            return None
        if _HERMES_CALL.search(self.source):
            return HERMES
        return LLAMA3 if _LLAMA3_CALL.search(self.source) else None


def _undeclared(source: str) -> frozenset[str]:
    from jinja2 import meta

    from botkit_models.template_sandbox import ChatEnvironment

    return frozenset(meta.find_undeclared_variables(ChatEnvironment(datetime.now).parse(source)))


def declaration(tool: Mapping[str, Any]) -> str:
    """A tool as a line of a prompt."""
    return json.dumps(tool, ensure_ascii=False)
