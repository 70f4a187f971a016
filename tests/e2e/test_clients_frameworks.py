"""``langchain-openai`` and ``pydantic-ai``, in an environment of their own, streaming."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from side_environments import python_with

SCRIPT = Path(__file__).parent / "clients" / "frameworks.py"


@pytest.fixture(scope="module")
def said(server: Any) -> dict[str, Any]:
    python = python_with("frameworks", "langchain-openai>=0.3", "pydantic-ai-slim[openai]>=1")
    done = subprocess.run(
        [str(python), str(SCRIPT), server.base_url, server.model],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("framework", ["langchain", "pydantic_ai"])
def test_pieces_are_the_whole(said: dict[str, Any], framework: str) -> None:
    pieces = said[framework]["pieces"]
    assert len(pieces) > 1
    assert "".join(pieces) == said[framework]["whole"]
