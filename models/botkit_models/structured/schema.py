"""A schema made ready for the grammar, or refused before any work is done."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botkit_models.structured.expression import expanded_size
from botkit_models.structured.limits import GrammarLimits
from botkit_models.structured.parts import JsonSchema
from botkit_models.structured.refusal import refused

_OPTIONS = "x-guidance"
_COUNTED = 10**12
_ESCAPES = 'nrbtf\\"'  # all that JSON has a letter for
_MERGING = frozenset({"allOf", "anyOf", "oneOf", "$ref"})


def schema_json(part: JsonSchema, limits: GrammarLimits, param: str) -> str:
    """The schema as JSON, with the options that its grammar is to have.

    One space follows ``:`` and ``,`` and there is no other space: what models write on one line,
    and no room for endless space.

    Raises:
        InvalidRequestError: It is no schema, or beyond a limit.
    """
    schema: Any = {} if part.schema is True else part.schema
    if not isinstance(schema, Mapping):
        raise refused("The schema must be a JSON object; one that is false allows no reply.", param)
    Measured.of(schema, limits.depth, param).check(limits, param)
    if part.strict:
        _check_countable(schema, param)
    options = {
        "whitespace_flexible": False,
        "key_separator": ": ",
        "item_separator": ", ",
        "lenient": not part.strict,
    }
    kept = {key: value for key, value in schema.items() if key != _OPTIONS}
    try:
        if _mixes_keys(schema, limits.depth, param) and not _needs_codes(kept):
            options["json_allowed_escapes"] = _ESCAPES
        return json.dumps(kept | {_OPTIONS: options}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise refused(f"The schema is no JSON: {error}.", param) from None


@dataclass
class Measured:
    """What a schema asks for, as far as it costs.

    All objects in it count, also those that are values: a ``$ref`` may point at any of them.
    """

    properties: int = 0
    enum_values: int = 0
    multiple: int = 1
    atoms: int = 0
    literal: int = 0

    @classmethod
    def of(cls, schema: Mapping[str, Any], depth: int, param: str) -> Measured:
        """Measure a schema.

        Raises:
            InvalidRequestError: It is nested deeper than ``depth``.
        """
        measured, multiples, merged = cls(), [], False
        for node in _objects(schema, depth, param):
            measured._count(node)
            multiples.append(node.get("multipleOf"))
            merged = merged or not _MERGING.isdisjoint(node)
        measured.multiple = _greatest_multiple(multiples, merged=merged)
        return measured

    def check(self, limits: GrammarLimits, param: str) -> None:
        """Refuse what is beyond a limit.

        Raises:
            InvalidRequestError: Something is.
        """
        for name, found, most in (
            ("properties", self.properties, limits.properties),
            ("values of enumerations", self.enum_values, limits.enum_values),
            ("as the multiple to count", self.multiple, limits.multiple),
            ("characters and repetitions in its patterns", self.atoms, limits.atoms),
            ("characters in one constant or name", self.literal, limits.literal),
        ):
            if found > most:
                count = found if found < _COUNTED else f"over {_COUNTED}"
                raise refused(f"The schema has {count} {name}; at most {most} may be.", param)

    def _count(self, node: Mapping[str, Any]) -> None:
        properties, values = node.get("properties"), node.get("enum")
        values = values if isinstance(values, list | tuple) else ()
        names = properties if isinstance(properties, Mapping) else ()
        self.properties += len(names)
        self.enum_values += len(values)
        by_pattern = node.get("patternProperties")
        patterns = [node.get("pattern"), *(by_pattern if isinstance(by_pattern, Mapping) else ())]
        self.atoms += sum(expanded_size(text) for text in patterns if isinstance(text, str))
        self.literal = max(self.literal, _length(node.get("const")), *map(_length, values))
        self.literal = max(self.literal, *map(_length, names), 0)


def _length(value: Any) -> int:
    """Characters of a constant, about."""
    if isinstance(value, Mapping):
        return sum(_length(name) + _length(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_length, value))
    return len(value) if isinstance(value, str) else 8


def _objects(schema: Mapping[str, Any], depth: int, param: str) -> Iterator[Mapping[str, Any]]:
    """Every object in the schema; without recursion, since hostile ones are deep."""
    waiting: list[tuple[Any, int]] = [(schema, 1)]
    while waiting:
        node, level = waiting.pop()
        if not isinstance(node, Mapping | list | tuple):
            continue
        if level > depth:
            raise refused(f"The schema is nested deeper than {depth} levels.", param)
        if isinstance(node, Mapping):
            yield node
        inner = node.values() if isinstance(node, Mapping) else node
        waiting.extend((child, level + 1) for child in inner)


def _greatest_multiple(values: list[Any], *, merged: bool) -> int:
    """The largest whole number that a grammar has to count remainders of.

    Decimal fractions are scaled to whole numbers: 0.25 counts as 25. Where schemas may be
    ``merged``, a number can have to be a multiple of all values at once.
    """
    numbers = {
        abs(Decimal(repr(value)))
        for value in values
        if type(value) is int or (type(value) is float and math.isfinite(value))
    }
    numbers.discard(Decimal(0))
    if not numbers:
        return 1
    places = [max(0, -int(number.normalize().as_tuple().exponent)) for number in numbers]
    if not merged:
        return max(int(n.scaleb(p)) for n, p in zip(numbers, places, strict=True))
    return math.lcm(*(int(number.scaleb(max(places))) for number in numbers))


def _mixes_keys(schema: Mapping[str, Any], depth: int, param: str) -> bool:
    """Whether an object may have both keys that the schema tells of and others.

    The library tells them apart by their spelling. Escaped as ``"\\u0061"``, the key ``"a"`` would
    be one of the others, come a second time and with a value that is not its own. Without
    ``\\u`` each key has one spelling; most control characters have none then.
    """
    return any(
        bool(node.get("properties") or node.get("patternProperties"))
        and node.get("additionalProperties") is not False
        for node in _objects(schema, depth, param)
    )


def _needs_codes(schema: Mapping[str, Any]) -> bool:
    """Whether a text in the schema, perhaps a constant, has characters with no spelling but
    ``\\u``."""
    return "\\u00" in json.dumps(schema, ensure_ascii=False)


def _check_countable(schema: Mapping[str, Any], param: str) -> None:
    """Refuse a least number of properties that repeated keys could seem to reach.

    Keys that only ``additionalProperties`` or ``patternProperties`` allow may come twice in a
    reply, and count once where it is read.
    """
    for node in _objects(schema, len(str(schema)), param):
        least, names = node.get("minProperties"), node.get("required")
        known = len(names) if isinstance(names, list | tuple) else 0
        if isinstance(least, int) and least > max(1, known):
            raise refused(
                f"minProperties {least} cannot be held: only {known} properties are required.",
                param,
            )
