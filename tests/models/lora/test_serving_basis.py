"""An adapter carried into the serving basis is the adapter merged before it was served."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from lora_adapters import tiny_adapter
from tiny_models import FIXTURES

from botkit.errors import ModelFileError
from botkit_models.lora.reading import read_adapter
from botkit_models.lora.serving_basis import projections, serving_factors
from botkit_models.weights.basis import Basis, read_basis
from botkit_models.weights.convert import convert
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import open_native
from botkit_models.weights.rotation import can_rotate, rotated
from botkit_models.weights.serving import serving_tensors

FAMILIES = sorted(folder.parent.name for folder in FIXTURES.glob("*/config.json"))
ROTATED = [name for name in FAMILIES if can_rotate(read_huggingface(FIXTURES / name).config)]


def served(folder: Path, *, turn: bool):
    checkpoint = read_huggingface(folder)
    tensors = serving_tensors(checkpoint.config, checkpoint.tensors)
    return rotated(checkpoint.config, tensors) if turn else tensors


def basis_of(family: str, folder: Path, weights) -> Basis:
    convert(read_huggingface(FIXTURES / family), folder, weights=weights)
    return read_basis(open_native(folder))


def assert_same_model(family, tmp_path, *, turn):
    """Base plus converted adapter equals the merged model, tensor by tensor."""
    tiny = tiny_adapter(family)
    config = read_huggingface(FIXTURES / family).config
    adapter = read_adapter(tiny.write(tmp_path / "adapter"), config)
    basis = basis_of(family, tmp_path / "served", "int8" if turn else "float32")
    changes = serving_factors(config, basis, adapter)
    base = served(FIXTURES / family, turn=turn)
    merged = served(tiny.write_merged(tmp_path / "merged"), turn=turn)
    assert {name.split(".", 2)[2] for name in changes} == set(projections(config))
    for name, load in base.items():
        change = changes.get(name.removesuffix(".weight"))
        expected = merged[name]()
        if change is None:
            np.testing.assert_array_equal(load(), expected)
        else:
            assert np.abs(change.delta).max() > 0.01
            np.testing.assert_allclose(load() + change.delta, expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_projection_follows_where_nothing_is_rotated(family, tmp_path):
    assert_same_model(family, tmp_path, turn=False)


@pytest.mark.parametrize("family", ROTATED)
def test_every_projection_follows_the_rotation(family, tmp_path):
    assert_same_model(family, tmp_path, turn=True)


def test_families_that_rotate_are_among_those_tested():
    assert {"llama", "llama3", "qwen2", "qwen3", "gemma"} <= set(ROTATED) < set(FAMILIES)


def test_a_projection_with_one_changed_part_needs_no_more_than_its_rank(tmp_path):
    config = read_huggingface(FIXTURES / "llama").config
    tiny = tiny_adapter(targets=("v_proj",), rank=3)
    adapter = read_adapter(tiny.write(tmp_path / "adapter"), config)
    changes = serving_factors(config, Basis(), adapter)
    assert set(changes) == {"layers.0.attn.qkv", "layers.1.attn.qkv"}
    first = changes["layers.0.attn.qkv"]
    assert first.rank == 3
    q_and_k = (config.num_heads + config.num_kv_heads) * config.head_dim
    assert not first.b[:q_and_k].any()
    assert first.b[q_and_k:].any()


def test_an_old_serving_folder_opens_and_says_what_an_adapter_needs(tmp_path):
    convert(read_huggingface(FIXTURES / "llama"), tmp_path / "m")
    model = open_native(tmp_path / "m")
    kept = {name: array for name, array in model.tensors.items() if "folded" not in name}
    assert len(kept) == len(model.tensors) - 2 * 2 - 4
    with pytest.raises(ModelFileError, match="pull the model again"):
        read_basis(dataclasses.replace(model, tensors=kept))


def test_a_damaged_basis_is_refused(tmp_path):
    convert(read_huggingface(FIXTURES / "llama"), tmp_path / "m")
    model = open_native(tmp_path / "m")
    tensors = {**model.tensors, "folded.layers.1.mlp_norm": np.ones(7, np.float32)}
    with pytest.raises(ModelFileError, match=r"mlp_norm is float32 \[7\], expected float32 \[32\]"):
        read_basis(dataclasses.replace(model, tensors=tensors))
