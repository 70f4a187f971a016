"""Tiny random models in serving form, and engines over them."""

from __future__ import annotations

import asyncio
import atexit
import dataclasses
import functools
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

from botkit_models.weights.convert import convert
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import NativeModel, open_native

FIXTURES = Path(__file__).parents[1] / "models" / "fixtures"
CONTEXT = 512


def write_tiny(
    folder: Path, weights: Literal["int8", "float32"], *, family: str = "llama", eos: bool = True
) -> Path:
    """A serving folder of a fixture family with room for ``CONTEXT`` positions (GPT-2: its 64).

    Without ``eos`` no token ends a reply, so that every reply has exactly its budget.
    """
    checkpoint = read_huggingface(FIXTURES / family)
    spec = checkpoint.tokenizer if eos else dataclasses.replace(checkpoint.tokenizer, eos_ids=())
    config = checkpoint.config
    if config.position == "rotary":
        config = dataclasses.replace(config, max_positions=CONTEXT)
    convert(dataclasses.replace(checkpoint, config=config, tokenizer=spec), folder, weights=weights)
    return folder


def open_tiny(
    folder: Path, weights: Literal["int8", "float32"], *, family: str = "llama", eos: bool = True
) -> NativeModel:
    """The model of :func:`write_tiny`, opened."""
    return open_native(write_tiny(folder, weights, family=family, eos=eos))


@functools.cache
def compile_cache() -> Path:
    """One folder of compiled programs for the whole test run; JAX cannot change it midway."""
    folder = tempfile.mkdtemp(prefix="botkit-test-programs-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def run_apart(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end in a thread with a loop of its own (for session fixtures)."""
    outcome: list[Any] = []
    thread = threading.Thread(target=lambda: outcome.append(asyncio.run(coroutine)))
    thread.start()
    thread.join()
    return outcome[0]
