"""Hugging Face folders: every family, shards, the Hub's odd names, and what is refused."""

import json
import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from botkit.errors import ModelFileError
from botkit_models.config import RopeScaling
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.shapes import tensor_shapes

FIXTURES = Path(__file__).parent / "fixtures"
FAMILIES = sorted(folder.parent.name for folder in FIXTURES.glob("*/config.json"))


@pytest.fixture
def folder(tmp_path):
    """A copy of a fixture that a test may damage."""

    def copy(family):
        return Path(shutil.copytree(FIXTURES / family, tmp_path / family))

    return copy


def change_config(folder, **fields):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tensor_has_its_canonical_name_and_shape(family):
    checkpoint = read_huggingface(FIXTURES / family)
    loaded = {name: load().shape for name, load in checkpoint.tensors.items()}
    assert loaded == tensor_shapes(checkpoint.config)
    assert checkpoint.tokenizer.eos_ids == (2,)
    assert checkpoint.tokenizer.bos_token == "<|endoftext|>"


def test_gpt2_matrices_are_transposed_and_split():
    stored = load_file(FIXTURES / "gpt2" / "model.safetensors")
    tensors = read_huggingface(FIXTURES / "gpt2").tensors
    fused = stored["transformer.h.1.attn.c_attn.weight"]
    np.testing.assert_array_equal(tensors["layers.1.attn.k.weight"](), fused[:, 32:64].T)
    np.testing.assert_array_equal(
        tensors["layers.1.attn.v.bias"](), stored["transformer.h.1.attn.c_attn.bias"][64:]
    )
    np.testing.assert_array_equal(
        tensors["layers.0.mlp.up.weight"](), stored["transformer.h.0.mlp.c_fc.weight"].T
    )


def test_the_families_differ_where_they_should():
    configs = {family: read_huggingface(FIXTURES / family).config for family in FAMILIES}
    assert configs["llama3"].rope_scaling == RopeScaling("llama3", 8.0, 1.0, 4.0, 16)
    assert configs["qwen2"].qkv_bias
    assert not configs["qwen2"].out_bias
    assert configs["qwen3"].qk_norm
    assert configs["qwen3"].head_dim == 16
    assert configs["gemma"].norm_offset == 1.0
    assert configs["gemma2"].sliding_layers == (0,)
    assert configs["gemma2"].attn_softcap == 5.0
    assert configs["gemma3"].local_rope_theta == 10000.0
    assert configs["gemma3"].rope_theta == 1e6


@pytest.mark.parametrize(
    ("family", "old"),
    [
        ("llama3", {"rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3"}}),
        ("gemma3", {"rope_local_base_freq": 10000.0, "rope_theta": 1e6}),
        ("llama_tied", {"rope_theta": 100000.0, "rope_scaling": None}),
    ],
)
def test_the_spelling_before_transformers_5_means_the_same(folder, family, old):
    expected = read_huggingface(FIXTURES / family).config
    copy = folder(family)
    rope = json.loads((copy / "config.json").read_text())["rope_parameters"]
    scaling = rope.get("full_attention", rope)
    if old.get("rope_scaling", {}) is not None:
        old = old | {"rope_scaling": {k: v for k, v in scaling.items() if k != "rope_theta"}}
    change_config(copy, rope_parameters=None, **old)
    assert read_huggingface(copy).config == expected


def test_gemma_without_layer_types_slides_by_its_pattern(folder):
    gemma2, gemma3 = folder("gemma2"), folder("gemma3")
    change_config(gemma2, layer_types=None)
    assert read_huggingface(gemma2).config.sliding_layers == (0,)
    change_config(gemma3, layer_types=None, sliding_window_pattern=2)
    assert read_huggingface(gemma3).config.sliding_layers == (0,)


def test_shards_are_read_through_their_index(folder):
    copy = folder("qwen2")
    tensors = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    names = sorted(tensors)
    files = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}
    for file, part in files.items():
        save_file({name: tensors[name] for name in part}, copy / file)
    index = {"weight_map": {name: file for file, part in files.items() for name in part}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    read = read_huggingface(copy).tensors
    whole = read_huggingface(FIXTURES / "qwen2").tensors
    assert set(read) == set(whole)
    for name, load in whole.items():
        np.testing.assert_array_equal(read[name](), load())


def test_gpt2_as_the_hub_has_it_lacks_the_prefix_and_keeps_masks(folder):
    copy = folder("gpt2")
    tensors = load_file(copy / "model.safetensors")
    bare = {name.removeprefix("transformer."): array for name, array in tensors.items()}
    bare["h.0.attn.bias"] = np.ones((1, 1, 4, 4), np.float32)
    save_file(bare, copy / "model.safetensors")
    read = read_huggingface(copy).tensors
    np.testing.assert_array_equal(read["embed.weight"](), tensors["transformer.wte.weight"])


def test_bfloat16_stays_bfloat16(folder):
    copy = folder("llama")
    tensors = load_file(copy / "model.safetensors")
    half = {name: array.astype(ml_dtypes.bfloat16) for name, array in tensors.items()}
    save_file(half, copy / "model.safetensors")
    assert read_huggingface(copy).tensors["head.weight"]().dtype == ml_dtypes.bfloat16


def test_tokenizer_files_fill_the_specification(folder):
    copy = folder("llama")
    settings = {
        "chat_template": "from settings",
        "eos_token": {"content": "<|im_end|>", "lstrip": False},
        "bos_token": "<|im_start|>",
        "pad_token": None,
    }
    (copy / "tokenizer_config.json").write_text(json.dumps(settings))
    (copy / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, 2]}))
    spec = read_huggingface(copy).tokenizer
    assert spec.chat_template == "from settings"
    assert (spec.bos_token, spec.eos_token) == ("<|im_start|>", "<|im_end|>")
    assert spec.eos_ids == (0, 2)
    assert not spec.add_bos
    (copy / "chat_template.jinja").write_text("from file")
    assert read_huggingface(copy).tokenizer.chat_template == "from file"


def test_a_post_processor_that_adds_bos_is_noticed(folder):
    copy = folder("llama")
    path = copy / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    bos = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {
            "<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}
        },
    }
    path.write_text(json.dumps(tokenizer))
    assert read_huggingface(copy).tokenizer.add_bos


def test_pickled_weights_are_refused(folder):
    copy = folder("llama")
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(ModelFileError, match="pickled"):
        read_huggingface(copy)


@pytest.mark.parametrize(
    ("family", "fields", "message"),
    [
        ("llama", {"architectures": ["MixtralForCausalLM"]}, "not supported"),
        ("llama", {"architectures": None}, "not supported"),
        ("llama", {"hidden_act": "relu6"}, "relu6"),
        ("llama", {"hidden_size": 1 << 40}, "hidden_size"),
        ("llama", {"hidden_size": "many"}, "hidden_size"),
        ("llama", {"num_hidden_layers": 1000}, "layers"),
        ("llama", {"num_hidden_layers": 10**9}, "num_hidden_layers"),
        ("llama", {"num_attention_heads": 0}, "num_attention_heads"),
        ("llama", {"num_key_value_heads": 3}, "num_kv_heads"),
        ("llama", {"num_key_value_heads": 0}, "num_key_value_heads"),
        ("llama", {"tie_word_embeddings": "yes"}, "tie_word_embeddings"),
        ("llama", {"attention_bias": True}, "attn.q.bias"),
        ("llama", {"vocab_size": 300}, "embed.weight has shape"),
        ("llama", {"rms_norm_eps": 1e400}, "rms_norm_eps"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "factor": 2}}, "yarn"),
        ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 0}}, "above zero"),
        ("llama", {"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial"),
        ("qwen2", {"architectures": ["LlamaForCausalLM"]}, "not part of"),
        ("gemma3", {"use_bidirectional_attention": True}, "bidirectional"),
        ("gemma3", {"layer_types": ["sliding_attention"]}, "layer_types"),
        ("gemma2", {"query_pre_attn_scalar": 0}, "above zero"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scaling of attention"),
        ("gpt2", {"n_head": 5}, "multiple"),
    ],
)
def test_configurations_that_cannot_be_served_are_refused(folder, family, fields, message):
    copy = folder(family)
    change_config(copy, **fields)
    with pytest.raises(ModelFileError, match=message):
        read_huggingface(copy)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff\xfe{}", b"[" * 100_000, b"null"])
def test_damaged_files_are_refused(folder, name, damage):
    copy = folder("llama")
    (copy / name).write_bytes(damage)
    with pytest.raises(ModelFileError):
        read_huggingface(copy)


def test_an_index_may_not_lead_out_of_the_folder(folder):
    copy = folder("llama")
    index = {"weight_map": {"lm_head.weight": "../llama/model.safetensors"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelFileError, match="out of the folder"):
        read_huggingface(copy)


def test_a_missing_folder_says_so(tmp_path):
    with pytest.raises(ModelFileError, match="No such file"):
        read_huggingface(tmp_path / "nowhere")
