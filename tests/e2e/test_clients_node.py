"""The ``openai`` Node SDK against a running server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from side_environments import node_with

FOLDER = Path(__file__).parent / "clients" / "node"


@pytest.fixture(scope="module")
def said(server: Any) -> dict[str, Any]:
    packages = node_with(FOLDER / "package.json")
    done = subprocess.run(
        ["node", str(FOLDER / "client.mjs"), str(packages), server.base_url, server.model],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_chat(said: dict[str, Any]) -> None:
    assert said["whole"]
    assert said["requestId"]


def test_a_stream_says_the_same_and_ends_with_usage(said: dict[str, Any]) -> None:
    assert said["streamed"] == said["whole"]
    assert said["usage"]["completion_tokens"] > 0


def test_models(said: dict[str, Any], model: str) -> None:
    assert model in said["models"]


def test_embeddings_and_text(said: dict[str, Any]) -> None:
    assert said["embedding"] == pytest.approx(1, abs=1e-3)
    assert said["text"]


def test_errors_have_their_classes(said: dict[str, Any]) -> None:
    assert said["errors"]["model"] == {
        "name": "NotFoundError",
        "status": 404,
        "code": "model_not_found",
        "param": "model",
    }
    assert said["errors"]["parameter"]["name"] == "BadRequestError"
    assert said["errors"]["parameter"]["param"] == "temperature"
