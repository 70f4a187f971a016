"""``openai==0.28.1`` in an environment of its own, running the calls of its time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from side_environments import python_with

SCRIPT = Path(__file__).parent / "clients" / "openai_0_28.py"


@pytest.fixture(scope="module")
def said(server: Any) -> dict[str, Any]:
    """What the old client got, by call."""
    # numpy: the client decodes base64 embeddings with it.
    python = python_with("openai-0.28", "openai==0.28.1", "numpy")
    done = subprocess.run(
        [str(python), str(SCRIPT), server.base_url, server.model],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_completion_by_engine(said: dict[str, Any], model: str) -> None:
    assert said["completion"]["object"] == "text_completion"
    assert said["completion"]["model"] == model
    assert all(said["completion"]["texts"])


def test_completion_stream(said: dict[str, Any]) -> None:
    assert said["completion_stream"]["text"]
    assert said["completion_stream"]["finish_reason"] in ("stop", "length")


def test_chat_completion(said: dict[str, Any]) -> None:
    assert said["chat"]["role"] == "assistant"
    assert said["chat"]["content"]
    assert said["chat_stream"]


def test_edit(said: dict[str, Any]) -> None:
    assert said["edit"]["object"] == "edit"
    assert said["edit"]["text"]
    assert said["edit"]["index"] == 0


def test_engines(said: dict[str, Any], model: str) -> None:
    assert model in said["engines"]
    assert said["engine"] == {"id": model, "object": "engine", "ready": True}


def test_search(said: dict[str, Any]) -> None:
    assert said["search"] == [0, 1]


def test_models(said: dict[str, Any], model: str) -> None:
    assert model in said["models"]


def test_embeddings(said: dict[str, Any]) -> None:
    assert said["embeddings"]["squared_length"] == pytest.approx(1, abs=1e-3)
    assert said["embeddings"]["by_engine"] == said["embeddings"]["size"]


def test_errors_are_caught_as_openai_errors(said: dict[str, Any]) -> None:
    assert said["errors"]["unknown_model"][0] == "InvalidRequestError"
    assert said["errors"]["unknown_model"][2] == "model"
    assert said["errors"]["bad_parameter"][1:] == [400, "temperature"]
