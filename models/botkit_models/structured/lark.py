"""Lowering parts to one Lark grammar of llguidance's dialect.

https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from botkit_models.structured.expression import expanded_size
from botkit_models.structured.limits import GrammarLimits
from botkit_models.structured.parts import (
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
from botkit_models.structured.refusal import refused
from botkit_models.structured.schema import schema_json

_DEPTH = 32
_ANY = "/(?s:.*)/"
_LARK_STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
_LARK_EXPRESSION = re.compile(r"/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+)/")


def lark_grammar(
    part: Part, limits: GrammarLimits, param: str, special: Callable[[str], int | None]
) -> str:
    """The grammar's source; the same part gives the same text.

    Args:
        part: What the reply may be.
        limits: What it may ask for.
        param: The request's field, for errors.
        special: The id of a special token's text, or None where the model has none of that name.

    Raises:
        InvalidRequestError: Something in it is no schema, expression or grammar, or is too large.
    """
    if isinstance(part, LarkGrammar):
        source = _checked_source(part.source, limits, param)
    else:
        lowering = _Lowering(limits, param, special)
        start = lowering.expression(part, _DEPTH)
        source = "\n".join([f"start: {start}", *lowering.rules])
    if (size := _encoded_size(source, param)) > limits.bytes:
        raise refused(f"The grammar is {size} bytes long; at most {limits.bytes} may be.", param)
    return source


class _Lowering:
    def __init__(
        self, limits: GrammarLimits, param: str, special: Callable[[str], int | None]
    ) -> None:
        self.rules: list[str] = []
        self._limits, self._param, self._special = limits, param, special

    def expression(self, part: Part, depth: int) -> str:
        """The part as an expression; rules it needs are added to ``rules``."""
        if not depth:
            raise refused(f"The grammar is nested deeper than {_DEPTH} parts.", self._param)
        match part:
            case Literal(text):
                _check_literal(text, self._limits, self._param)
                return json.dumps(text)
            case SpecialToken(text):
                return self._token(text)
            case JsonSchema():
                return self._rule(f"%json {schema_json(part, self._limits, self._param)}")
            case Regex(pattern):
                return self._regex(pattern)
            case FreeText(unless):
                return self._any(unless)
            case TextUntil(SpecialToken(text), unless):
                return f"{self._any(unless)} {self._token(text)}"
            case TextUntil(str(marker), unless):
                return self._text_until(marker, unless)
            case Choice(options):
                return self._joined(options, " | ", depth)
            case Sequence(parts):
                return self._joined(parts, " ", depth)
            case Repeat(inner, least, most):
                return self._repeated(self.expression(inner, depth - 1), least, most)
        raise refused("A Lark grammar can only stand alone.", self._param)

    def _joined(self, parts: tuple[Part, ...], between: str, depth: int) -> str:
        if not parts:
            raise refused("There is nothing to choose from.", self._param)
        return "(" + between.join(self.expression(part, depth - 1) for part in parts) + ")"

    def _repeated(self, expression: str, least: int, most: int | None) -> str:
        if least < 0 or (most is not None and (most < least or most == 0)):
            raise refused(f"A part cannot come {least} to {most} times.", self._param)
        return f"({expression}){{{least},{'' if most is None else most}}}"

    def _token(self, text: str) -> str:
        id = self._special(text)
        if id is None:
            raise refused(f"The model has no special token {text!r}.", self._param)
        return f"<[{id}]>"

    def _regex(self, pattern: str) -> str:
        import llguidance

        if not pattern:
            return '""'
        _check_expression(pattern, self._limits, self._param)
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:  # the library would drop the last one
            raise refused("The regular expression ends amid an escape.", self._param)
        return f"/{llguidance.regex_to_lark(pattern)}/"

    def _any(self, unless: str) -> str:
        return self._unless(_ANY, unless) if unless else _ANY

    def _text_until(self, marker: str, unless: str) -> str:
        text = f"{_ANY} {json.dumps(marker)}"
        return self._rule(self._unless(text, unless) if unless else text, options="[lazy]")

    def _unless(self, text: str, beginning: str) -> str:
        """A terminal of ``text`` that does not begin so; only terminals can be so restricted."""
        name = f"T{len(self.rules)}"
        self.rules.append(f"{name}: ({text}) & ~(/\\s*/ {json.dumps(beginning)} {_ANY})")
        return name

    def _rule(self, body: str, options: str = "") -> str:
        name = f"r{len(self.rules)}"
        self.rules.append(f"{name}{options}: {body}")
        return name


def _encoded_size(text: str, param: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise refused("The grammar holds half a character (a lone surrogate).", param) from None


def _check_expression(pattern: str, limits: GrammarLimits, param: str) -> None:
    _encoded_size(pattern, param)
    size = len(pattern) if len(pattern) > limits.bytes else expanded_size(pattern)
    if size > limits.atoms:
        raise refused(
            f"The regular expression has {size} characters and classes when its counts are "
            f"written out; at most {limits.atoms} may be.",
            param,
        )


def _check_literal(text: str, limits: GrammarLimits, param: str) -> None:
    if len(text) > limits.literal:
        raise refused(
            f"A text of {len(text)} characters must come as it is; at most {limits.literal} may.",
            param,
        )


def _checked_source(source: str, limits: GrammarLimits, param: str) -> str:
    """The source; what is refused for elsewhere must not hide in it."""
    if "%json" in source and ("multipleOf" in source or "\\u" in source):
        raise refused(
            "A schema inside a Lark grammar must have neither multipleOf nor \\u escapes.", param
        )
    if len(source) <= limits.bytes:  # what is longer is refused soon
        for found in _LARK_EXPRESSION.finditer(source):
            _check_expression(found[1], limits, param)
        for found in _LARK_STRING.finditer(source):
            _check_literal(found[1], limits, param)
    return source
