"""Loading a model into a :class:`Runtime`. Importing this imports JAX."""

from __future__ import annotations

import hashlib
from pathlib import Path

import jax

from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Engine
from botkit_models.local.requests import Prompts
from botkit_models.local.runtime import Runtime
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.native import WEIGHTS_FILE, open_native


def load_runtime(folder: Path, config: EngineConfig, compile_cache: Path) -> Runtime:
    """Map the weights of a serving folder and build the engine; compiles nothing yet.

    Raises:
        ModelFileError: The folder is damaged.
    """
    model = open_native(folder)
    tokenizer = Tokenizer(model.tokenizer)
    engine = Engine(model, config, compile_cache)
    return Runtime(
        name=folder.name,
        created=int((folder / WEIGHTS_FILE).stat().st_mtime),
        fingerprint=_fingerprint(folder),
        tokenizer=tokenizer,
        prompts=Prompts(tokenizer, engine.limit),
        engine=engine,
    )


def _fingerprint(folder: Path) -> str:
    """Of the weights (their size and time stand for them), the compiler and the backend."""
    stat = (folder / WEIGHTS_FILE).stat()
    parts = (stat.st_size, stat.st_mtime_ns, jax.__version__, jax.default_backend())
    return "fp_" + hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
