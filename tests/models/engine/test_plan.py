"""How a model is run here: by kernels where they can, in plain XLA where they cannot or may not."""

import pytest
from engine_replies import SIZES
from tiny_models import open_tiny

from botkit.errors import SettingsError
from botkit.settings import Settings
from botkit_models import kernels
from botkit_models.engine.config import MIB, EngineConfig
from botkit_models.engine.plan import plan_for
from botkit_models.gpt.block import BLOCK


@pytest.fixture
def able(monkeypatch):
    monkeypatch.setattr(kernels, "available", lambda: True)


def test_kernels_multiply_int8_weights_unless_switched_off(tmp_path, able):
    model = open_tiny(tmp_path / "int8", "int8")
    assert plan_for(model, SIZES).use_kernels
    off = EngineConfig.of(Settings.load(cpu_kernels=False))
    assert not plan_for(model, off).use_kernels


def test_float_weights_are_left_to_xla(tmp_path, able):
    model = open_tiny(tmp_path / "float32", "float32")
    plan = plan_for(model, SIZES)
    assert (plan.use_kernels, plan.exact) == (False, False)
    strict = plan_for(model, EngineConfig(strict=True))
    assert (strict.batch_sizes, strict.drafts, strict.reuse) == ((1,), 0, False)


def test_where_kernels_cannot_run_xla_does(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "available", lambda: False)
    plan = plan_for(open_tiny(tmp_path / "int8", "int8"), SIZES)
    assert (plan.use_kernels, plan.exact, plan.reuse) == (False, True, True)


def test_a_cache_without_memory_is_refused_with_every_number(tmp_path, monkeypatch):
    some = plan_for(open_tiny(tmp_path / "tiny", "int8"), EngineConfig(slots=2, context=256))
    each = some.cache_bytes // some.blocks
    slots, kept = 2 * 256 // BLOCK * each // MIB, (some.blocks - 2 * 256 // BLOCK) * each // MIB
    assert kept > 20
    monkeypatch.setattr("botkit_models.engine.plan.free_memory", lambda: 5 * MIB)
    numbers = f"2 slots of 256 tokens need {slots} MiB .* {kept} MiB, and 5 MiB"
    with pytest.raises(SettingsError, match=f"{numbers} .*BOTKIT_SLOTS.*BOTKIT_PREFIX_CACHE"):
        some.check_memory()
    monkeypatch.setattr("botkit_models.engine.plan.free_memory", lambda: some.cache_bytes)
    some.check_memory()


def test_without_room_for_prefixes_nothing_is_used_again(tmp_path, able):
    model = open_tiny(tmp_path / "int8", "int8")
    assert not plan_for(model, EngineConfig(prefix_bytes=0)).reuse
