"""How much memory is free, as systems and containers tell it."""

import pytest

from botkit.errors import SettingsError
from botkit_models.engine import plan, room
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Engine

GIB = 1 << 30


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "CGROUP", tmp_path)
    monkeypatch.setattr(room, "_available", lambda: 100 * GIB)
    return tmp_path


def version_2(folder, limit):
    (folder / "memory.max").write_text(limit)
    (folder / "memory.current").write_text(str(3 * GIB))
    (folder / "memory.stat").write_text(f"anon 5\nfile {2 * GIB}\nshmem {GIB}\n")


def test_files_can_make_room_but_not_those_in_memory_alone(cgroup):
    version_2(cgroup, str(8 * GIB))
    assert room.free_memory() == 6 * GIB


def test_no_limit_leaves_what_the_system_has(cgroup):
    version_2(cgroup, "max")
    assert room.free_memory() == 100 * GIB


def test_version_1_is_read_where_there_is_no_2(cgroup):
    folder = cgroup / "memory"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(str(4 * GIB))
    (folder / "memory.usage_in_bytes").write_text(str(3 * GIB))
    (folder / "memory.stat").write_text(f"total_cache {GIB}\ntotal_shmem 0\n")
    assert room.free_memory() == 2 * GIB
    (folder / "memory.limit_in_bytes").write_text("9223372036854771712")
    assert room.free_memory() == 100 * GIB


def test_this_system_tells():
    assert room.free_memory() > 0


async def test_slots_that_do_not_fit_are_refused_with_all_numbers(engine, monkeypatch):
    monkeypatch.setattr(plan, "free_memory", lambda: 5 << 20)
    large = Engine(engine.model, EngineConfig(slots=64, context=8192))
    with pytest.raises(SettingsError, match=r"64 slots of 8192 tokens need \d+ MiB .* 5 MiB"):
        await large.start()
