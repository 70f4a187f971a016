"""GGUF metadata as a :class:`DecoderConfig`.

Source of keys, defaults and of what GGUF leaves unsaid (Gemma's window pattern and query scale):
llama.cpp, ``docs/gguf.md`` and ``src/llama-model.cpp``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from botkit.errors import ModelFileError
from botkit_models.config import MAX_LAYERS, DecoderConfig, RopeScaling
from botkit_models.weights.checkpoint import Array
from botkit_models.weights.fields import Fields
from botkit_models.weights.gguf_header import GGUFHeader

FAMILIES = ("gpt2", "llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3")
SLIDE_EVERY = {"gemma2": 2, "gemma3": 6}
LAYERS_OF_27B = {"gemma2": 46, "gemma3": 62}


def gguf_decoder_config(header: GGUFHeader, rope_factors: Array | None) -> DecoderConfig:
    """The shape that a GGUF file describes.

    Args:
        header: The checked header.
        rope_factors: The ``rope_freqs.weight`` tensor [D/2] that divides rotary frequencies, or
            None when the file has none.

    Raises:
        ModelFileError: The architecture is not known here, or a key is missing or senseless.
    """
    family = Fields(header.metadata, header.path).text("general.architecture")
    if family not in FAMILIES:
        raise ModelFileError(
            f"{header.path}: architecture {family!r:.40} is not supported; "
            f"known are {', '.join(FAMILIES)}"
        )
    fields = Fields(header.metadata, header.path, f"{family}.")
    if fields.integer("expert_count", 0):
        raise ModelFileError(f"{header.path}: mixture-of-experts models are not supported")
    shared = _shared(fields, family, header)
    if family == "gpt2":
        return DecoderConfig(**shared, **_gpt2(fields))
    rope = _rope(fields, shared["head_dim"], rope_factors)
    if family.startswith("gemma"):
        return DecoderConfig(**shared, **rope, **_gemma(fields, family, shared))
    return DecoderConfig(
        **shared,
        **rope,
        norm_eps=fields.number("attention.layer_norm_rms_epsilon", 1e-5),
        qk_norm=family == "qwen3",
        **_biases(header),
    )


def _shared(fields: Fields, family: str, header: GGUFHeader) -> dict[str, Any]:
    E, H = fields.integer("embedding_length"), fields.integer("attention.head_count")
    layers = fields.integer("block_count")
    if H <= 0 or not 0 < layers <= MAX_LAYERS:
        raise ModelFileError(f"{header.path}: {H} heads and {layers} layers")
    kv_heads = fields.integer("attention.head_count_kv", H)
    head_dim = fields.integer("attention.key_length", E // H)
    if fields.integer("attention.value_length", head_dim) != head_dim or kv_heads <= 0:
        raise ModelFileError(f"{header.path}: keys and values of different sizes")
    embedding = header.tensors.get("token_embd.weight")
    if embedding is None:
        raise ModelFileError(f"{header.path}: tensor token_embd.weight is missing")
    return {
        "family": family,
        "vocab_size": embedding.shape[0],
        "hidden_size": E,
        "intermediate_size": fields.integer("feed_forward_length"),
        "num_layers": layers,
        "num_heads": H,
        "num_kv_heads": kv_heads,
        "head_dim": head_dim,
        "max_positions": fields.integer("context_length"),
        "tie_embeddings": "output.weight" not in header.tensors,
    }


def _gpt2(fields: Fields) -> dict[str, Any]:
    return {
        "norm": "layer",
        "norm_eps": fields.number("attention.layer_norm_epsilon", 1e-5),
        "position": "learned",
        "activation": "gelu_tanh",
        "gated": False,
        "qkv_bias": True,
        "out_bias": True,
        "mlp_bias": True,
    }


def _biases(header: GGUFHeader) -> dict[str, Any]:
    """Llama and Qwen differ in biases from model to model; the tensors tell."""
    return {
        "qkv_bias": "blk.0.attn_q.bias" in header.tensors,
        "out_bias": "blk.0.attn_output.bias" in header.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in header.tensors,
    }


def _gemma(fields: Fields, family: str, shared: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {
        # The converter has already added Gemma's 1 to every norm weight.
        "norm_offset": 0.0,
        "norm_eps": fields.number("attention.layer_norm_rms_epsilon", 1e-6),
        "activation": "gelu_tanh",
        "embed_scale": math.sqrt(abs(shared["hidden_size"])),
    }
    if family == "gemma":
        return config
    layers, every = shared["num_layers"], SLIDE_EVERY[family]
    config |= {
        "post_norms": True,
        "qk_norm": family == "gemma3",
        "sliding_window": fields.integer("attention.sliding_window", 4096),
        "sliding_layers": tuple(n for n in range(layers) if n % every < every - 1),
    }
    if config["sliding_window"] <= 0:
        raise ModelFileError(f"{fields.source}: the sliding window must be above zero")
    if layers == LAYERS_OF_27B[family]:
        config["query_scale"] = (shared["hidden_size"] / shared["num_heads"]) ** -0.5
    if family == "gemma2":
        config["attn_softcap"] = fields.number("attn_logit_softcapping", 50.0)
        config["logit_softcap"] = fields.number("final_logit_softcapping", 30.0)
    else:
        config["logit_softcap"] = fields.optional_number("final_logit_softcapping")
        config["local_rope_theta"] = fields.number("rope.freq_base_swa", 10000.0)
    return config


def _rope(fields: Fields, head_dim: int, factors: Array | None) -> dict[str, Any]:
    theta = fields.number("rope.freq_base", 10000.0)
    if theta <= 0:
        raise ModelFileError(f"{fields.source}: rope.freq_base is {theta}")
    if fields.integer("rope.dimension_count", head_dim) != head_dim:
        raise ModelFileError(f"{fields.source}: partial rotary positions are not supported")
    kind = fields.text("rope.scaling.type", "none")
    scaling = None
    if kind == "linear":
        scaling = RopeScaling("linear", fields.number("rope.scaling.factor"))
    elif kind != "none":
        raise ModelFileError(f"{fields.source}: rotary scaling {kind!r:.40} is not supported")
    if factors is not None:
        scaling = _llama3_scaling(fields, factors, theta, head_dim)
    if scaling is not None and scaling.factor <= 0:
        raise ModelFileError(f"{fields.source}: a rotary scaling factor of {scaling.factor}")
    return {"rope_theta": theta, "rope_scaling": scaling}


def _llama3_scaling(fields: Fields, factors: Array, theta: float, head_dim: int) -> RopeScaling:
    """Llama 3's parameters from the table GGUF keeps instead of them.

    The largest divisor is ``factor``; the other parameters are the same in every published
    Llama 3, and the table is computed again from them to be sure.
    """
    scaling = RopeScaling("llama3", float(np.max(factors)) if factors.size else 0.0)
    expected = llama3_divisors(scaling, theta, head_dim)
    if factors.shape != expected.shape or not np.allclose(factors, expected, rtol=1e-3):
        raise ModelFileError(f"{fields.source}: this table of rotary frequencies is not supported")
    return scaling


def llama3_divisors(scaling: RopeScaling, theta: float, head_dim: int) -> Array:
    """What Llama 3 divides each rotary frequency by: float64 [D/2].

    Source: Hugging Face transformers, ``modeling_rope_utils`` (``_compute_llama3_parameters``).
    """
    wavelength = 2 * math.pi * theta ** (np.arange(0, head_dim, 2) / head_dim)
    low = scaling.original_positions / scaling.low_freq_factor
    high = scaling.original_positions / scaling.high_freq_factor
    smooth = (scaling.original_positions / wavelength - scaling.low_freq_factor) / (
        scaling.high_freq_factor - scaling.low_freq_factor
    )
    factor = max(scaling.factor, 1e-6)
    between = 1 / ((1 - smooth) / factor + smooth)
    return np.where(wavelength < high, 1.0, np.where(wavelength > low, factor, between))
