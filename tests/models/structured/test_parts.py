"""What each part lets a reply be."""

import pytest
from grammar_replies import accepts

from botkit.errors import InvalidRequestError
from botkit_models.structured import (
    JSON_OBJECT,
    Choice,
    FreeText,
    JsonSchema,
    LarkGrammar,
    Literal,
    Regex,
    Repeat,
    Sequence,
    SpecialToken,
    TextUntil,
    text_with,
)

CITY = JsonSchema(
    {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/c"}},
        "required": ["city"],
        "additionalProperties": False,
        "$defs": {"c": {"type": "string"}},
    }
)
NUMBER = {"type": "object", "properties": {"a": {"type": "integer"}}}
TIME = JsonSchema({"type": "object", "properties": {}, "additionalProperties": False})


def call(name, arguments):
    head = Literal(f'<tool_call>\n{{"name": "{name}", "arguments": ')
    return Sequence((head, arguments, Literal("}\n</tool_call>")))


CALLS = Choice((call("weather", CITY), call("time", TIME)))
WEATHER = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'
CLOCK = '<tool_call>\n{"name": "time", "arguments": {}}\n</tool_call>'

REPLIES = {
    "literal": (Literal('a "b"\\\n\té😀\x7f/'), ['a "b"\\\n\té😀\x7f/'], ["a", ""]),
    "nothing": (Literal(""), [""], ["a"]),
    "choice": (Choice((Literal("yes"), Literal("no"))), ["yes", "no"], ["", "y", "yesno"]),
    "overlapping": (Choice((Literal("a"), Literal("ab"))), ["a", "ab"], ["b", "aab"]),
    "regex": (Regex(r"\d{3}/[a-z]+"), ["123/x"], ["123/", "12/x", "123/X"]),
    "regex of alternatives": (Regex("a|bc"), ["a", "bc"], ["ac", "b"]),
    "regex with a line": (Regex("a\nb|//"), ["a\nb", "//"], ["ab"]),
    "regex that ends with a backslash": (Regex(r"a\\"), ["a\\"], ["a", "a\\\\"]),
    "empty regex": (Regex(""), [""], ["a"]),
    "lark": (LarkGrammar('start: "a" b+\nb: /[0-9]/'), ["a1", "a12"], ["a", "1"]),
    "lark with a schema": (
        LarkGrammar('start: "x=" %json {"type": "integer"}'),
        ["x=5"],
        ["x=", "x=1.5"],
    ),
    "text": (FreeText(), ["", "a\nb", "<|im_end|> as text", "日本"], []),
    "repeat": (Repeat(Literal("ab"), 1, 2), ["ab", "abab"], ["", "ababab", "a"]),
    "any number": (Repeat(Literal("ab")), ["", "ab", "ab" * 50], ["a"]),
    "sequence": (Sequence((Literal("a"), Regex("[0-9]?"), Literal("z"))), ["az", "a1z"], ["a1"]),
    "until": (
        Sequence((TextUntil("END"), Literal("."))),
        ["END.", "a\nEN END."],
        ["END", "a.", "ENDEND."],
    ),
    "object": (
        JSON_OBJECT,
        ["{}", '{"a": [1, null, {"b": "\\n"}]}'],
        ["[]", "{", '{"a":1}', " {}"],
    ),
    "any value": (JsonSchema(True), ["1", '"a"', "[]", "null", "-1.5e3"], ["", "01", "nul"]),
    "schema": (CITY, ['{"city": "Rome"}'], ["{}", '{"city": 1}', '{"city": "R", "a": 1}']),
    "open object": (
        JsonSchema({**NUMBER, "additionalProperties": {"type": "string"}}),
        ['{"a": 1, "b": "x"}', '{"b": "x"}', '{"a": 1, "a\\n\\"\\\\é/": "\\t"}', "{}"],
        ['{"a": 1, "\\u0061": "x"}', '{"\\u0061": "x"}', '{"a": "x"}'],
    ),
    "object open by silence": (
        JsonSchema(NUMBER, strict=False),
        ['{"a": 1, "b": "x"}', '{"a": 1, "b": {"\\n": []}}'],
        ['{"a": 1, "\\u0061": "x"}', '{"a": "x"}'],
    ),
    "open object within": (
        JsonSchema({"type": "array", "items": NUMBER}),
        ['[{"a": 1, "b": "x"}]'],
        ['[{"a": 1, "\\u0061": "x"}]'],
    ),
    "open object with patterns": (
        JsonSchema({"type": "object", "patternProperties": {"^a": {"type": "integer"}}}),
        ['{"ab": 1, "b": "x"}'],
        ['{"\\u0061b": "x"}', '{"ab": "x"}'],
    ),
    "open object with odd names": (
        JsonSchema(
            {
                "type": "object",
                "properties": {name: {"type": "integer"} for name in ("é", "\n", '"')},
            }
        ),
        ['{"é": 2, "\\n": 3, "\\"": 4}'],
        [f'{{"{name}": "x"}}' for name in ("\\u00e9", "\\u000a", "\\u000A", "\\u0022")],
    ),
    "constant in an open object": (
        JsonSchema({"type": "object", "properties": {"a": {"const": "\x01"}}}),
        ['{"a": "\\u0001"}'],
        ['{"a": ""}'],
    ),
    "closed object": (
        JsonSchema(
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "additionalProperties": False,
            }
        ),
        ['{"a": "\\u0001"}'],
        ['{"\\u0061": "x"}'],
    ),
    "one call": (
        CALLS,
        [WEATHER, CLOCK],
        [WEATHER + CLOCK, "", WEATHER.replace("weather", "time")],
    ),
    "calls": (Repeat(CALLS, least=1), [WEATHER, CLOCK + WEATHER], ["", "a" + CLOCK]),
    "text or calls": (
        text_with("<tool_call>", Sequence((Literal('{"a": '), CITY, Literal("}</tool_call>")))),
        [
            "",
            "hello <tool_cal",
            'so: <tool_call>{"a": {"city": "R"}}</tool_call>, done',
            '<tool_call>{"a": {"city": "R"}}</tool_call><tool_call>{"a": {"city": ""}}</tool_call>',
        ],
        ["a <tool_call>", "<tool_call>no", '<tool_call>{"a": {"city": 1}}</tool_call>'],
    ),
    "text or one call": (
        Choice((FreeText(), Sequence((Literal("{"), CITY, Literal("}"))))),
        ["hello", '{{"city": "R"}}', "{ text"],
        [],
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_part_allows_its_texts_and_no_others(any_compiler, name):
    part, right, wrong = REPLIES[name]
    grammar = any_compiler.compile_now(part, param="p")
    assert [text for text in right if not accepts(grammar, text)] == []
    assert [text for text in wrong if accepts(grammar, text)] == []


def test_special_tokens_come_only_where_they_are_named(compiler):
    part = Sequence((SpecialToken("<|im_start|>"), Literal("<|im_start|>")))
    grammar = compiler.compile_now(part, param="p")
    text = [*"<|im_start|>"]
    assert accepts(grammar, "<|im_start|>", *text)
    assert not accepts(grammar, *text, *text)
    assert not accepts(grammar, "<|im_start|>", "<|im_start|>")
    until = Sequence((TextUntil(SpecialToken("<|im_start|>")), Regex("[0-9]")))
    grammar = compiler.compile_now(until, param="p")
    assert accepts(grammar, *"a <|im_start|> b", "<|im_start|>", "7")
    assert not accepts(grammar, "a7")


def test_a_schema_that_is_not_strict_may_have_what_cannot_be_held(compiler):
    schema = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}
    with pytest.raises(InvalidRequestError, match="uniqueItems"):
        compiler.compile_now(JsonSchema(schema), param="p")
    loose = compiler.compile_now(JsonSchema(schema, strict=False), param="p")
    assert accepts(loose, "[1, 1]")
    assert not accepts(loose, '["a"]')


def test_a_schema_cannot_choose_how_it_is_compiled(compiler):
    sly = {"type": "object", "x-guidance": {"whitespace_flexible": True, "lenient": True}}
    grammar = compiler.compile_now(JsonSchema(sly), param="p")
    assert not accepts(grammar, '{"a":   1}')


@pytest.mark.parametrize(
    "part",
    [
        Sequence((LarkGrammar('start: "a"'), Literal("b"))),
        Choice(()),
        Sequence(()),
        Repeat(Literal("a"), 2, 1),
        Repeat(Literal("a"), -1),
        SpecialToken("<|no_such|>"),
        SpecialToken("a"),
    ],
    ids=repr,
)
def test_parts_that_cannot_be_put_together_are_refused(compiler, part):
    with pytest.raises(InvalidRequestError) as refusal:
        compiler.compile_now(part, param="the.field")
    assert refusal.value.param == "the.field"
