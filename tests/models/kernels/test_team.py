"""The threads behind the kernels: callers at the same time, starts and stops, ends of processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import jax
import numpy as np
import pytest

from botkit_models import kernels

ROUNDS = 60


def product(seed: int, rows: int):
    """A function that multiplies, and what it gives alone."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-127, 128, (700, 320)).astype(np.int8)
    scale = np.ones(700, np.float32)
    x = rng.standard_normal((rows, 320)).astype(np.float32)
    positions = np.zeros(rows, np.int32)
    call = jax.jit(lambda x: kernels.linear(x, weight, scale, positions))

    def run() -> np.ndarray:
        return np.asarray(call(x))

    return run, run()


def repeat(run, expected: np.ndarray, wrong: list[int]) -> None:
    wrong.extend(n for n in range(ROUNDS) if not np.array_equal(run(), expected))


def test_callers_at_the_same_time_do_not_disturb_one_another(workers):
    wrong: list[int] = []
    calls = [product(seed, rows) for seed, rows in enumerate((1, 9, 70))]
    threads = [threading.Thread(target=repeat, args=(*call, wrong)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_workers_may_come_and_go_while_kernels_run(team):
    wrong: list[int] = []
    thread = threading.Thread(target=repeat, args=(*product(1, 30), wrong))
    thread.start()
    for workers in (0, 2, 1, 3, 0, 1):
        team.start(workers)
    thread.join()
    assert wrong == []


def test_the_workers_are_gone_after_a_stop(team):
    def workers() -> int:
        return sum(thread.name.startswith("botkit-kernel") for thread in threading.enumerate())

    team.start(2)
    assert workers() == 2
    team.stop()
    assert workers() == 0


ENDS = {
    "at rest": "",
    "while another thread works": """
threading.Thread(target=lambda: [run() for _ in range(500)]).start()
""",
}

PROGRAM = """
import threading
import jax, numpy as np
from botkit_models import kernels
kernels.register()
x, weight = np.ones((8, 320), np.float32), np.ones((700, 320), np.int8)
call = jax.jit(lambda x: kernels.linear(x, weight, np.ones(700, np.float32), np.zeros(8, np.int32)))
def run():
    return np.asarray(call(x))
run()
"""


@pytest.mark.parametrize("end", ENDS)
def test_a_process_ends_cleanly(team, end):
    program = [sys.executable, "-c", PROGRAM + ENDS[end]]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_forked_child_has_no_workers_and_works_alone(team):
    program = (
        PROGRAM
        + """
import os, warnings
from botkit_models.kernels.registry import register_once
warnings.simplefilter("ignore")  # JAX warns of forks: here the child uses no JAX.
if (child := os.fork()) == 0:
    os._exit(len(register_once()._threads))
assert os.waitpid(child, 0)[1] == 0
run()
"""
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=120, check=False)
    assert done.returncode == 0


def test_machine_code_is_kept_and_read_back(team, tmp_path: Path):
    from botkit_models.kernels import jit
    from botkit_models.kernels.code_file import read_code, write_code
    from botkit_models.kernels.registry import TARGETS, _compile

    assert read_code(tmp_path) is None
    code = _compile(tmp_path)
    assert read_code(tmp_path) == code
    assert all(jit.load(code).address(target) for target in TARGETS)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    assert read_code(tmp_path) is None
    write_code(tmp_path, code)
    assert read_code(tmp_path) == code


def test_a_folder_that_cannot_be_written_is_said_and_no_error(team, tmp_path: Path, caplog):
    from botkit_models.kernels.code_file import write_code

    (tmp_path / "file").touch()
    write_code(tmp_path / "file", b"code")
    assert "cannot be kept" in caplog.text
