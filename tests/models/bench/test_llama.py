"""The worker's protocol, with a stand-in for the library that is as strict as it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from botkit.errors import SettingsError
from botkit_models.bench.llama import LlamaSide, find_llama_python

FAKE = """
import json, os, sys, time
__version__ = "9.9.9"
log = open(os.environ["FAKE_LLAMA_LOG"], "a", buffering=1)
print("a library that prints to stdout")
os.system("echo and so does its C part")

class Llama:
    def __init__(self, model_path, *, n_ctx, n_threads, n_threads_batch, verbose):
        if not os.path.isfile(model_path):
            raise ValueError(f"Model path does not exist: {model_path}")
        assert n_threads == n_threads_batch
        self.ctx, self.n_ctx, self.tokens, self.waiting = object(), n_ctx, [], False
        print(json.dumps(["open", n_ctx, n_threads]), file=log)

    def reset(self):
        self.tokens = []

    def eval(self, tokens):
        assert not self.waiting, "the step before was not waited for"
        if len(self.tokens) + len(tokens) > self.n_ctx:
            raise RuntimeError("the context is full")
        self.tokens += tokens
        self.waiting = True
        Llama.last = self
        time.sleep(0.01)
        print(json.dumps(["eval", tokens, len(self.tokens)]), file=log)

def llama_synchronize(ctx):
    assert ctx is Llama.last.ctx
    Llama.last.waiting = False
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes ``llama_cpp`` importable in new processes; returns where it logs."""
    (tmp_path / "llama_cpp.py").write_text(FAKE)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FAKE_LLAMA_LOG", str(tmp_path / "log"))
    return tmp_path


def logged(library: Path) -> list[list[object]]:
    return [json.loads(line) for line in (library / "log").read_text().splitlines()]


def test_the_worker_reads_and_writes_on_demand(library: Path) -> None:
    with LlamaSide(sys.executable, library / "model.gguf", threads=3, context=64) as side:
        assert side.version == "9.9.9"
        assert side.prefill([1, 2, 3]) >= 0.01
        assert logged(library)[1:] == [["eval", [1, 2, 3], 3]]
        # The prompt is not in the time; each token is a step of its own.
        assert side.decode([1, 2], [7, 8, 9]) >= 0.03
        pid = side.pid
    assert logged(library) == [
        ["open", 64, 3],
        ["eval", [1, 2, 3], 3],
        ["eval", [1, 2], 2],
        ["eval", [7], 3],
        ["eval", [8], 4],
        ["eval", [9], 5],
    ]
    assert not Path(f"/proc/{pid}").exists()


def test_what_goes_wrong_in_the_library_is_told_and_the_worker_goes_on(library: Path) -> None:
    with LlamaSide(sys.executable, library / "model.gguf", threads=1, context=4) as side:
        for _ in range(2):
            with pytest.raises(SettingsError, match="RuntimeError: the context is full"):
                side.prefill([1] * 5)
        assert side.decode([1], [2]) > 0


def test_a_missing_model_file_is_told(library: Path) -> None:
    side = LlamaSide(sys.executable, library / "nothing.gguf", threads=1)
    with pytest.raises(SettingsError, match="Model path does not exist"), side:
        pass


def test_an_interpreter_without_the_library_is_told(library: Path) -> None:
    (library / "llama_cpp.py").write_text("import llama_cpp.parts")  # fails, installed or not
    side = LlamaSide(sys.executable, library / "model.gguf", threads=1)
    with pytest.raises(SettingsError, match="ModuleNotFoundError"), side:
        pass


def test_what_is_no_interpreter_is_told(tmp_path: Path) -> None:
    side = LlamaSide(str(tmp_path / "python"), tmp_path / "model.gguf", threads=1)
    with pytest.raises(SettingsError, match="cannot run"), side:
        pass


def test_a_worker_that_dies_is_told(library: Path) -> None:
    (library / "llama_cpp.py").write_text("import os; os._exit(3)")
    side = LlamaSide(sys.executable, library / "model.gguf", threads=1)
    with pytest.raises(SettingsError, match="ended with 3"), side:
        pass


def test_the_chosen_interpreter_wins(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_llama_python("/some/python") == "/some/python"
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(library)])
    monkeypatch.syspath_prepend(str(library))
    assert find_llama_python(None) == sys.executable
