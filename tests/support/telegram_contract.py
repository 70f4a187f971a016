"""Telegram's own description of its Bot API as a judge of calls, answers and updates.

Two machine-readable copies of https://core.telegram.org/bots/api are read: the newer one for the
fields, the older one for what methods return and for the members of unions. Both become one JSON
Schema; limits and enumerations are read out of the descriptions.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema
import pytest
from openai_contract import shared_folder

from botkit.testing.telegram import TelegramSimulator
from botkit.testing.telegram.simulator import Call

NEWER, OLDER = "telegram_bot_api_10_2.json", "telegram_bot_api.json"
Json = dict[str, Any]

SCALARS: Mapping[str, Json] = {
    "String": {"type": "string"},
    "Integer": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "True": {"const": True},
    # A simulator keeps an upload as (name, content).
    "InputFile": {"type": "object", "required": ["$upload"]},
}
UNIONS = {"MaybeInaccessibleMessage": ["Message", "InaccessibleMessage"]}
"""Whose members no list in their description names."""


def is_there() -> bool:
    """Whether the descriptions are; a fresh clone has none."""
    folder = shared_folder() / "contracts"
    return (folder / NEWER).exists() and (folder / OLDER).exists()


def check_simulator(telegram: TelegramSimulator) -> None:
    """Assert that all it heard, answered and delivered is as Telegram describes it."""
    if not is_there():
        return
    problems = [
        *(problem for call in telegram.calls for problem in call_problems(call)),
        *(each for update in telegram.deliveries.sent for each in problems_of("Update", update)),
    ]
    assert not problems, "not as the Bot API says:\n" + "\n".join(problems[:10])


def call_problems(call: Call) -> list[str]:
    """What is wrong with a call's arguments, and with its answer."""
    methods, answers = _methods()
    if call.method not in methods:
        return [f"{call.method}: no such method"]
    problems = problems_of(f"method {call.method}", call.arguments)
    if not call.error and call.method in answers:
        problems += problems_of(f"answer {call.method}", call.result)
    return problems


def problems_of(definition: str, value: Any) -> list[str]:
    """What is wrong with a value of a type, of a method's arguments or of its answer."""
    errors = jsonschema_errors(definition, _plain(value))
    return [f"{definition} {error.json_path}: {_short(error.message)}" for error in errors]


def _short(message: str) -> str:
    """The value stands in front, and what is wrong with it at the end."""
    return message if len(message) < 300 else f"{message[:150]} ... {message[-150:]}"


def jsonschema_errors(definition: str, value: Any) -> Iterator[jsonschema.ValidationError]:
    for error in _validator(definition).iter_errors(value):
        # Of a union, what the nearest member minded says more than that none fits.
        yield jsonschema.exceptions.best_match([error]) or error


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return {"$upload": value[0]}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


# From the descriptions to one JSON Schema


@functools.cache
def _validator(definition: str) -> Any:
    return _Validator({"$ref": "#/$defs/" + definition, "$defs": _definitions()})


@functools.cache
def _definitions() -> Json:
    types, methods = _newer("types"), _newer("methods")
    unions = {name: each.get("subtypes") for name, each in _older()["types"].items()}
    found: Json = {name: _object(each["annotations"]) for name, each in types.items()}
    for name, each in types.items():
        members = UNIONS.get(name) or unions.get(name) or _listed(each["description"], types)
        if members and not each["annotations"]:
            found[name] = {"anyOf": [_type(member) for member in members]}
    found |= {f"method {name}": _object(each["annotations"]) for name, each in methods.items()}
    for name, each in _older()["methods"].items():
        found[f"answer {name}"] = {"anyOf": [_type(each) for each in each["returns"]]}
    return found


@functools.cache
def _methods() -> tuple[frozenset[str], frozenset[str]]:
    """The methods that exist, and those of which the answer is known."""
    return frozenset(_newer("methods")), frozenset(_older()["methods"])


def _object(fields: Iterable[Json]) -> Json:
    fields = list(fields)
    return {
        "type": "object",
        "properties": {each["name"]: _field(each) for each in fields},
        "required": [each["name"] for each in fields if each["required"]],
        "additionalProperties": False,
    }


def _field(field: Json) -> Json:
    said = field["description"]
    limits = _limits(said) if "String" in field["type"] or "Array" in field["type"] else {}
    return {**_type(field["type"]), **limits, **_values(field)}


def _type(text: str) -> Json:
    """``Array of Array of X``, ``X or Y``, ``X, Y and Z``."""
    if text.startswith("Array of "):
        return {"type": "array", "items": _type(text.removeprefix("Array of "))}
    members = re.split(r", | or | and ", text)
    if len(members) > 1:
        return {"anyOf": [_type(member) for member in members]}
    return _reference(text)


def _reference(name: str) -> Json:
    return SCALARS.get(name) or {"$ref": f"#/$defs/{name}"}


def _listed(description: str, types: Mapping[str, Any]) -> list[str]:
    return [name for name in re.findall(r"^\s*- (\w+)$", description, re.M) if name in types]


def _limits(said: str) -> Json:
    """Lengths, as ``1-4096 characters`` or ``At most 100 commands``."""
    found: Json = {}
    if match := re.search(r"\b(\d+)-(\d+) (characters|bytes)", said):
        unit = "Utf16" if match[3] == "characters" else "Bytes"
        found |= {f"min{unit}": int(match[1]), f"max{unit}": int(match[2])}
    if match := re.search(r"[Aa]t most (\d+) \w+ can be specified", said):
        found["maxItems"] = int(match[1])
    return found


def _values(field: Json) -> Json:
    """The texts that are allowed, where the description lists them."""
    said = field["description"]
    if field["type"] != "String":
        return {}
    if "Choose one, depending on" in said:
        return {"enum": re.findall(r"\b([a-z]+(?:_[a-z]+)*) (?:for|or) ", said)}
    if re.search(r"can be either|must be one of|currently, can be|, always '", said, re.I):
        return {"enum": re.findall(r"'([\w/]+)'", said)}
    return {}


def _newer(category: str) -> dict[str, Json]:
    return {each["name"]: each for each in _entries() if each["category"] == category}


@functools.cache
def _entries() -> list[Json]:
    def walk(node: Any) -> Iterator[Json]:
        if isinstance(node, list):
            for each in node:
                yield from walk(each)
        elif isinstance(node, dict):
            if "category" in node:
                yield node
            yield from walk(node.get("items") or node.get("children") or [])

    return list(walk(_read(NEWER)))


def _older() -> Json:
    return _read(OLDER)


@functools.cache
def _read(name: str) -> Any:
    path = shared_folder() / "contracts" / name
    if not path.exists():
        pytest.skip(f"no Telegram contract at {path}; set BOTKIT_SHARED")
    return json.loads(path.read_text())


# Lengths that JSON Schema does not count


def _length(measure: Any, holds: Any, words: str) -> Any:
    def check(validator: Any, limit: int, value: Any, schema: Json) -> Iterator[Any]:
        if isinstance(value, str) and not holds(measure(value), limit):
            yield jsonschema.ValidationError(f"{measure(value)} {words} {limit}: {value[:40]!r}")

    return check


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _bytes(text: str) -> int:
    return len(text.encode())


_Validator: Any = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {
        "minUtf16": _length(_utf16, lambda size, limit: size >= limit, "UTF-16 units, at least"),
        "maxUtf16": _length(_utf16, lambda size, limit: size <= limit, "UTF-16 units, at most"),
        "minBytes": _length(_bytes, lambda size, limit: size >= limit, "bytes, at least"),
        "maxBytes": _length(_bytes, lambda size, limit: size <= limit, "bytes, at most"),
    },
)
