"""Loading a model into a :class:`Runtime`. Importing this imports JAX."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

import jax

from botkit.errors import SettingsError
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Engine
from botkit_models.engine.plan import Plan
from botkit_models.local.requests import Prompts
from botkit_models.local.runtime import Runtime
from botkit_models.lora.stacked import NO_ADAPTERS, LoraSet, load_adapters
from botkit_models.structured import GrammarCompiler
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.native import WEIGHTS_FILE, open_native


def load_runtime(folder: Path, config: EngineConfig, compile_cache: Path) -> Runtime:
    """:func:`load_runtimes` without adapters.

    Raises:
        ModelFileError: The folder is damaged.
    """
    return load_runtimes(folder, config, compile_cache, {})[0]


def load_runtimes(
    folder: Path, config: EngineConfig, compile_cache: Path, lora: Mapping[str, Path]
) -> list[Runtime]:
    """Map the weights of a serving folder and build the engine; compiles nothing yet.

    Returns the model as it is and then with each of the adapters in ``lora`` (name to folder).

    Raises:
        ModelFileError: The folder or an adapter is damaged, or does not fit.
        SettingsError: An adapter has the model's name.
    """
    if folder.name in lora:
        raise SettingsError(
            f"the adapter {folder.name!r} has the name of the model; choose another"
        )
    model = open_native(folder)
    tokenizer = Tokenizer(model.tokenizer)
    adapters = load_adapters(model, lora) if lora else NO_ADAPTERS
    engine = Engine(model, config, compile_cache, adapters)
    base = Runtime(
        name=folder.name,
        created=int((folder / WEIGHTS_FILE).stat().st_mtime),
        fingerprint=_fingerprint(folder, engine.plan),
        tokenizer=tokenizer,
        prompts=Prompts(tokenizer, engine.limit),
        engine=engine,
        grammars=GrammarCompiler(tokenizer, model.config.vocab_size),
    )
    return [base, *(_adapted(base, adapters, place, lora) for place in range(len(lora)))]


def _adapted(base: Runtime, adapters: LoraSet, place: int, lora: Mapping[str, Path]) -> Runtime:
    name = adapters.names[place]
    return dataclasses.replace(
        base,
        name=name,
        fingerprint=_short((base.fingerprint, adapters.digests[place])),
        adapter=place,
        root=lora[name].name,
        parent=base.name,
    )


def _fingerprint(folder: Path, plan: Plan) -> str:
    """Of the weights (their size and time stand for them), the compiler and the arithmetic."""
    stat = (folder / WEIGHTS_FILE).stat()
    arithmetic = (jax.__version__, jax.default_backend(), plan.use_kernels)
    return _short((stat.st_size, stat.st_mtime_ns, *arithmetic))


def _short(parts: tuple[object, ...]) -> str:
    return "fp_" + hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
