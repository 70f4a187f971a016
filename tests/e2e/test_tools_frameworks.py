"""Tools and typed answers through ``langchain-openai``, ``pydantic-ai`` and ``instructor``, written
by the real default model. ``instructor`` wants an older ``openai`` than ``pydantic-ai`` does, so
that each has an environment of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from local_model import MODEL, LocalServer
from side_environments import python_with

CLIENTS = Path(__file__).parent / "clients"
WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 20},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "degrees": {"type": "integer", "minimum": -50, "maximum": 60},
    },
    "required": ["city", "unit", "degrees"],
    "additionalProperties": False,
}


def run(python: Path, script: str, server: LocalServer) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), str(CLIENTS / script), f"{server.url}/v1", MODEL],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def frameworks(local_server: LocalServer) -> dict[str, Any]:
    python = python_with("frameworks", "langchain-openai>=0.3", "pydantic-ai-slim[openai]>=1")
    return run(python, "framework_tools.py", local_server)


@pytest.fixture(scope="module")
def instructed(local_server: LocalServer) -> dict[str, Any]:
    python = python_with("instructor", "instructor>=1.7,<2")
    return run(python, "instructor_tools.py", local_server)


def test_langchain_calls_tools(frameworks: dict[str, Any]) -> None:
    said = frameworks["langchain"]
    ((name, arguments),) = said["required"]
    assert name in ("get_weather", "get_time")
    assert set(arguments) == ({"city", "unit"} if name == "get_weather" else set())
    assert said["get_time"] == said["streamed"] == [["get_time", {}]]
    assert said["none"] == []
    assert all(name in ("get_weather", "get_time") for name, _ in said["auto"])


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_langchain_gets_typed_answers(frameworks: dict[str, Any], method: str) -> None:
    jsonschema.validate(frameworks["langchain"][method], WEATHER)


@pytest.mark.parametrize("way", ["tool", "tool streamed", "native", "native streamed"])
def test_pydantic_ai_gets_typed_answers(frameworks: dict[str, Any], way: str) -> None:
    jsonschema.validate(frameworks["pydantic_ai"][way], WEATHER)


@pytest.mark.parametrize("way", ["", " streamed"])
@pytest.mark.parametrize("mode", ["TOOLS", "JSON_SCHEMA", "TOOLS_STRICT"])
def test_instructor_gets_typed_answers(instructed: dict[str, Any], mode: str, way: str) -> None:
    jsonschema.validate(instructed[mode + way], WEATHER)
