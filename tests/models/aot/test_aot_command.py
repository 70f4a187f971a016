"""``botkit aot``, with the real compilers where they are installed."""

import dataclasses
import importlib.metadata
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from local_model import local_home

from botkit.errors import SettingsError
from botkit.settings import Settings
from botkit_models.aot.environment import CompilerEnvironment
from botkit_models.aot.models import SHAPES, shape_of
from botkit_models.aot.order import Order
from botkit_models.aot.report import Report
from botkit_models.aot.run import compile_ahead
from botkit_models.aot.topology import Topology
from botkit_models.commands.aot import aot

EVERYTHING = bool(os.environ.get("BOTKIT_AOT_ALL"))
"""Whether to compile prompts too, and every layer of the largest model: many minutes."""

everything = pytest.mark.skipif(not EVERYTHING, reason="set BOTKIT_AOT_ALL to compile for minutes")


def compiled(model, topology, steps=("decode",), layers=None):
    """A report by the installed compiler; skips the test without it."""
    home = local_home()
    environment = CompilerEnvironment.under(home, Topology.parse(topology).chip.compiler)
    if not environment.installed:
        pytest.skip(f"no {environment.kind} compiler: python infra/scripts/compilers.py")
    config = SHAPES[model]
    if layers is not None:
        config = dataclasses.replace(config, num_layers=layers)
    order = Order(config, topology, steps=steps)
    return Report(model, order, compile_ahead(order, home))


def check(report):
    """What holds of every step that fits."""
    assert report.fits
    for step in report.answer.steps:
        assert step.aliased >= report.answer.caches  # updated in place
        assert step.arguments >= report.answer.weights + report.answer.caches
        assert report.counted(step) in (True, None)
        assert step.kernels


@pytest.mark.timeout(900)
def test_a_llama_3_8b_step_on_a_v5e_2x4_is_near_the_roofline():
    report = compiled("llama-3-8b", "v5e:2x4")
    check(report)
    answer, (step,) = report.answer, report.answer.steps
    assert (answer.devices, answer.hosts, answer.mesh) == (8, 2, {"data": 1, "tensor": 8})
    # No copy of the caches, not even of one layer's; no bfloat16 copy of int8 weights.
    assert step.temporaries < answer.caches / report.order.config.num_layers
    assert report.share(step) > 0.70
    # 2 operations per weight and token, without the table of tokens; attention beside.
    assert step.flops == pytest.approx(2 * (8.03e9 - 0.525e9) * 32 / 8, rel=0.15)
    assert step.collectives["all-reduce"].count >= 2 * report.order.config.num_layers


@pytest.mark.timeout(900)
def test_a_smollm2_step_on_one_v5e_chip():
    report = compiled("smollm2-135m", "v5e:1x1")
    check(report)
    assert report.answer.devices == 1
    assert not report.answer.steps[0].collectives


@pytest.mark.timeout(1800)
def test_a_llama_3_70b_step_on_a_v5e_4x4_divides_slots_and_weights_too():
    report = compiled("llama-3-70b", "v5e:4x4", layers=None if EVERYTHING else 4)
    check(report)
    answer, (step,) = report.answer, report.answer.steps
    assert (answer.hosts, answer.mesh) == (4, {"data": 2, "tensor": 8})
    assert step.temporaries < answer.weights / report.order.config.num_layers
    # Activations travel, weights stay: no exchange is as large as a layer's weights.
    travelled = sum(traffic.bytes for traffic in step.collectives.values())
    assert travelled < answer.weights / report.order.config.num_layers


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("model", "topology", "layers"),
    [
        ("smollm2-135m", "h100:1", None),
        ("llama-3-8b", "h100:1", None if EVERYTHING else 4),
        ("llama-3-70b", "h100:8", None if EVERYTHING else 4),
    ],
)
def test_steps_on_h100s_by_the_gpu_compiler(model, topology, layers):
    report = compiled(model, topology, layers=layers)
    check(report)
    (step,) = report.answer.steps
    assert report.share(step) is None  # this compiler has no cost model
    assert any("gemm" in kind for kind in step.kernels)
    assert bool(step.collectives) == (report.answer.devices > 1)
    assert step.temporaries < report.answer.weights / 4  # no bfloat16 copy of int8 weights


@everything
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("model", "topology"),
    [
        ("smollm2-135m", "v5e:1x1"),
        ("llama-3-8b", "v5e:2x4"),
        ("llama-3-8b", "h100:1"),
        ("llama-3-70b", "h100:8"),
    ],
)
def test_prompts_are_read_in_place_too(model, topology):
    report = compiled(model, topology, steps=("prefill",))
    check(report)
    assert not report.copies_cache(report.answer.steps[0])


@pytest.mark.timeout(300)
def test_what_does_not_fit_is_a_report_and_an_exit_code(tmp_path):
    compiled_for = CompilerEnvironment.under(local_home(), "tpu")
    if not compiled_for.installed:
        pytest.skip("no tpu compiler: python infra/scripts/compilers.py")
    file = tmp_path / "report.json"
    words = ["--topology", "v5e:1x1", "--model", "llama-3-70b", "--json", str(file)]
    result = CliRunner().invoke(aot, words, env={"BOTKIT_HOME": str(local_home())})
    assert result.exit_code == 1
    assert "DOES NOT FIT 16.91 GB" in result.output
    document = json.loads(file.read_text())
    assert document["fits"] is False
    assert all(step["arguments"] > 70e9 for step in document["steps"])


def test_without_its_compiler_the_command_says_what_to_run(tmp_path):
    words = ["--topology", "v5e:2x4", "--model", "llama-3-8b"]
    result = CliRunner().invoke(aot, words, env={"BOTKIT_HOME": str(tmp_path)})
    assert isinstance(result.exception, SettingsError)
    message = str(result.exception)
    jax = importlib.metadata.version("jax")
    assert "pip install --quiet --no-cache-dir" in message
    assert f"'jax[tpu]=={jax}'" in message
    assert str(tmp_path / "compilers" / "tpu") in message


def test_another_jax_in_the_environment_does_not_count(tmp_path):
    environment = CompilerEnvironment.under(tmp_path, "gpu")
    packages = environment.folder / "lib" / "python3.11" / "site-packages"
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    (packages / "jax_cuda12_pjrt-0.4.0.dist-info").mkdir(parents=True)
    (packages / "jax-0.4.0.dist-info").mkdir()
    assert not environment.installed
    (packages / f"jax-{importlib.metadata.version('jax')}.dist-info").mkdir()
    assert environment.installed


def test_a_process_that_compiles_does_not_inherit_devices(monkeypatch, tmp_path):
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    monkeypatch.setenv("JAX_PLATFORMS", "tpu")
    variables = CompilerEnvironment.under(tmp_path, "tpu").variables(8)
    assert "XLA_FLAGS" not in variables
    assert variables["JAX_PLATFORMS"] == "cpu"
    assert variables["TPU_ACCELERATOR_TYPE"] == "v5litepod-8"


def test_an_unknown_model_is_refused_with_those_there_are(tmp_path: Path):
    with pytest.raises(Exception, match="llama-3-70b"):
        shape_of("nobody-1b", Settings.load(home=tmp_path).home)
