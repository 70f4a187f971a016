"""JSON schemas by chance: every keyword that a grammar can hold a reply to."""

from __future__ import annotations

from random import Random
from typing import Any

Schema = dict[str, Any]

_NAMES = [
    "name",
    "age",
    "größe",
    "日本",
    "a b",
    "x-y",
    "😀",
    'qu"ote',
    "back\\slash",
    "type",
    "",
    "$ref",
]
_FORMATS = ["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
_PATTERNS = ["^[a-z]{2,5}$", "^\\d+$", "^(red|green)-[0-9]$", "ab*c", "^[^x]*$", "^é{1,3}$", "^$"]
_CONSTANTS: list[Any] = [
    *("", "red", 'a "b" c', "tab\tnewline\n", "日本", "\u2028", "</tool_call>", "null"),
    *(0, -7, 3.5, 10**12, True, False, None, [], {}, [1, "a", None], {"k": [1]}, {"a": {"b": ""}}),
]


def random_schema(chance: Random) -> Schema:
    """A schema that some reply satisfies."""
    definitions = {f"d{i}": _schema(chance, 1, ()) for i in range(chance.randrange(3))}
    schema = _schema(chance, 3, tuple(definitions))
    if chance.random() < 0.15:
        definitions["tree"] = _tree(chance)
        schema = _object(chance, {"root": {"$ref": "#/$defs/tree"}, "rest": schema}, ["root"])
    if definitions:
        schema["$defs"] = definitions
    if chance.random() < 0.2:
        schema |= {"title": "T", "description": "D", "$schema": _DIALECT, "examples": [1]}
    return schema


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _schema(chance: Random, depth: int, definitions: tuple[str, ...]) -> Schema:
    leaves = [_string, _number, _integer, _constant, _enum, _typed, _formatted, _bounded_text]
    inner = [_random_object, _random_object, _array, _tuple, _any_of, _all_of, _map]
    if definitions and chance.random() < 0.2:
        return {"$ref": f"#/$defs/{chance.choice(definitions)}"}
    if depth and chance.random() < 0.65:
        return chance.choice(inner)(chance, depth - 1, definitions)
    return chance.choice(leaves)(chance)


def _string(chance: Random) -> Schema:
    return {"type": "string"}


def _bounded_text(chance: Random) -> Schema:
    least = chance.randrange(5)
    schema: Schema = {"type": "string", "minLength": least}
    if chance.random() < 0.6:
        schema["maxLength"] = least + chance.randrange(20)
    return schema


def _formatted(chance: Random) -> Schema:
    if chance.random() < 0.5:
        return {"type": "string", "pattern": chance.choice(_PATTERNS)}
    return {"type": "string", "format": chance.choice(_FORMATS)}


def _integer(chance: Random) -> Schema:
    schema: Schema = {"type": "integer"}
    least = chance.randrange(-1000, 1000)
    if chance.random() < 0.5:
        schema[chance.choice(["minimum", "exclusiveMinimum"])] = least
    if chance.random() < 0.5:
        schema[chance.choice(["maximum", "exclusiveMaximum"])] = least + chance.randrange(50, 2000)
    if chance.random() < 0.3:
        schema["multipleOf"] = chance.choice([1, 2, 5, 7, 10, 25])
    return schema


def _number(chance: Random) -> Schema:
    schema: Schema = {"type": "number"}
    least = round(chance.uniform(-50, 50), chance.randrange(4))
    if chance.random() < 0.4:
        schema[chance.choice(["minimum", "exclusiveMinimum"])] = least
    if chance.random() < 0.4:
        schema[chance.choice(["maximum", "exclusiveMaximum"])] = least + chance.randrange(1, 90)
    if chance.random() < 0.2:
        schema["multipleOf"] = chance.choice([0.5, 0.25, 2])
    return schema


def _constant(chance: Random) -> Schema:
    return {"const": chance.choice(_CONSTANTS)}


def _enum(chance: Random) -> Schema:
    return {"enum": chance.sample(_CONSTANTS, chance.randrange(1, 7))}


def _typed(chance: Random) -> Schema:
    names = ["string", "number", "integer", "boolean", "null", "array", "object"]
    if chance.random() < 0.5:
        return {"type": chance.choice(["boolean", "null"])}
    return {"type": chance.sample(names, chance.randrange(1, 4))}


def _random_object(chance: Random, depth: int, definitions: tuple[str, ...]) -> Schema:
    names = chance.sample(_NAMES, chance.randrange(5))
    properties = {name: _schema(chance, depth, definitions) for name in names}
    required = [name for name in names if chance.random() < 0.6]
    if chance.random() < 0.1:
        required.append("unnamed")
    return _object(chance, properties, required)


def _object(chance: Random, properties: dict[str, Any], required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if "unnamed" not in required and chance.random() < 0.6:
        schema["additionalProperties"] = False
    elif chance.random() < 0.4:
        schema["additionalProperties"] = {"type": chance.choice(["integer", "string"])}
    return schema


def _map(chance: Random, depth: int, definitions: tuple[str, ...]) -> Schema:
    values = _schema(chance, depth, definitions)
    if chance.random() < 0.4:
        return {"type": "object", "patternProperties": {"^k[0-9]$": values}, **_CLOSED}
    schema: Schema = {"type": "object", "additionalProperties": values}
    if chance.random() < 0.3:
        schema["minProperties"] = 1
    return schema


_CLOSED: Schema = {"additionalProperties": False}


def _array(chance: Random, depth: int, definitions: tuple[str, ...]) -> Schema:
    schema: Schema = {"type": "array", "items": _schema(chance, depth, definitions)}
    least = chance.randrange(3)
    if chance.random() < 0.5:
        schema["minItems"] = least
    if chance.random() < 0.5:
        schema["maxItems"] = least + chance.randrange(3)
    return schema


def _tuple(chance: Random, depth: int, definitions: tuple[str, ...]) -> Schema:
    count = chance.randrange(1, 4)
    return {
        "type": "array",
        "prefixItems": [_schema(chance, depth, definitions) for _ in range(count)],
        "items": chance.choice([False, {"type": "null"}]),
        "minItems": chance.randrange(count + 1),
    }


def _any_of(chance: Random, depth: int, definitions: tuple[str, ...]) -> Schema:
    count = chance.randrange(2, 4)
    return {"anyOf": [_schema(chance, depth, definitions) for _ in range(count)]}


def _all_of(chance: Random, depth: int, definitions: tuple[str, ...]) -> Schema:
    first = _random_object(chance, depth, definitions)
    first.pop("additionalProperties", None)
    return {"allOf": [first, {"type": "object", "required": ["extra"], **_extra(chance)}]}


def _extra(chance: Random) -> Schema:
    return {"properties": {"extra": {"type": chance.choice(["null", "boolean"])}}}


def _tree(chance: Random) -> Schema:
    child: Schema = {"$ref": "#/$defs/tree"}
    if chance.random() < 0.5:
        branch: Schema = {"type": "array", "items": child}
    else:
        branch = {"anyOf": [child, {"type": "null"}]}
    return {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": branch},
        "required": ["next"],
        "additionalProperties": False,
    }
