"""Replies that follow a grammar: JSON schemas, regular expressions, choices, tool calls.

What a reply may be is a :class:`Part`, a small tree of frozen dataclasses::

    JsonSchema({"type": "object", ...}, strict=True)    response_format json_schema
    JSON_OBJECT                                         response_format json_object
    Regex(r"[0-9]{3}-[0-9]{4}")                         one regular expression (Rust's syntax)
    LarkGrammar('start: "a"+')                          a whole Lark grammar; only alone
    Choice((Literal("yes"), Literal("no")))             one of several parts
    Sequence((part, part))                              one after another
    Repeat(part, least=1, most=None)                    several times
    Literal("text")                                     exactly this text (never special tokens)
    SpecialToken("<|python_tag|>")                      one special token of the model
    FreeText()                                          any text, to the end of the reply
    TextUntil("<tool_call>")                            any text up to this marker, and the marker

One tool call of a model that writes ``<tool_call>`` around JSON::

    call = Sequence((
        Literal('<tool_call>\\n{"name": "weather", "arguments": '),
        JsonSchema(parameters), Literal("}\\n</tool_call>"),
    ))

``tool_choice="required"`` is ``Repeat(Choice(calls), least=1)``; ``"auto"`` with text as the
alternative at any place is ``text_with("<tool_call>", rest)``, where ``rest`` is the call without
its marker. JSON is written on one line, with one space after ``:`` and ``,``.

A :class:`GrammarCompiler` (one per loaded model) makes a :class:`Grammar` of a part, off the event
loop, within limits of size and time, and keeps the last ones::

    compiler = GrammarCompiler(tokenizer, vocab=model.config.vocab_size)
    grammar = await compiler.compile(part, param="response_format.json_schema.schema")
    constraint = grammar.constraint(budget=max_tokens, param="response_format")

:meth:`Grammar.constraint` makes what the engine follows along one reply: an
:class:`botkit_models.engine.constraint.Constraint`. With a ``budget`` (the most tokens of the
reply) it closes the reply in time where it can: ``constraint.shortened`` then says that the reply
is whole in form but cut in content, and its ``finish_reason`` is to be ``"length"``.

Nothing of ``llguidance`` is imported before a grammar is compiled.
"""

from botkit_models.structured.compiler import GrammarCompiler
from botkit_models.structured.constraint import GrammarConstraint
from botkit_models.structured.grammar import Grammar
from botkit_models.structured.limits import GrammarLimits
from botkit_models.structured.parts import (
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
    text_with,
)

__all__ = [
    "JSON_OBJECT",
    "Choice",
    "FreeText",
    "Grammar",
    "GrammarCompiler",
    "GrammarConstraint",
    "GrammarLimits",
    "JsonSchema",
    "LarkGrammar",
    "Literal",
    "Part",
    "Regex",
    "Repeat",
    "Sequence",
    "SpecialToken",
    "TextUntil",
    "text_with",
]
