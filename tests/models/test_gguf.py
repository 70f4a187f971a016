"""GGUF files written by the gguf library from the family fixtures, read back."""

import dataclasses
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf_writer import write_gguf
from smollm2 import smollm2_gguf

from botkit.errors import ModelFileError
from botkit_models.config import RopeScaling
from botkit_models.weights.gguf import read_gguf
from botkit_models.weights.gguf_config import llama3_divisors
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.shapes import tensor_shapes

FIXTURES = Path(__file__).parent / "fixtures"
FAMILIES = ["gpt2", "llama", "llama_tied", "qwen2", "qwen3", "gemma", "gemma2", "gemma3"]
# GGUF does not say these; the reader fills in what the published models have.
UNSAID = {"query_scale": None}
Q = gguf.GGMLQuantizationType


@pytest.mark.parametrize("family", FAMILIES)
def test_tensors_equal_those_of_the_hugging_face_folder(tmp_path, family):
    original = read_huggingface(FIXTURES / family)
    write_gguf(tmp_path / "m.gguf", original)
    read = read_gguf(tmp_path / "m.gguf")
    assert set(read.tensors) == set(original.tensors)
    offset = original.config.norm_offset
    for name, load in original.tensors.items():
        expected = load() + offset if "norm" in name else load()
        np.testing.assert_array_equal(read.tensors[name](), expected, err_msg=name)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_configuration_survives(tmp_path, family):
    original = read_huggingface(FIXTURES / family).config
    write_gguf(tmp_path / "m.gguf", read_huggingface(FIXTURES / family))
    read = read_gguf(tmp_path / "m.gguf").config
    assert read.norm_offset == 0.0  # folded into the weights
    changes = {"norm_offset": 0.0, **UNSAID, "norm_eps": read.norm_eps}
    if family == "gemma3":  # the pattern of six: two layers both slide
        assert read.sliding_layers == (0, 1)
        changes["sliding_layers"] = (0, 1)
    assert read == dataclasses.replace(original, **changes)
    assert read.norm_eps == pytest.approx(original.norm_eps)


def test_the_largest_gemmas_scale_queries_by_embedding_over_heads(tmp_path):
    gemma = read_huggingface(FIXTURES / "gemma2")
    config = dataclasses.replace(gemma.config, num_layers=46)
    layers = {
        name.replace("layers.1.", f"layers.{layer}."): load
        for layer in range(2, 46)
        for name, load in gemma.tensors.items()
        if name.startswith("layers.1.")
    }
    deep = dataclasses.replace(gemma, config=config, tensors={**gemma.tensors, **layers})
    write_gguf(tmp_path / "m.gguf", deep)
    read = read_gguf(tmp_path / "m.gguf").config
    assert read.query_scale == pytest.approx((32 / 4) ** -0.5)
    assert read.sliding_layers == tuple(range(0, 46, 2))


def test_llama3_factors_become_its_scaling(tmp_path):
    llama = read_huggingface(FIXTURES / "llama")
    llama = dataclasses.replace(llama, config=dataclasses.replace(llama.config, rope_theta=5e5))
    scaling = RopeScaling("llama3", 32.0)
    factors = llama3_divisors(scaling, llama.config.rope_theta, llama.config.head_dim)
    write_gguf(tmp_path / "m.gguf", llama, rope_factors=factors)
    assert read_gguf(tmp_path / "m.gguf").config.rope_scaling == scaling
    write_gguf(tmp_path / "n.gguf", llama, rope_factors=np.linspace(1, 9, len(factors)))
    with pytest.raises(ModelFileError, match="rotary frequencies"):
        read_gguf(tmp_path / "n.gguf")


def test_the_divisors_are_those_of_transformers():
    """From its ``ROPE_INIT_FUNCTIONS["llama3"]``: theta 500000, D 64, factor 32, 8192 positions."""
    divisors = llama3_divisors(RopeScaling("llama3", 32.0), 500000.0, 64)
    expected = [1.0] * 15 + [1.6513, 3.2923, 9.6667] + [32.0] * 14
    np.testing.assert_allclose(divisors, expected, atol=1e-4)


def wide_llama():
    """The llama fixture with rows of 256, which k-quants need."""
    llama = read_huggingface(FIXTURES / "llama")
    config = dataclasses.replace(llama.config, hidden_size=256, head_dim=64, intermediate_size=512)
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in tensor_shapes(config).items()
    }
    tensors = {name: lambda array=array: array for name, array in arrays.items()}
    return dataclasses.replace(llama, config=config, tensors=tensors)


@pytest.mark.parametrize(
    ("quant", "tolerance"),
    [(Q.F16, 1e-2), (Q.BF16, 2e-2), (Q.Q8_0, 3e-2), (Q.Q4_0, 0.6), (Q.Q4_1, 0.4)],
)
def test_quantised_tensors_come_close(tmp_path, quant, tolerance):
    model = wide_llama()
    write_gguf(tmp_path / "m.gguf", model, quants={"blk.0.ffn_up.weight": quant})
    read = read_gguf(tmp_path / "m.gguf")
    original = model.tensors["layers.0.mlp.up.weight"]()
    values = read.tensors["layers.0.mlp.up.weight"]().astype(np.float32)
    np.testing.assert_allclose(values, original, atol=tolerance)
    assert not np.array_equal(values, original)


@pytest.mark.parametrize(("quant", "block"), [(Q.Q4_K, 144), (Q.Q6_K, 210)])
def test_k_quants_are_read(tmp_path, quant, block):
    """The library cannot write these: the bytes are made by hand, the values worked out here."""
    raw = np.zeros((512, block), np.uint8)
    if quant == Q.Q4_K:  # d=2, dmin=0, scale 1 in every sub-block, values 3: 2*1*3
        raw[:, 0:2] = np.frombuffer(np.float16(2.0).tobytes(), np.uint8)
        raw[:, 4:8] = 1
        raw[:, 12:16] = 1
        raw[:, 16:] = 0x33
        expected = 6.0
    else:  # d=0.5, scales 4, low bits 0 and high bits 3: 0.5*4*(48-32)
        raw[:, 128:192] = 0xFF
        raw[:, 192:208] = 4
        raw[:, 208:210] = np.frombuffer(np.float16(0.5).tobytes(), np.uint8)
        expected = 32.0
    path = tmp_path / "m.gguf"
    model = wide_llama()
    write_gguf(
        path, model, skip=("blk.0.ffn_gate.weight",), raw={"blk.0.ffn_gate.weight": (raw, quant)}
    )
    values = read_gguf(path).tensors["layers.0.mlp.gate.weight"]()
    assert values.shape == (512, 256)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)


def test_values_that_are_no_numbers_are_refused(tmp_path):
    llama = read_huggingface(FIXTURES / "llama")
    bad = np.full(llama.tensors["final_norm.weight"]().shape, np.nan, np.float32)
    tensors = {**llama.tensors, "final_norm.weight": lambda: bad}
    write_gguf(tmp_path / "m.gguf", dataclasses.replace(llama, tensors=tensors))
    with pytest.raises(ModelFileError, match="no numbers"):
        read_gguf(tmp_path / "m.gguf").tensors["final_norm.weight"]()


@pytest.mark.parametrize("name", ["output_norm.weight", "blk.1.ffn_down.weight"])
def test_a_missing_tensor_is_named(tmp_path, name):
    write_gguf(tmp_path / "m.gguf", read_huggingface(FIXTURES / "llama"), skip=(name,))
    with pytest.raises(ModelFileError, match="is missing"):
        read_gguf(tmp_path / "m.gguf")


def test_the_template_and_names_for_people_are_kept(tmp_path):
    extra = {"tokenizer.chat_template": "{{ messages }}", "general.license": "mit"}
    write_gguf(tmp_path / "m.gguf", read_huggingface(FIXTURES / "llama"), extra=extra)
    read = read_gguf(tmp_path / "m.gguf")
    assert read.tokenizer.chat_template == "{{ messages }}"
    assert read.metadata["licence"] == "mit"
    assert read.metadata["name"] == "Tiny"


def test_smollm2_as_it_travels():
    read = read_gguf(smollm2_gguf())
    config = read.config
    assert (config.num_layers, config.hidden_size, config.num_heads) == (30, 576, 9)
    assert (config.num_kv_heads, config.head_dim, config.vocab_size) == (3, 64, 49152)
    assert config.tie_embeddings
    assert config.rope_theta == 100000.0
    assert read.tensors["embed.weight"]().shape == (49152, 576)
    assert read.tokenizer.eos_token == "<|im_end|>"
    assert read.metadata["source"] == "gguf (61 F32, 210 Q4_1, 1 Q8_0)"
