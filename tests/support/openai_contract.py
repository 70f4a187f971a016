"""OpenAI's own OpenAPI document as a judge of what we send."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest


def shared_folder() -> Path:
    """Third-party data that tests may use: ``$BOTKIT_SHARED``, or ``shared`` beside the tree."""
    chosen = os.environ.get("BOTKIT_SHARED")
    return Path(chosen) if chosen else Path(__file__).parents[3] / "shared"


def check(schema: str, value: Any) -> None:
    """Assert that ``value`` is a valid ``schema`` of the document, down to unknown fields' absence
    where the document forbids them."""
    errors = sorted(_validator(schema).iter_errors(value), key=str)
    assert not errors, "\n".join(
        f"{schema} {error.json_path}: {error.message}" for error in errors[:5]
    )


@functools.cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    document = _document()
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    )


@functools.cache
def _document() -> Any:
    path = shared_folder() / "contracts" / "openai_openapi.json"
    if not path.exists():
        pytest.skip(f"no OpenAI contract at {path}; set BOTKIT_SHARED")
    return _modern(json.loads(path.read_text()))


def _modern(node: Any) -> Any:
    """OpenAPI 3.0's ``nullable: true`` as JSON Schema says it; the document mixes both."""
    if isinstance(node, list):
        return [_modern(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    # ``properties`` may hold a property of that very name; only a schema's own keyword counts.
    nullable = node.get("nullable") is True
    rest = {
        key: _modern(value) for key, value in node.items() if not (key == "nullable" and nullable)
    }
    return {"anyOf": [rest, {"type": "null"}]} if nullable else rest
