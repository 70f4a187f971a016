"""Every family on eight forced host devices, in a process of its own, against one device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from botkit_models.weights.huggingface import read_huggingface

PROGRAM = Path(__file__).with_name("sharded_families.py")
FIXTURES = Path(__file__).parents[1] / "fixtures"
SECONDS = 900  # of compiling; a busy machine takes its time
pytestmark = pytest.mark.timeout(2 * SECONDS)
FAMILIES = sorted(folder.parent.name for folder in FIXTURES.glob("*/config.json"))
INT8_FAMILIES = ("gpt2", "llama")
BOTH, ALL_TENSOR = (4, 2), (1, 8)


@pytest.fixture(scope="module")
def found():
    """What the program printed: both axes for every family, and one mesh that does not divide."""
    command = [
        sys.executable,
        str(PROGRAM),
        json.dumps([BOTH]),
        *(str(FIXTURES / f) for f in FAMILIES),
    ]
    flags = "--xla_force_host_platform_device_count=8"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    both = _run(command, environment)
    command[2:] = [json.dumps([ALL_TENSOR]), str(FIXTURES / "llama")]
    return both | {"does not divide": _run(command, environment)["llama"]}


def _run(command, environment):
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_on_a_mesh_equal_those_of_one_device(found, family):
    on_mesh = found[family]["4x2"]
    assert on_mesh["difference"] < 1e-4
    B, K, S, D = on_mesh["cache"]
    assert on_mesh["cache_shard"] == [B // 4, K // 2, S, D]
    assert on_mesh["replicated"] == []


@pytest.mark.parametrize("family", INT8_FAMILIES)
def test_int8_on_a_mesh_is_int8_on_one_device(found, family):
    # Weights are the same bits; only sums of floats over devices are in another order.
    quantized = found[family]["int8"]
    assert quantized["difference"] < 1e-4
    assert quantized["from_float"] > 10 * quantized["difference"]


def test_what_does_not_divide_is_held_whole_and_said(found):
    on_mesh = found["does not divide"]["1x8"]
    heads = read_huggingface(FIXTURES / "llama").config.num_kv_heads
    assert heads % 8
    assert on_mesh["difference"] < 1e-4
    assert on_mesh["cache_shard"] == on_mesh["cache"]
    assert [text.split(":")[0] for text in on_mesh["replicated"]][:2] == ["heads", "kv_heads"]
