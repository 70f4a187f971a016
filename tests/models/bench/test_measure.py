"""Turns, medians, and what others do to them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from botkit.errors import BotkitError, CompletionError
from botkit_models.bench import measure
from botkit_models.bench.bystanders import Bystanders, machine_seconds
from botkit_models.bench.engine_side import Arrival, decode_rate
from botkit_models.bench.measure import alternate, disturbance, median, spread
from botkit_models.bench.process import (
    Memory,
    children_of,
    memory_of,
    parse_ps_time,
    parse_status,
    processor_seconds,
    proportional_memory,
)


class Sides:
    """Two sides that write down when they are asked, and a machine with planned bystanders."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, others: list[float]) -> None:
        self.calls = ""
        self._others = iter(others)
        monkeypatch.setattr(measure, "Bystanders", lambda ours: self)
        monkeypatch.setattr(measure, "PAUSE_SECONDS", 0)

    def share(self) -> float:
        return next(self._others)

    def a(self) -> float:
        self.calls += "a"
        return float(len(self.calls))

    def b(self) -> float:
        self.calls += "b"
        return float(len(self.calls))


def test_sides_take_turns_after_one_round_unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = Sides(monkeypatch, [0.0] * 3)
    turns = alternate([sides.a, sides.b], 3)
    assert sides.calls == "ab" * 4
    assert [turn.figures for turn in turns] == [(3, 4), (5, 6), (7, 8)]


def test_a_disturbed_turn_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = Sides(monkeypatch, [0.0, 0.5, 0.04])
    turns = alternate([sides.a, sides.b], 2)
    assert [turn.figures for turn in turns] == [(3, 4), (7, 8)]
    assert disturbance(max(turn.others for turn in turns)) == ""


def test_on_a_machine_that_never_rests_the_least_disturbed_turns_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sides = Sides(monkeypatch, [0.9, 0.8, 0.3, 0.7, 0.9, 0.2, 0.9, 0.9])
    turns = alternate([sides.a], 2)
    assert [turn.others for turn in turns] == [0.2, 0.3]
    assert "up to 30% of the machine" in disturbance(max(turn.others for turn in turns))


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "PATIENCE_SECONDS", 0)
    sides = Sides(monkeypatch, [0.9, 0.8])
    assert [turn.others for turn in alternate([sides.a], 2)] == [0.8, 0.9]


def test_the_median_ignores_an_outlier_and_the_spread_shows_it() -> None:
    assert median([5.0, 1.0, 400.0, 4.0, 6.0]) == 5.0
    assert spread([5.0, 1.0, 400.0]) == "1 to 400"


def test_streams_are_counted_while_all_of_them_run() -> None:
    first = [Arrival(1.0, (1,)), Arrival(2.0, (1, 1)), Arrival(3.0, (1, 1)), Arrival(9.0, (1,))]
    second = [Arrival(2.0, (1, 1, 1)), Arrival(3.0, (1,)), Arrival(4.0, (1, 1))]
    # From 2.0, when the second has begun, to 4.0, when it ends: 2 of the first, 3 of the second.
    assert decode_rate([first, second]) == pytest.approx(5 / 2)


@pytest.mark.parametrize("stream", [[], [Arrival(1.0, (1, 2, 3, 4))]])
def test_a_reply_of_one_dispatch_is_too_short(stream: list[Arrival]) -> None:
    with pytest.raises(CompletionError, match="too early"):
        decode_rate([stream])


def test_the_status_of_a_process_is_split() -> None:
    text = (
        "Name:\tx: y\nVmRSS:\t 2048 kB\nRssAnon:\t 1024 kB\nRssFile:\t 512 kB\nRssShmem:\t 512 kB\n"
    )
    assert parse_status(text) == Memory(2.0, 1.0, 1.0)
    assert parse_status("VmRSS:\t 2048 kB\n") == Memory(2.0)
    with pytest.raises(BotkitError, match="ended"):
        parse_status("Name:\tzombie\n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0:01.50", 1.5), ("01:02:03", 3723), ("2-00:00:01", 172801)]
)
def test_times_of_ps_are_read(text: str, seconds: float) -> None:
    assert parse_ps_time(text) == seconds


def test_this_process_has_memory_and_uses_time() -> None:
    held = bytearray(os.urandom(1 << 20)) * 64
    before = processor_seconds(os.getpid())
    memory = memory_of(os.getpid())
    assert memory.resident > len(held) / (1 << 20)
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    assert processor_seconds(os.getpid()) - before >= 0.2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_children_are_found_while_they_run() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in children_of(os.getpid())
        assert children_of(child.pid) == []
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but not forgotten
        assert child.pid not in children_of(os.getpid())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_shared_memory_counts_in_part() -> None:
    proportional = proportional_memory(os.getpid())
    assert proportional is not None
    assert 1 < proportional <= memory_of(os.getpid()).resident * 1.1
    assert proportional_memory(0) is None


def test_a_process_that_ended_is_named() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(BotkitError, match=f"{process.pid} is gone"):
        memory_of(process.pid)


def test_what_we_use_ourselves_is_not_others(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    ticks = os.sysconf("SC_CLK_TCK")
    stat.write_text(f"cpu {2 * ticks} 0 {ticks} 900 0 0 0 0 0 0\ncpu0 1 1 1\n")
    assert machine_seconds(stat) == 3.0
    watch = Bystanders(stat=stat)
    time.sleep(0.1)
    assert watch.share() == 0.0
    stat.write_text(f"cpu {20 * ticks} 0 {ticks} 900 0 0 0 0 0 0\n")
    assert watch.share() == 1.0


def test_where_the_system_does_not_count_nothing_is_known(tmp_path: Path) -> None:
    assert machine_seconds(tmp_path / "stat") == 0.0
    assert Bystanders(stat=tmp_path / "stat").share() == 0.0
