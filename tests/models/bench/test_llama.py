"""The worker's protocol, with a stand-in for the library that is stricter than it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from botkit.errors import SettingsError
from botkit_models.bench.llama import LlamaSide, find_llama_python

FAKE = """
import json, os, sys, time
from types import SimpleNamespace

__version__ = "9.9.9"
log = open(os.environ["FAKE_LLAMA_LOG"], "a", buffering=1)
print("a library that prints to stdout")
os.system("echo and so does its C part")

class Context:
    def __init__(self, parameters):
        self.room = parameters.n_ctx // parameters.n_seq_max
        self.most, self.batch = parameters.n_seq_max, parameters.n_batch
        self.caches, self.waiting = None, False

def llama_backend_init():
    pass

def llama_model_default_params():
    return SimpleNamespace(use_mmap=True)

def llama_model_load_from_file(path, parameters):
    assert parameters.use_mmap
    return object() if os.path.isfile(path) else None

def llama_context_default_params():
    return SimpleNamespace(n_ctx=512, n_seq_max=1, n_batch=2048, n_ubatch=512, n_threads=4)

def llama_init_from_model(model, parameters):
    assert parameters.n_threads == parameters.n_threads_batch
    assert parameters.n_ctx % 256 == 0
    if parameters.n_ctx > 1024:
        return None
    print(json.dumps(["open", parameters.n_ctx, parameters.n_seq_max]), file=log)
    return Context(parameters)

def llama_get_memory(context):
    return context

def llama_memory_clear(memory, data):
    memory.caches = [0] * memory.most

def llama_batch_init(tokens, embedding, sequences):
    assert embedding == 0
    return SimpleNamespace(
        n_tokens=0, token=[None] * tokens, pos=[None] * tokens, n_seq_id=[None] * tokens,
        seq_id=[[None] * sequences for _ in range(tokens)], logits=[None] * tokens,
    )

def llama_decode(context, batch):
    assert not context.waiting, "the call before was not waited for"
    assert 0 < batch.n_tokens <= context.batch
    for place in range(batch.n_tokens):
        assert batch.n_seq_id[place] == 1
        sequence = batch.seq_id[place][0]
        assert batch.pos[place] == context.caches[sequence], "a position was left out"
        if context.caches[sequence] == context.room:
            return 1
        context.caches[sequence] += 1
    context.waiting = True
    time.sleep(0.01)
    said = [
        (batch.seq_id[place][0], batch.token[place])
        for place in range(batch.n_tokens) if batch.logits[place]
    ]
    print(json.dumps(["decode", batch.n_tokens, said]), file=log)
    return 0

def llama_synchronize(context):
    context.waiting = False
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
    with LlamaSide(sys.executable, library / "model.gguf", threads=3) as side:
        assert side.version == "9.9.9"
        assert side.prefill([1, 2, 3]) >= 0.01
        # The prompt is not in the time; each token is a call of its own, with its logits.
        assert side.decode([[1, 2]], [[7, 8, 9]]) >= 0.03
        pid = side.pid
    assert logged(library) == [
        ["open", 256, 1],
        ["decode", 3, [[0, 3]]],
        ["decode", 2, [[0, 2]]],
        ["decode", 1, [[0, 7]]],
        ["decode", 1, [[0, 8]]],
        ["decode", 1, [[0, 9]]],
    ]
    assert not Path(f"/proc/{pid}").exists()


def test_sequences_are_written_together_and_the_shorter_ones_end(library: Path) -> None:
    with LlamaSide(sys.executable, library / "model.gguf", threads=3) as side:
        for _ in range(2):  # the context is there already, and empty again
            side.decode([[1, 2], [3]], [[7, 8, 9], [5]])
    calls = [
        ["decode", 2, [[0, 2]]],
        ["decode", 1, [[1, 3]]],
        ["decode", 2, [[0, 7], [1, 5]]],
        ["decode", 1, [[0, 8]]],
        ["decode", 1, [[0, 9]]],
    ]
    assert logged(library) == [["open", 512, 2], *calls, *calls]


def test_a_long_prompt_is_read_in_calls_of_its_own(library: Path) -> None:
    with LlamaSide(sys.executable, library / "model.gguf", threads=3) as side:
        side.prefill(list(range(600)))
    assert logged(library) == [
        ["open", 768, 1],
        ["decode", 512, []],
        ["decode", 88, [[0, 599]]],
    ]


def test_what_goes_wrong_in_the_library_is_told_and_the_worker_goes_on(library: Path) -> None:
    with LlamaSide(sys.executable, library / "model.gguf", threads=1) as side:
        for _ in range(2):
            with pytest.raises(SettingsError, match="no context for 1 sequences of 1280"):
                side.prefill([1] * 1025)
        assert side.decode([[1]], [[2]]) > 0


def test_a_missing_model_file_is_told(library: Path) -> None:
    side = LlamaSide(sys.executable, library / "nothing.gguf", threads=1)
    with pytest.raises(SettingsError, match=r"cannot load .*nothing\.gguf"), side:
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
