"""SmolLM2 for tests: what ``botkit pull smollm2-135m`` installed, or a GGUF file that is named."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest
from local_model import local_home

from botkit_models.home import find_model, source_file
from botkit_models.weights.checkpoint import TokenizerSpec
from botkit_models.weights.gguf import read_gguf
from botkit_models.weights.native import open_native

GGUF_VARIABLE = "BOTKIT_TEST_GGUF"


def smollm2_gguf() -> Path:
    """The GGUF file that the variable names, or that the pull kept; skips where there is none."""
    path = os.environ.get(GGUF_VARIABLE)
    if path:
        return Path(path)
    kept = source_file("smollm2-135m", local_home())
    if not kept.is_file():
        pytest.skip("no GGUF file was kept; run: botkit pull --keep-source smollm2-135m")
    return kept


@functools.cache
def smollm2_spec() -> TokenizerSpec:
    """The model's tokenizer; skips the test when the model is not here."""
    if os.environ.get(GGUF_VARIABLE):
        return read_gguf(smollm2_gguf()).tokenizer
    return open_native(find_model("smollm2-135m", local_home())).tokenizer
