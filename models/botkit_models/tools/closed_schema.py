"""Schemas whose objects have the properties that they name, and no others.

JSON Schema lets an object have any further property unless it says otherwise, and few schemas do,
though hardly one means it. A small model takes the leave, and writes properties without end. So
objects are closed wherever that takes nothing away that the schema asks for; what a model writes
obeys the schema as it was sent all the same, for it may do less than it was allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COMPOSED = frozenset(
    {
        "allOf",
        "not",
        "if",
        "dependentSchemas",
        "$dynamicRef",
        "$recursiveRef",
        "unevaluatedProperties",
    }
)
"""Keywords by which one object has to obey several schemas: closing one would take from another."""

_BRANCHES = ("anyOf", "oneOf", "$ref")
_BESIDE = frozenset(
    {"properties", "required", "additionalProperties", "patternProperties", "minProperties"}
)
"""Beside one of these, a branch has to be obeyed together with its own object."""

_OPEN = frozenset({"additionalProperties", "patternProperties", "anyOf", "oneOf", "$ref"})
_ONE = ("items", "additionalProperties", "contains")
_SEVERAL = ("anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions")


def closed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with its objects closed; itself where its parts depend on one another."""
    return schema if _composed(schema) else _closed(schema)


def _composed(node: Any) -> bool:
    if isinstance(node, Mapping):
        return _obeys_several(node) or any(map(_composed, node.values()))
    return isinstance(node, list) and any(map(_composed, node))


def _obeys_several(node: Mapping[str, Any]) -> bool:
    branches = sum(key in node for key in _BRANCHES)
    beside = branches + (not _BESIDE.isdisjoint(node))
    return not _COMPOSED.isdisjoint(node) or (branches > 0 and beside > 1)


def _closed(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    found = dict(node)
    for key in _ONE:
        if key in found:
            found[key] = _closed(found[key])
    for key in _SEVERAL:
        if isinstance(found.get(key), list):
            found[key] = [_closed(part) for part in found[key]]
    for key in _NAMED:
        if isinstance(found.get(key), Mapping):
            found[key] = {name: _closed(part) for name, part in found[key].items()}
    return {**found, "additionalProperties": False} if _may_close(found) else found


def _may_close(node: Mapping[str, Any]) -> bool:
    properties, required = node.get("properties"), node.get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return False
    least = node.get("minProperties", 0)
    enough = isinstance(least, int) and least <= len(properties)
    return enough and _OPEN.isdisjoint(node) and set(map(str, required)) <= set(properties)
