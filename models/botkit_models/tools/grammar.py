"""What a reply may be, as a grammar's tree: text, calls, a form, and thoughts before them.

A call's arguments obey its function's schema whenever a call is written at all: that holds for
``tool_choice`` ``auto``, too, from a call's first marker on.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal as Either

from botkit.completion.formats import (
    ChoiceForm,
    GrammarForm,
    JsonForm,
    JsonObjectForm,
    RegexForm,
    ReplyForm,
)
from botkit.completion.tools import FunctionDeclaration, ToolPlan
from botkit_models.structured import (
    JSON_OBJECT,
    Choice,
    FreeText,
    JsonSchema,
    LarkGrammar,
    Literal,
    Part,
    Regex,
    Repeat,
    Sequence,
    SpecialToken,
    TextUntil,
)
from botkit_models.tools.closed_schema import closed
from botkit_models.tools.syntax import PYTHON_TAG, CallSyntax
from botkit_models.tools.thoughts import CLOSING, OPENING

Thinking = Either["none", "may", "begun"]
"""Whether a reply begins with a thought: not, perhaps, or amid one that the prompt began."""

MAX_CALLS = 16
"""In one reply."""

_SPACES = Regex(r"[ \n]{0,4}")
_TEXT_BUT_NO_CALL = Regex(r"(?s:\s*([^\s{].*)?)")
"""Where calls have no marker: what begins with a brace is one."""


def arguments_part(function: FunctionDeclaration) -> JsonSchema:
    """The arguments of a call."""
    return JsonSchema(closed(function.schema_of_arguments), strict=bool(function.strict))


def form_part(form: ReplyForm) -> Part:
    """A reply of a form."""
    match form:
        case JsonObjectForm():
            return JSON_OBJECT
        case JsonForm(schema, _, strict, name):
            if name is None or isinstance(schema, bool):  # structured_outputs: to the letter
                return JsonSchema(schema, strict=strict)
            return JsonSchema(closed(schema), strict=strict)
        case RegexForm(pattern):
            return Regex(pattern)
        case ChoiceForm(choices):
            return Choice(tuple(map(Literal, choices)))
        case GrammarForm(grammar):
            return LarkGrammar(grammar)


class ReplyGrammar:
    """Makes the trees for one model.

    Args:
        syntax: How the model writes calls.
        special: The texts of its special tokens.
    """

    def __init__(self, syntax: CallSyntax, special: Collection[str]) -> None:
        self._syntax = syntax
        self._special = frozenset(special)

    def reply(self, plan: ToolPlan | None, form: ReplyForm | None, *, thought: Thinking) -> Part:
        """A reply, with its thought: calls, a text of a form, or whichever the plan leaves open."""
        opening = OPENING if thought == "may" and OPENING not in self._special else ""
        part = self._answer(plan, form)
        if thought == "none":
            return part
        rest = Sequence((TextUntil(self._marker(CLOSING)), _SPACES, part))
        if thought == "begun":
            return rest
        return Choice(
            (
                Sequence((self._text(OPENING), rest)),
                self._answer(plan, form, unless=opening),
            )
        )

    def _answer(self, plan: ToolPlan | None, form: ReplyForm | None, unless: str = "") -> Part:
        """What comes after a thought, or without one; then free text begins not ``unless``."""
        if plan is None:
            return FreeText(unless) if form is None else form_part(form)
        if plan.mode != "auto":
            return self._calls(plan)
        if form is not None:
            return Choice((self._calls(plan), form_part(form)))
        if not self._syntax.opening:
            return Choice((self._calls(plan), _TEXT_BUT_NO_CALL))
        begun = TextUntil(self._marker(self._syntax.opening), unless)
        first = Sequence((begun, self._call(plan, opening=False)))
        return Choice((FreeText(unless), Sequence((first, *self._more(plan)))))

    def _calls(self, plan: ToolPlan) -> Part:
        return Sequence((self._call(plan, opening=True), *self._more(plan)))

    def _more(self, plan: ToolPlan) -> tuple[Part, ...]:
        """Calls after the first."""
        if not (plan.parallel and self._syntax.several):
            return ()
        call = self._call(plan, opening=True)
        return (Repeat(Sequence((Literal("\n"), call)), most=MAX_CALLS - 1),)

    def _call(self, plan: ToolPlan, *, opening: bool) -> Part:
        syntax = self._syntax
        bodies = tuple(self._body(function) for function in plan.callable)
        parts: list[Part] = [bodies[0] if len(bodies) == 1 else Choice(bodies)]
        if syntax.closing:
            parts += [Literal("\n"), self._text(syntax.closing)]
        if syntax.opening:
            parts = [Literal("\n"), *parts]
            if opening:
                parts = [self._text(syntax.opening), *parts]
        elif PYTHON_TAG in self._special and plan.mode == "auto":
            parts = [Choice((Literal(""), SpecialToken(PYTHON_TAG))), *parts]
        return Sequence(tuple(parts))

    def _body(self, function: FunctionDeclaration) -> Part:
        return Sequence((*self._head(function.name), arguments_part(function), Literal("}")))

    def _head(self, name: str) -> tuple[Part, ...]:
        """What comes before a call's arguments.

        Without a marker before it, a form's JSON may begin with the same brace. The lexer takes the
        longest lexeme that fits, so one for the whole head would leave no form to choose.
        """
        if self._syntax.opening:
            return (Literal(self._syntax.body_head(name)),)
        return tuple(map(Literal, self._syntax.head_lexemes(name)))

    def _marker(self, text: str) -> str | SpecialToken:
        return SpecialToken(text) if text in self._special else text

    def _text(self, text: str) -> Part:
        return SpecialToken(text) if text in self._special else Literal(text)
