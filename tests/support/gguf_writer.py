"""Writes a checkpoint as a GGUF file, as llama.cpp's converter would.

Independent of the reader: it follows ``convert_hf_to_gguf.py`` (permuted Llama rows, Gemma norms
plus one, GPT-2's fused projection) and uses the ``gguf`` library's own writer and quantisers.
"""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np

from botkit_models.weights.checkpoint import Checkpoint

LAYER = {
    "attn_norm": "attn_norm",
    "mlp_norm": "ffn_norm",
    "attn_post_norm": "post_attention_norm",
    "mlp_post_norm": "post_ffw_norm",
    "attn.q": "attn_q",
    "attn.k": "attn_k",
    "attn.v": "attn_v",
    "attn.out": "attn_output",
    "attn.q_norm": "attn_q_norm",
    "attn.k_norm": "attn_k_norm",
    "mlp.gate": "ffn_gate",
    "mlp.up": "ffn_up",
    "mlp.down": "ffn_down",
}
OUTSIDE = {
    "embed": "token_embd",
    "position": "position_embd",
    "final_norm": "output_norm",
    "head": "output",
}


def write_gguf(
    path: Path,
    checkpoint: Checkpoint,
    *,
    quants: dict[str, gguf.GGMLQuantizationType] | None = None,
    rope_factors: np.ndarray | None = None,
    extra: dict[str, str] | None = None,
    skip: tuple[str, ...] = (),
    raw: dict[str, tuple[np.ndarray, gguf.GGMLQuantizationType]] | None = None,
) -> None:
    """Write ``checkpoint``; ``quants`` maps canonical names to a quantisation (F32 otherwise)."""
    config = checkpoint.config
    writer = gguf.GGUFWriter(path, config.family)
    writer.add_name("Tiny")
    writer.add_context_length(config.max_positions)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_heads)
    writer.add_head_count_kv(config.num_kv_heads)
    if config.position == "rotary":
        writer.add_layer_norm_rms_eps(config.norm_eps)
        writer.add_rope_freq_base(config.rope_theta)
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    else:
        writer.add_layer_norm_eps(config.norm_eps)
    if config.rope_scaling is not None and config.rope_scaling.kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(config.rope_scaling.factor)
    if config.sliding_window is not None:
        writer.add_sliding_window(config.sliding_window)
    if config.attn_softcap is not None:
        writer.add_attn_logit_softcapping(config.attn_softcap)
    if config.logit_softcap is not None:
        writer.add_final_logit_softcapping(config.logit_softcap)
    write_vocabulary(writer, checkpoint, extra or {})
    if rope_factors is not None:
        writer.add_tensor("rope_freqs.weight", rope_factors.astype(np.float32))
    for name, (data, quant) in (raw or {}).items():
        writer.add_tensor(name, data, raw_dtype=quant)
    for name, array in converted(checkpoint).items():
        if name not in skip:
            _add(writer, name, array, (quants or {}).get(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_vocabulary(
    writer: gguf.GGUFWriter, checkpoint: Checkpoint, extra: dict[str, str]
) -> None:
    """The fixtures' byte-level tokenizer as GGUF metadata."""
    tokenizer = json.loads(checkpoint.tokenizer.json)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    vocabulary = sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([3 if token in special else 1 for token, _ in vocabulary])
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    for key, value in extra.items():
        writer.add_string(key, value)


def converted(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """GGUF name to float32 array."""
    config = checkpoint.config
    arrays = {name: np.asarray(load(), np.float32) for name, load in checkpoint.tensors.items()}
    out: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        stem, _, kind = name.rpartition(".")
        if "norm" in stem and config.norm_offset:
            array = array + 1
        if config.family == "llama" and ".attn.q." in name:
            array = permute(array, config.num_heads)
        if config.family == "llama" and ".attn.k." in name:
            array = permute(array, config.num_kv_heads)
        if stem.startswith("layers."):
            _, layer, inner = stem.split(".", 2)
            stem = f"blk.{layer}.{LAYER[inner]}"
        else:
            stem = OUTSIDE[stem]
        out[f"{stem}.{kind}"] = array
    return _fused(out, config.num_layers) if config.family == "gpt2" else out


def permute(array: np.ndarray, heads: int) -> np.ndarray:
    """Half-split rotary rows to interleaved ones."""
    halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape)


def _fused(arrays: dict[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    for layer in range(layers):
        for kind in ("weight", "bias"):
            parts = [arrays.pop(f"blk.{layer}.attn_{part}.{kind}") for part in "qkv"]
            arrays[f"blk.{layer}.attn_qkv.{kind}"] = np.concatenate(parts)
    return arrays


def _add(
    writer: gguf.GGUFWriter,
    name: str,
    array: np.ndarray,
    quant: gguf.GGMLQuantizationType | None,
) -> None:
    if quant is None:
        writer.add_tensor(name, np.ascontiguousarray(array, np.float32))
        return
    writer.add_tensor(name, gguf.quants.quantize(array, quant), raw_dtype=quant)
