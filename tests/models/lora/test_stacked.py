"""Several adapters stacked: each one's factors at its index, zeros for what it does not change."""

import numpy as np
import pytest
from lora_adapters import tiny_adapter
from tiny_models import open_tiny

from botkit.errors import ModelFileError
from botkit_models.lora.reading import read_adapter
from botkit_models.lora.serving_basis import serving_factors
from botkit_models.lora.stacked import load_adapters
from botkit_models.weights.basis import read_basis


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return open_tiny(tmp_path_factory.mktemp("tiny") / "m", "int8")


def test_adapters_of_different_ranks_and_modules_stand_side_by_side(model, tmp_path):
    support = tiny_adapter(targets=("q_proj", "v_proj"), rank=2, seed=1).write(tmp_path / "support")
    sales = tiny_adapter(targets=("v_proj", "down_proj"), rank=5, seed=2).write(tmp_path / "sales")
    adapters = load_adapters(model, {"support": support, "sales": sales})
    assert adapters.names == ("support", "sales")
    first = adapters.stacks[0]
    assert set(first) == {"attn.qkv", "mlp.down"}
    assert first["attn.qkv"].a.shape == (2, 5, 32)
    assert first["mlp.down"].b.shape == (2, 5, 32)
    assert not first["mlp.down"].a[0].any()
    assert not first["mlp.down"].b[0].any()
    basis = read_basis(model)
    for place, folder in enumerate((support, sales)):
        alone = serving_factors(model.config, basis, read_adapter(folder, model.config))
        for layer, stacks in enumerate(adapters.stacks):
            for projection, stack in stacks.items():
                factors = alone.get(f"layers.{layer}.{projection}")
                delta = stack.b[place].T @ stack.a[place]
                expected = np.zeros_like(delta) if factors is None else factors.delta
                np.testing.assert_allclose(delta, expected, atol=1e-6)


def test_its_size_is_that_of_its_arrays(model, tmp_path):
    folder = tiny_adapter(targets=("o_proj",), rank=4).write(tmp_path / "a")
    adapters = load_adapters(model, {"a": folder, "b": folder})
    out, inside = 32, model.config.num_heads * model.config.head_dim
    assert adapters.nbytes == 2 * model.config.num_layers * 4 * (out + inside) * 4


def test_no_adapters_take_nothing(model):
    adapters = load_adapters(model, {})
    assert (adapters.names, adapters.nbytes) == ((), 0)


def test_one_wrong_adapter_is_named_among_several(model, tmp_path):
    good = tiny_adapter().write(tmp_path / "good")
    bad = tiny_adapter("gpt2").write(tmp_path / "bad")
    with pytest.raises(ModelFileError, match=str(tmp_path / "bad")):
        load_adapters(model, {"good": good, "bad": bad})
