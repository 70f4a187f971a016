"""Objects are closed where that takes nothing away, and nowhere else."""

import json

import jsonschema
import pytest
from grammar_replies import accepts, json_tokenizer

from botkit_models.structured import GrammarCompiler, JsonSchema
from botkit_models.tools.closed_schema import closed

A = {"a": {"type": "string"}}
B = {"b": {"type": "string"}}
KIND = {
    "type": "object",
    "properties": {"kind": {"type": "string"}},
    "required": ["kind"],
    "anyOf": [
        {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
    ],
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"properties": A}, {"properties": A, "additionalProperties": False}),
        ({"properties": {}}, {"properties": {}, "additionalProperties": False}),
        (
            {"$defs": {"x": {"properties": A}}, "items": {"$ref": "#/$defs/x"}},
            {
                "$defs": {"x": {"properties": A, "additionalProperties": False}},
                "items": {"$ref": "#/$defs/x"},
            },
        ),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"b": {"properties": A}}}]},
            {
                "anyOf": [
                    {"type": "null"},
                    {
                        "properties": {"b": {"properties": A, "additionalProperties": False}},
                        "additionalProperties": False,
                    },
                ]
            },
        ),
        (
            {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}], "$defs": {"x": {"properties": A}}},
            {
                "anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}],
                "$defs": {"x": {"properties": A, "additionalProperties": False}},
            },
        ),
        (
            {"$ref": "#/$defs/x", "description": "d", "$defs": {"x": {"properties": A}}},
            {
                "$ref": "#/$defs/x",
                "description": "d",
                "$defs": {"x": {"properties": A, "additionalProperties": False}},
            },
        ),
    ],
)
def test_closed(schema, expected):
    assert closed(schema) == expected
    jsonschema.Draft202012Validator.check_schema(closed(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"properties": A, "additionalProperties": True},
        {"properties": A, "additionalProperties": {"type": "string"}},
        {"properties": A, "patternProperties": {"x": {}}},
        {"properties": A, "required": ["b"]},
        {"properties": A, "minProperties": 2},
        {"properties": A, "$ref": "#/$defs/x"},
        {"properties": A, "anyOf": [{"required": ["b"]}]},
        {"allOf": [{"properties": A}, {"properties": {"b": {}}}]},
        {"$defs": {"x": {"properties": A}}, "items": {"allOf": [{"$ref": "#/$defs/x"}]}},
        {"required": ["a"], "anyOf": [{"properties": A}, {"properties": B}]},
        {"additionalProperties": False, "oneOf": [{"properties": A}]},
        {"patternProperties": {"x": {}}, "anyOf": [{"properties": A}]},
        {"minProperties": 2, "anyOf": [{"properties": A}]},
        {"$ref": "#/$defs/x", "required": ["b"], "$defs": {"x": {"properties": A}}},
        {"$ref": "#/$defs/x", "anyOf": [{"properties": B}], "$defs": {"x": {"properties": A}}},
        {"anyOf": [{"properties": A}], "oneOf": [{"properties": B}]},
        {"items": {"properties": A, "oneOf": [{"properties": B}]}},
        {"properties": "nonsense"},
        {"properties": A, "required": 3},
        {"properties": {"properties": True}, "required": ["x"]},
    ],
)
def test_left_open(schema):
    assert closed(schema) == schema


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (KIND, '{"kind": "x", "a": 1}'),
        (
            {"$ref": "#/$defs/x", "properties": B, "$defs": {"x": {"properties": A}}},
            '{"a": "x", "b": "y"}',
        ),
    ],
)
def test_what_is_declared_beside_a_branch_can_be_written(schema, text):
    tokenizer = json_tokenizer()
    compiler = GrammarCompiler(tokenizer, tokenizer.vocab_size)
    schema = {"type": "object", **schema}
    jsonschema.validate(json.loads(text), schema)
    grammar = compiler.compile_now(JsonSchema(closed(schema)), param="p")
    assert accepts(grammar, text)
