"""Engines over tiny random models, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_replies import SIZES
from tiny_models import compile_cache, open_tiny, run_apart

from botkit_models.engine.engine import Engine


def started(factory: pytest.TempPathFactory, weights: str) -> Iterator[Engine]:
    """An engine whose replies never end before their budget; programs compile when needed."""
    model = open_tiny(factory.mktemp("tiny") / weights, weights, eos=False)
    engine = Engine(model, SIZES, compile_cache())
    run_apart(engine.start(warm_up=False))
    yield engine
    run_apart(engine.aclose())


@pytest.fixture(scope="session")
def int8_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    yield from started(tmp_path_factory, "int8")


@pytest.fixture(scope="session")
def float32_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    yield from started(tmp_path_factory, "float32")


@pytest.fixture
def engine(int8_engine: Engine) -> Engine:
    return int8_engine
