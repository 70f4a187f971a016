"""``botkit bench`` from end to end, on a tiny random model: that it works, not how fast it is."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from botkit.settings import Settings
from botkit_models.bench import engine_side, memory, quoting, server, speed, turns
from botkit_models.bench.dialogues import find_dialogues, read_dialogues
from botkit_models.bench.parts import CONTEST_PARTS
from botkit_models.bench.quality import compare, log_probs, quality_rows
from botkit_models.bench.run import Bench, Plan
from botkit_models.bench.server import compiled_programs, server_rows
from botkit_models.commands.bench import bench
from botkit_models.weights.convert import convert
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import open_native

FIXTURE = Path(__file__).parents[1] / "fixtures" / "llama"
TEMPLATE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tiny model installed as int8, and beside it as float32."""
    home = tmp_path_factory.mktemp("home")
    (home / "models").mkdir()
    checkpoint = read_huggingface(FIXTURE)
    tokenizer = dataclasses.replace(checkpoint.tokenizer, chat_template=TEMPLATE, eos_ids=())
    checkpoint = dataclasses.replace(checkpoint, tokenizer=tokenizer)
    convert(checkpoint, home / "models" / "tiny", weights="int8")
    convert(checkpoint, home / "models" / "tiny-float32", weights="float32")
    return home


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A shared folder with three dialogues in two files."""
    folder = tmp_path / "shared" / "datasets" / "sgd" / "dev"
    folder.mkdir(parents=True)
    (folder / "schema.json").write_text("[]")
    for name, texts in {"001": ["one", "two"], "002": ["three"]}.items():
        dialogues = [
            {"turns": [turn("USER", f"say {text}"), turn("SYSTEM", f"it is {text}")]}
            for text in texts
        ]
        (folder / f"dialogues_{name}.json").write_text(json.dumps(dialogues))
    return tmp_path / "shared"


def turn(speaker: str, utterance: str) -> dict[str, Any]:
    return {"speaker": speaker, "utterance": utterance, "frames": []}


def test_the_engine_is_measured_without_llama_cpp(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTKIT_HOME", str(home))
    monkeypatch.setenv("BOTKIT_CONTEXT", "64")
    monkeypatch.delenv("BOTKIT_BENCH_LLAMA_PYTHON", raising=False)
    monkeypatch.setattr("botkit_models.bench.llama.find_llama_python", lambda chosen: chosen)
    monkeypatch.setattr(engine_side, "SLOTS", 2)
    monkeypatch.setattr(speed, "READ", (32,))
    monkeypatch.setattr(speed, "STREAMS", (2,))
    monkeypatch.setattr(quoting, "ARTICLES", ("A. b", "C. d"))
    monkeypatch.setattr(quoting, "ASKED", "")
    monkeypatch.setattr(quoting, "BEGUN", "")
    monkeypatch.setattr(turns, "TURNS", 2)
    monkeypatch.setattr(turns, "REPLY", 2)
    monkeypatch.setattr(turns.Conversation, "_question", lambda self: f"{self.number}?")
    monkeypatch.setattr(turns, "SYSTEM", "")
    monkeypatch.setattr(turns, "PROFILE", "{number}")
    written = tmp_path / "bench.json"
    parts = [word for part in CONTEST_PARTS for word in ("--only", part)]
    arguments = ["--quick", *parts, "--model", "tiny", "--json", str(written)]
    done = CliRunner().invoke(bench, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "llama.cpp not installed; run: pip install llama-cpp-python" in done.stdout
    found = json.loads(written.read_text())
    assert found["conditions"]["model"] == "tiny"
    assert found["conditions"]["llama_cpp"] is None
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == [
        "prefill of 32 tokens",
        "decode, one stream, positions 32 to 64",
        "decode, one stream, answers that quote a help page",
        "decode, 2 streams, all together",
        "first token of turn 2, a system prompt of its own",
        "first token of turn 2, a system prompt that others had",
    ]
    for row in found["rows"]:
        assert row["ours"] > 0, row
    for name in list(rows)[-2:]:
        late = rows.pop(name)
        assert late["reference"] == "turn 1"
        assert late["theirs"] > 0
    for row in rows.values():
        assert row["theirs"] is None
        assert row["met"] is None


def test_a_model_that_is_not_installed_is_a_note_and_no_failure(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path, model="nothing")
    (row,) = Bench(Plan(settings, parts=("decode",), quick=True, tell=lambda _: None)).rows()
    assert row.ours is None
    assert "botkit pull nothing" in row.note


def test_importing_botkit_is_measured_beside_a_bare_interpreter(tmp_path: Path) -> None:
    plan = Plan(Settings.load(home=tmp_path), parts=("import",), quick=True, tell=lambda _: None)
    whole, heavy = Bench(plan).rows()
    assert whole.ours is not None
    assert whole.theirs is not None
    assert whole.ours > 1
    assert whole.theirs > 1
    assert (heavy.ours, heavy.met) == (0, True)


def test_the_server_is_started_asked_and_stopped(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "QUESTIONS", ("Hi?", "Oh?"))
    monkeypatch.setattr(server, "LONG", "a")
    monkeypatch.setattr(server, "REPLY", 8)
    monkeypatch.setenv("BOTKIT_API_KEYS", "someone-elses")
    settings = Settings.load(home=home, model="tiny", slots=2, context=64)
    rows = {row.name: row for row in server_rows(settings, 1)}
    assert list(rows) == [
        "warm start to /healthz",
        "warm start to /readyz",
        "warm start to the first token",
        "warm start: programs compiled",
        "resident memory after chats",
    ]
    starts = [
        rows[f"warm start to {what}"].ours for what in ("/healthz", "/readyz", "the first token")
    ]
    assert starts == sorted(starts, key=lambda one: one or 0)
    assert starts[0]
    assert rows["warm start: programs compiled"].met
    memory = rows["resident memory after chats"]
    assert memory.ours is not None
    assert memory.ours > 50


def test_a_server_is_filled_and_its_memory_watched(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SLOTS", 2)
    monkeypatch.setattr(memory, "CONTEXT", 64)
    monkeypatch.setattr(memory, "CHARS", 32)
    monkeypatch.setattr(memory, "REPLY", 8)
    settings = Settings.load(home=home, model="tiny")
    (row,) = memory.memory_rows(settings)
    assert row.name == "resident memory, 2 slots of 64 tokens, all full"
    assert row.ours is not None
    assert row.ours > 50
    assert "2 times 2 chats together" in row.note


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "broken"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    settings = Settings.load(home=tmp_path, model="broken")
    (row,) = Bench(Plan(settings, parts=("server",), quick=True, tell=lambda _: None)).rows()
    assert row.ours is None
    assert "botkit serve ended with" in row.note


def test_programs_are_counted_without_notes_of_their_use(tmp_path: Path) -> None:
    assert compiled_programs(tmp_path / "nothing") == frozenset()
    for name in ("jit_step-1f-cache", "jit_step-1f-atime", "programs-2e.json"):
        (tmp_path / name).write_bytes(b"")
    assert {path.name for path in compiled_programs(tmp_path)} == {"jit_step-1f-cache"}


def test_int8_is_compared_with_float32_on_dialogues(home: Path, dataset: Path) -> None:
    folder = find_dialogues(dataset)
    assert folder is not None
    dialogues = read_dialogues(folder, 16)
    assert dialogues[2] == [
        {"role": "user", "content": "say three"},
        {"role": "assistant", "content": "it is three"},
    ]
    models = home / "models"
    perplexity, kl, agreement = quality_rows(models / "tiny", models / "tiny-float32", dialogues)
    assert perplexity.ratio == pytest.approx(1, abs=0.05)
    assert perplexity.ours != perplexity.theirs
    assert kl.ours is not None
    assert 0 < kl.ours < 0.1
    assert agreement.ours is not None
    assert 50 < agreement.ours <= 100


def test_a_model_compared_with_itself_is_equal(home: Path) -> None:
    run = log_probs(open_native(home / "models" / "tiny-float32"))
    tokens = [5, 6, 7, 8]
    found = compare(run, run, [tokens, [9], [7, 8]])
    assert found.tokens == 4  # each text's first token is not predicted
    assert found.loss == found.reference_loss
    assert (found.kl, found.agreement) == (pytest.approx(0, abs=1e-6), 1)
    padded = np.zeros((1, 128), np.int32)
    padded[0, :4] = tokens
    table = np.asarray(run(padded))
    again = -np.mean([table[0, 6], table[1, 7], table[2, 8]])
    single = compare(run, run, [tokens])
    assert single.loss == pytest.approx(again, rel=1e-5)
    assert math.exp(single.loss) > 1


def test_dialogues_that_are_not_there_are_a_note(home: Path, tmp_path: Path) -> None:
    settings = Settings.load(home=home, model="tiny")
    plan = Plan(settings, parts=("quality",), shared=tmp_path, tell=lambda _: None)
    (row,) = Bench(plan).rows()
    assert "BOTKIT_SHARED" in row.note


def test_quality_needs_the_file_the_model_was_made_of(home: Path, dataset: Path) -> None:
    settings = Settings.load(home=home, model="tiny")
    plan = Plan(settings, parts=("quality",), shared=dataset, tell=lambda _: None)
    assert "--gguf" in Bench(plan).rows()[0].note
    plan = dataclasses.replace(plan, gguf=dataset / "nothing.gguf")
    assert "there is no file" in Bench(plan).rows()[0].note


def test_real_dialogues_alternate_between_user_and_assistant() -> None:
    folder = find_dialogues(Path(os.environ.get("BOTKIT_SHARED", "../shared")))
    if folder is None:
        pytest.skip("the dialogues are not here; set BOTKIT_SHARED")
    dialogues = read_dialogues(folder, 16)
    assert len(dialogues) == 16
    for dialogue in dialogues:
        assert [turn["role"] for turn in dialogue[:2]] == ["user", "assistant"]
