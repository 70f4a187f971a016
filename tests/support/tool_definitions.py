"""Definitions of tools as people write them, made by chance: always the same for a number."""

from __future__ import annotations

import random
from typing import Any

_VERBS = ["get", "set", "find", "book", "send", "cancel", "list", "update", "convert", "plan"]
_NOUNS = ["weather", "order", "flight", "mail", "room", "price", "user", "route", "invoice"]
_NAMES = ["city", "date", "count", "unit", "note", "tags", "limit", "email", "active", "ratio"]


def tool_definitions(count: int, seed: int = 6) -> list[dict[str, Any]]:
    """``count`` tools with names of their own; what they take can be written in 150 tokens."""
    return [_tool(random.Random(f"{seed}/{place}"), place) for place in range(count)]


def _tool(chance: random.Random, place: int) -> dict[str, Any]:
    name = f"{chance.choice(_VERBS)}_{chance.choice(_NOUNS)}_{place}"
    function = {
        "name": name,
        "description": f"Does what {name} says.",
        "parameters": _object(chance, depth=2),
    }
    if chance.random() < 0.5:
        function["strict"] = True
    return {"type": "function", "function": function}


def _object(chance: random.Random, depth: int) -> dict[str, Any]:
    names = chance.sample(_NAMES, chance.randint(0 if depth == 2 else 1, 3))
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _value(chance, depth - 1) for name in names},
        "required": names if chance.random() < 0.7 else names[:1],
        "additionalProperties": False,
    }
    if depth == 2 and names and chance.random() < 0.2:
        schema["$defs"] = {"one": schema["properties"][names[0]]}
        schema["properties"] = {**schema["properties"], names[0]: {"$ref": "#/$defs/one"}}
    return schema


def _value(chance: random.Random, depth: int) -> dict[str, Any]:
    kinds = [_string, _number, _enum, _flag, _nothing]
    if depth:
        kinds += [_array, _union, _nested]
    found = chance.choice(kinds)(chance, depth)
    if chance.random() < 0.3:
        found = {"description": 'Of the {thing} in "question".', **found}
    return found


def _string(chance: random.Random, depth: int) -> dict[str, Any]:
    return chance.choice(
        [
            {"type": "string", "maxLength": 12},
            {"type": "string", "minLength": 2, "maxLength": 6},
            {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2,4}$"},
            {"type": "string", "format": "date"},
        ]
    )


def _number(chance: random.Random, depth: int) -> dict[str, Any]:
    return chance.choice(
        [
            {"type": "integer", "minimum": 1, "maximum": 500},
            {"type": "integer", "exclusiveMinimum": -3, "maximum": 3},
            {"type": "number", "minimum": 0, "maximum": 1},
        ]
    )


def _enum(chance: random.Random, depth: int) -> dict[str, Any]:
    return chance.choice([{"enum": ["a b", "ü", 'x"y']}, {"const": 7}, {"enum": [1, None, "one"]}])


def _flag(chance: random.Random, depth: int) -> dict[str, Any]:
    return {"type": "boolean"}


def _nothing(chance: random.Random, depth: int) -> dict[str, Any]:
    return {"type": ["boolean", "null"]}


def _array(chance: random.Random, depth: int) -> dict[str, Any]:
    return {
        "type": "array",
        "items": _value(chance, 0),
        "minItems": chance.randint(0, 1),
        "maxItems": 2,
    }


def _union(chance: random.Random, depth: int) -> dict[str, Any]:
    return {"anyOf": [_value(chance, 0), {"type": "null"}]}


def _nested(chance: random.Random, depth: int) -> dict[str, Any]:
    return _object(chance, depth)
