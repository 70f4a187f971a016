"""Grammars that are wrong, or too much: refused in time, with the request's field."""

import pytest

from botkit.errors import InvalidRequestError
from botkit_models.structured import (
    Choice,
    JsonSchema,
    LarkGrammar,
    Literal,
    Part,
    Regex,
    Repeat,
    Sequence,
)

PARAM = "response_format.json_schema.schema"


def nested(levels: int, **leaf: object) -> dict[str, object]:
    schema: dict[str, object] = dict(leaf)
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def doubling(make: object, levels: int = 40) -> dict[str, object]:
    definitions = {f"d{i}": make({"$ref": f"#/$defs/d{i + 1}"}) for i in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": {"type": "null"}}}


def both(ref: dict[str, str]) -> dict[str, object]:
    return {"type": "array", "prefixItems": [ref, ref], "items": False, "minItems": 2}


def all_of_patterns(*patterns: str) -> dict[str, object]:
    return {"allOf": [{"type": "string", "pattern": pattern} for pattern in patterns]}


SCHEMAS = {
    "false": (False, "must be a JSON object"),
    "a list": ([{"type": "string"}], "must be a JSON object"),
    "a long enumeration": ({"enum": list(range(100_000))}, "100000 values of enumerations"),
    "a constant without end": ({"const": "x" * 100_000}, "100000 characters in one constant"),
    "a name without end": ({"properties": {"x" * 9_000: {}}}, "9000 characters in one"),
    "many properties": ({"properties": {f"p{i}": {} for i in range(10_000)}}, "10000 properties"),
    "many optional properties": (
        {"type": "object", "properties": {f"p{i}": {"type": "null"} for i in range(1_400)}},
        "too complex|items",
    ),
    "bytes": ({"description": "x" * 200_000}, "bytes long"),
    "deep nesting": (nested(5_000), "deeper than 64"),
    "nesting": (nested(70), "deeper than 64"),
    "doubling": (doubling(both), "items"),
    "products of alternatives": (
        {"allOf": [{"anyOf": [{"properties": {f"{i}{j}": {}}} for i in "abcd"]} for j in "012345"]},
        "too large",
    ),
    "itself": ({"$ref": "#"}, "no reply"),
    "a circle": ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#"}}}, "no reply"),
    "recursion without end": (
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        "items|never end",
    ),
    "a remote reference": ({"$ref": "https://example.com/s.json"}, "not fetch|not present"),
    "a file": ({"$ref": "file:///etc/passwd"}, "not fetch|not present"),
    "a missing reference": ({"$ref": "#/$defs/none"}, "does not exist"),
    "contradicting bounds": ({"type": "integer", "minimum": 5, "maximum": 3}, "greater"),
    "contradicting types": ({"allOf": [{"type": "string"}, {"type": "null"}]}, "incompatible"),
    "a forbidden requirement": (
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
        "unsatisfiable",
    ),
    "an empty enumeration": ({"enum": []}, "nsatisfiable"),
    "large multiples": ({"type": "integer", "multipleOf": 9_999_991}, "multiple"),
    "negative large multiples": ({"type": "integer", "multipleOf": -9_999_991}, "multiple"),
    "fine multiples": ({"type": "number", "multipleOf": 0.00012345678}, "multiple"),
    "huge multiples": ({"type": "number", "multipleOf": 1e300}, "multiple"),
    "multiples without end": ({"type": "integer", "multipleOf": 10**400}, "multiple"),
    "common multiples": (
        {"allOf": [{"type": "integer", "multipleOf": 977}, {"multipleOf": 1009}]},
        "multiple",
    ),
    "zero multiples": ({"type": "integer", "multipleOf": 0}, "multiple"),
    "a bomb of a pattern": ({"pattern": "^(a{1,1000}){1,1000}$"}, "1000002 characters"),
    "patterns that miss each other": (
        all_of_patterns("^(a{997})+$", "^(a{991})+$", "^(a{997})+a$"),
        "empty",
    ),
    "a bomb of a key": ({"patternProperties": {"^(a{999}){999}$": {}}}, "characters"),
    "overlapping keys": ({"patternProperties": {"a": {}, "b": {}}}, "disjoint"),
    "look-around": ({"type": "string", "pattern": "(?=a)b"}, "look-around"),
    "an open group": ({"type": "string", "pattern": "(a"}, "unclosed"),
    "properties that keys only seem to have": (
        {"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 3},
        "minProperties 3",
    ),
    "not a number": ({"const": float("nan")}, "no JSON"),
    "half a character": ({"const": "\ud800"}, "escape"),
    "an unknown type": ({"type": "strin"}, "type"),
    "properties as a list": ({"type": "object", "properties": []}, "properties"),
    "an unknown format": ({"type": "string", "format": "iri"}, "format"),
    "negation": ({"not": {"type": "string"}}, "not"),
    "conditions": ({"if": {"type": "string"}, "then": {"minLength": 1}}, "if"),
}

EXPRESSIONS = {
    "a bomb": ("(a{1,1000}){1,1000}", "1000000 characters"),
    "a bomb of bombs": ("((a{1,1000}){1,1000}){1,1000}", "1000000000 characters"),
    "a long count": ("a{1000000000}", "1000000000 characters"),
    "a long text": ("a" * 20_000, "20000 characters"),
    "a megabyte": ("a" * 1_000_000, "1000000 characters"),
    "a staircase": ("a?" * 5_000 + "a" * 5_000, "precomputation|too many"),
    "deep groups": ("(" * 5_000 + "a" + ")" * 5_000, "invalid regex"),
    "look-behind": ("(?<=a)b", "look-around"),
    "back-references": (r"(a)\1", "backreferences"),
    "an open group": ("(a", "unclosed"),
    "half an escape": ("a\\", "amid an escape"),
    "an escape and a half": ("a\\\\\\", "amid an escape"),
    "an empty class": (r"[^\s\S]", "no reply"),
    "half a character": ("\ud800", "lone surrogate|half|surrogate"),
}

GRAMMARS = {
    "no start": ('a: "a"', "start"),
    "an unknown rule": ("start: a", "unknown name"),
    "rules without end": ('start: a\na: "x" a', "items|never end"),
    "rules without text": ("start: a\na: start", "no reply"),
    "a terminal of itself": ('start: T\nT: "a" T | "b"', "circular"),
    "doubling terminals": (
        "start: T0\n" + "\n".join(f"T{i}: T{i + 1} T{i + 1}" for i in range(40)) + '\nT40: "a"',
        "too big",
    ),
    "doubling rules": (
        "start: t0\n" + "\n".join(f"t{i}: t{i + 1} t{i + 1}" for i in range(40)) + '\nt40: "a"',
        "items",
    ),
    "a long repetition": ('start: ("a" "b"){1000000}', "items"),
    "nested repetitions": ('start: x{100}\nx: y{100}\ny: "a"{100}', "items"),
    "deep groups": ("start: " + "(" * 5_000 + '"a"' + ")" * 5_000, "nested"),
    "an expression's bomb": ("start: /(a{999}){999}/", "characters"),
    "a text without end": (f'start: "{"y" * 9_000}"', "9000 characters"),
    "multiples in a schema": ('start: %json {"type":"integer","multipleOf":9999991}', "multipleOf"),
    "hidden multiples": (
        'start: %json {"type":"integer","\\u006dultipleOf":9999991}',
        "multipleOf",
    ),
    "sets that miss each other": (
        "start: T\nT: /(a{97})+/ & /(a{89})+/ & /(a{97})+a/",
        "fuel|no reply",
    ),
    "half a character": ('start: "\ud800"', "half a character"),
    "a megabyte": ("start: " + " | ".join(f'"w{i}"' for i in range(100_000)), "bytes long"),
    "nothing": ("", "Empty"),
    "no grammar": ("{", "."),
}

CASES: dict[str, tuple[Part, str]] = {
    **{f"schema: {name}": (JsonSchema(schema), why) for name, (schema, why) in SCHEMAS.items()},
    **{f"regex: {name}": (Regex(pattern), why) for name, (pattern, why) in EXPRESSIONS.items()},
    **{f"lark: {name}": (LarkGrammar(text), why) for name, (text, why) in GRAMMARS.items()},
    "parts: a text without end": (Literal("y" * 10_000), "10000 characters"),
    "parts: a long repetition": (Repeat(Literal("ab"), least=10**6), "items"),
    "parts: many": (Choice(tuple(Literal(f"w{i}" * 9) for i in range(9_000))), "bytes long"),
}


@pytest.mark.timeout(150)
@pytest.mark.parametrize("name", CASES)
async def test_it_is_refused_by_the_name_of_its_field(compiler, name):
    part, why = CASES[name]
    with pytest.raises(InvalidRequestError, match=why) as refusal:
        await compiler.compile(part, param=PARAM)
    assert refusal.value.param == PARAM
    assert refusal.value.code == "invalid_grammar"
    assert len(str(refusal.value)) < 500


def test_parts_nested_too_deep_are_refused(compiler):
    part: Part = Literal("a")
    for _ in range(2_000):
        part = Sequence((part,))
    with pytest.raises(InvalidRequestError, match="nested deeper"):
        compiler.compile_now(part, param=PARAM)


LARGE = {
    "many words": {"enum": [f"value {i}" for i in range(1_500)]},
    "many requirements": {
        "type": "object",
        "properties": {f"p{i}": {"type": "null"} for i in range(300)},
        "required": [f"p{i}" for i in range(300)],
    },
    "some optional properties": {
        "type": "object",
        "properties": {f"p{i}": {"type": "string"} for i in range(200)},
    },
    "endless arrays": {"type": "array", "items": {"type": "null"}, "maxItems": 10**9},
    "endless texts": {"type": "string", "maxLength": 10**9},
    "cents": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 100},
    "minutes": {"type": "integer", "multipleOf": 60},
    "a deep schema": nested(30, type="null"),
    "alternatives of alternatives": doubling(lambda ref: {"anyOf": [ref, ref]}),
    "both of both": doubling(lambda ref: {"allOf": [ref, ref]}, 20),
    "many kinds": {
        "anyOf": [
            {"type": "object", "properties": {"k": {"const": f"x{i}"}}, "required": ["k"]}
            for i in range(200)
        ]
    },
}


@pytest.mark.parametrize("name", LARGE)
async def test_what_is_large_but_within_bounds_is_compiled(compiler, name):
    grammar = await compiler.compile(JsonSchema(LARGE[name]), param=PARAM)
    assert grammar.constraint().masks([]).any()
