"""Adapters from disk: PEFT's files and Orbax trees; what does not fit is refused by name."""

import dataclasses
import json
import re

import ml_dtypes
import numpy as np
import orbax.checkpoint as ocp
import pytest
from lora_adapters import TinyAdapter, tiny_adapter
from safetensors.numpy import save_file
from tiny_models import FIXTURES

from botkit.errors import ModelFileError
from botkit_models.lora.reading import read_adapter
from botkit_models.weights.huggingface import read_huggingface

LLAMA = read_huggingface(FIXTURES / "llama").config
GPT2 = read_huggingface(FIXTURES / "gpt2").config
Q0 = "base_model.model.model.layers.0.self_attn.q_proj"


def write_orbax(tiny: TinyAdapter, folder):
    """The same adapter as a training run saves it."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(tiny.config))
    ocp.PyTreeCheckpointer().save((folder / "tensors").absolute(), dict(tiny.tensors))
    return folder


def with_tensors(tiny, **changes):
    """``tiny`` with some tensors (module__factor) replaced, or dropped where None."""
    tensors = dict(tiny.tensors)
    for name, array in changes.items():
        tensors.pop(name, None)
        if array is not None:
            tensors[name] = array
    return dataclasses.replace(tiny, tensors=tensors)


def refused(tiny, folder, config=LLAMA):
    with pytest.raises(ModelFileError) as raised:
        read_adapter(tiny.write(folder), config)
    return str(raised.value)


def test_the_product_is_scaled_as_peft_does(tmp_path):
    tiny = tiny_adapter(rank=4, lora_alpha=12)
    factors = read_adapter(tiny.write(tmp_path / "a"), LLAMA).factors["layers.0.attn.q"]
    a, b = tiny.tensors[f"{Q0}.lora_A.weight"], tiny.tensors[f"{Q0}.lora_B.weight"]
    np.testing.assert_allclose(factors.delta, 3.0 * b @ a, rtol=1e-5, atol=1e-6)


def test_rslora_scales_with_the_root_of_the_rank(tmp_path):
    tiny = tiny_adapter(rank=4, lora_alpha=12, use_rslora=True)
    factors = read_adapter(tiny.write(tmp_path / "a"), LLAMA).factors["layers.0.attn.q"]
    a, b = tiny.tensors[f"{Q0}.lora_A.weight"], tiny.tensors[f"{Q0}.lora_B.weight"]
    np.testing.assert_allclose(factors.delta, 6.0 * b @ a, rtol=1e-5, atol=1e-6)


def test_patterns_give_modules_a_rank_and_an_alpha_of_their_own(tmp_path):
    tiny = tiny_adapter(
        rank=4,
        lora_alpha=4,
        ranks={"q_proj": 2},
        alpha_pattern={"layers.0.self_attn.q_proj": 10, r"^model\.layers\.1\.mlp\.up_proj": 8},
    )
    factors = read_adapter(tiny.write(tmp_path / "a"), LLAMA).factors
    assert factors["layers.0.attn.q"].rank == factors["layers.1.attn.q"].rank == 2
    assert factors["layers.0.attn.k"].rank == 4
    scales = {"layers.0.attn.q": 5.0, "layers.1.attn.q": 2.0, "layers.1.mlp.up": 2.0}
    names = {"attn.q": "self_attn.q_proj", "mlp.up": "mlp.up_proj"}
    for name, scale in scales.items():
        _, layer, part = name.split(".", 2)
        b = tiny.tensors[f"base_model.model.model.layers.{layer}.{names[part]}.lora_B.weight"]
        np.testing.assert_allclose(factors[name].b, scale * b, rtol=1e-6)


def test_orbax_and_safetensors_give_the_same(tmp_path):
    tiny = tiny_adapter()
    one = read_adapter(tiny.write(tmp_path / "peft"), LLAMA).factors
    other = read_adapter(write_orbax(tiny, tmp_path / "orbax"), LLAMA).factors
    assert set(one) == set(other)
    for name, factors in one.items():
        np.testing.assert_array_equal(factors.a, other[name].a)
        np.testing.assert_array_equal(factors.b, other[name].b)


def test_half_precision_is_read(tmp_path):
    tiny = tiny_adapter()
    half = {name: array.astype(ml_dtypes.bfloat16) for name, array in tiny.tensors.items()}
    factors = read_adapter(
        dataclasses.replace(tiny, tensors=half).write(tmp_path / "a"), LLAMA
    ).factors["layers.0.attn.q"]
    expected = tiny.tensors[f"{Q0}.lora_A.weight"]
    np.testing.assert_allclose(factors.a, expected, rtol=1e-2)
    assert factors.a.dtype == np.float32


def test_layers_may_be_chosen(tmp_path):
    tiny = tiny_adapter(layers_to_transform=[1])
    kept = {name: array for name, array in tiny.tensors.items() if ".layers.1." in name}
    adapter = read_adapter(dataclasses.replace(tiny, tensors=kept).write(tmp_path / "a"), LLAMA)
    assert {name.split(".")[1] for name in adapter.factors} == {"1"}


@pytest.mark.parametrize("shape", [(4, 31), (5, 32), (32, 4), (4,), (4, 32, 1)])
def test_a_wrong_shape_names_module_and_both_shapes(tmp_path, shape):
    name = f"{Q0}.lora_A.weight"
    said = refused(
        with_tensors(tiny_adapter(), **{name: np.ones(shape, np.float32)}), tmp_path / "a"
    )
    assert "lora_A of model.layers.0.self_attn.q_proj" in said
    assert str(list(shape)) in said
    assert "[4, 32]" in said


def test_an_adapter_of_another_family_is_refused(tmp_path):
    said = refused(tiny_adapter("gpt2"), tmp_path / "a")
    assert "transformer.h.0" in said
    assert "no low-rank pair of a projection of this model" in said


def test_an_adapter_of_a_larger_model_of_the_family_is_refused(tmp_path):
    said = refused(tiny_adapter(), tmp_path / "a", dataclasses.replace(LLAMA, hidden_size=64))
    assert "has shape [4, 32]" in said
    assert "needs [4, 64]" in said


def test_gpt2_is_served_from_its_fused_matrix(tmp_path):
    tiny = tiny_adapter("gpt2", targets=("c_attn",))
    factors = read_adapter(tiny.write(tmp_path / "a"), GPT2).factors
    assert set(factors) == {f"layers.{n}.attn.{part}" for n in (0, 1) for part in "qkv"}
    assert factors["layers.0.attn.k"].b.shape == (32, 4)


@pytest.mark.parametrize("factor", ["lora_A", "lora_B"])
def test_half_a_pair_is_refused(tmp_path, factor):
    name = f"{Q0}.{factor}.weight"
    said = refused(with_tensors(tiny_adapter(), **{name: None}), tmp_path / "a")
    assert f"{name} is missing" in said


def test_a_target_without_tensors_is_refused(tmp_path):
    both = {f"{Q0}.{factor}.weight": None for factor in ("lora_A", "lora_B")}
    said = refused(with_tensors(tiny_adapter(), **both), tmp_path / "a")
    assert "model.layers.0.self_attn.q_proj has no tensors" in said


def test_tensors_that_no_target_promises_are_refused(tmp_path):
    tiny = tiny_adapter()
    fewer = dataclasses.replace(tiny, config={**tiny.config, "target_modules": ["v_proj"]})
    assert "is not among the target modules" in refused(fewer, tmp_path / "a")


@pytest.mark.parametrize(
    "name",
    [
        "base_model.model.lm_head.weight",
        "base_model.model.model.embed_tokens.lora_embedding_A",
        "base_model.model.model.norm.lora_A.weight",
        f"{Q0}.lora_magnitude_vector",
        f"{Q0}.lora_A.default.weight",
        "base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight",
    ],
)
def test_any_other_tensor_is_refused_by_name(tmp_path, name):
    said = refused(
        with_tensors(tiny_adapter(), **{name: np.ones((4, 32), np.float32)}), tmp_path / "a"
    )
    assert name in said


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    tiny = tiny_adapter()
    broken = tiny.tensors[f"{Q0}.lora_B.weight"].copy()
    broken[1, 1] = np.nan
    said = refused(with_tensors(tiny, **{f"{Q0}.lora_B.weight": broken}), tmp_path / "a")
    assert "not finite" in said


def test_integers_are_refused(tmp_path):
    name = f"{Q0}.lora_A.weight"
    wrong = with_tensors(tiny_adapter(), **{name: np.ones((4, 32), np.int32)})
    assert "int32" in refused(wrong, tmp_path / "a")


def test_pickled_weights_are_refused_unopened(tmp_path):
    folder = tiny_adapter().write(tmp_path / "a")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(ModelFileError, match="can run code"):
        read_adapter(folder, LLAMA)


def test_a_folder_without_tensors_is_refused(tmp_path):
    folder = tiny_adapter().write(tmp_path / "a")
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"no adapter_model\.safetensors"):
        read_adapter(folder, LLAMA)


def test_a_file_without_pairs_is_refused(tmp_path):
    folder = tiny_adapter(target_modules="all-linear").write(tmp_path / "a")
    save_file({}, folder / "adapter_model.safetensors")
    with pytest.raises(ModelFileError, match="has no tensors"):
        read_adapter(folder, LLAMA)


def test_a_truncated_file_is_refused(tmp_path):
    folder = tiny_adapter().write(tmp_path / "a")
    path = folder / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelFileError):
        read_adapter(folder, LLAMA)


def test_a_damaged_orbax_tree_is_refused(tmp_path):
    folder = write_orbax(tiny_adapter(), tmp_path / "a")
    for path in (folder / "tensors").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelFileError, match=re.escape(str(folder))):
        read_adapter(folder, LLAMA)
