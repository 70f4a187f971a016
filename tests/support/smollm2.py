"""SmolLM2 for tests: what ``botkit pull smollm2-135m`` installed, or a GGUF file that is named."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from botkit.errors import ModelFileError
from botkit.settings import Settings
from botkit_models.home import find_model
from botkit_models.weights.checkpoint import TokenizerSpec
from botkit_models.weights.gguf import read_gguf
from botkit_models.weights.native import open_native

GGUF_VARIABLE = "BOTKIT_TEST_GGUF"


def smollm2_gguf() -> Path:
    """The GGUF file that the variable names; skips the test when there is none."""
    path = os.environ.get(GGUF_VARIABLE)
    if not path:
        pytest.skip(f"set {GGUF_VARIABLE} to SmolLM2-135M-Instruct.Q4_1.gguf")
    return Path(path)


@functools.cache
def smollm2_spec() -> TokenizerSpec:
    """The model's tokenizer; skips the test when the model is not here."""
    if os.environ.get(GGUF_VARIABLE):
        return read_gguf(smollm2_gguf()).tokenizer
    try:
        return open_native(find_model("smollm2-135m", Settings.load().home)).tokenizer
    except ModelFileError:
        pytest.skip("SmolLM2 is not installed; run: botkit pull smollm2-135m")
