"""Objects are closed where that takes nothing away, and nowhere else."""

import jsonschema
import pytest

from botkit_models.tools.closed_schema import closed

A = {"a": {"type": "string"}}


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
        {"properties": "nonsense"},
        {"properties": A, "required": 3},
        {"properties": {"properties": True}, "required": ["x"]},
    ],
)
def test_left_open(schema):
    assert closed(schema) == schema
