"""An engine over a tiny int8 model with two adapters, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_replies import SIZES
from lora_adapters import tiny_adapter
from tiny_models import compile_cache, open_tiny, run_apart

from botkit_models.engine.engine import Engine
from botkit_models.lora.stacked import load_adapters
from botkit_models.weights.native import NativeModel

SUPPORT, SALES = 0, 1


@pytest.fixture(scope="session")
def adapter_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``support`` changes two projections with rank 2, ``sales`` every one with rank 4."""
    folder = tmp_path_factory.mktemp("adapters")
    support = tiny_adapter(targets=("q_proj", "v_proj"), rank=2, seed=1, strength=0.6)
    return {
        "support": support.write(folder / "support"),
        "sales": tiny_adapter(rank=4, seed=2).write(folder / "sales"),
    }


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> NativeModel:
    """The model; no token ends a reply."""
    return open_tiny(tmp_path_factory.mktemp("tiny") / "int8", "int8", eos=False)


@pytest.fixture(scope="session")
def adapted(tiny: NativeModel, adapter_folders: dict[str, Path]) -> Iterator[Engine]:
    """The engine; programs compile when needed."""
    engine = Engine(tiny, SIZES, compile_cache(), load_adapters(tiny, adapter_folders))
    run_apart(engine.start(warm_up=False))
    yield engine
    run_apart(engine.aclose())
