"""The local completion over a tiny random model, loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tiny_models import CONTEXT, compile_cache, run_apart, write_tiny

from botkit_models.engine.config import EngineConfig
from botkit_models.local import LocalCompletion


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCompletion]:
    """Named ``tiny``; no token ends a reply, so that every reply has its budget."""
    folder = tmp_path_factory.mktemp("local") / "tiny"
    write_tiny(folder, "int8", eos=False)
    completion = LocalCompletion(
        str(folder),
        home=folder.parent,
        compile_cache=compile_cache(),
        config=EngineConfig(slots=4, context=CONTEXT, queue=8),
        warm_up=False,
    )
    run_apart(completion.start())
    yield completion
    run_apart(completion.aclose())
