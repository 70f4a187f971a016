"""A Hugging Face ``config.json`` as a :class:`DecoderConfig`, one small function per family.

Field names and defaults are those of the configuration classes in Hugging Face transformers;
both the older spelling (``rope_theta``, ``rope_scaling``) and that of version 5
(``rope_parameters``) are read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from botkit.errors import ModelFileError
from botkit_models.config import MAX_LAYERS, DecoderConfig, RopeScaling
from botkit_models.weights.fields import Fields

ACTIVATIONS = {
    "silu": "silu",
    "swish": "silu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
}


def decoder_config(fields: Fields) -> DecoderConfig:
    """The shape that a configuration describes.

    Raises:
        ModelFileError: The architecture is not known here, or a field is missing or senseless.
    """
    names = fields.items("architectures")
    build = FAMILIES.get(names[0]) if len(names) == 1 and isinstance(names[0], str) else None
    if build is None:
        raise ModelFileError(
            f"{fields.source}: architecture {names!r:.80} is not supported; "
            f"known are {', '.join(FAMILIES)}"
        )
    return build(fields)


def _gpt2(fields: Fields) -> DecoderConfig:
    if fields.flag("scale_attn_by_inverse_layer_idx") or not fields.flag(
        "scale_attn_weights", True
    ):
        raise ModelFileError(f"{fields.source}: this scaling of attention is not supported")
    E, H = fields.integer("n_embd"), fields.integer("n_head")
    if H <= 0 or E % H:
        raise ModelFileError(f"{fields.source}: n_embd ({E}) is no multiple of n_head ({H})")
    return DecoderConfig(
        family="gpt2",
        vocab_size=fields.integer("vocab_size"),
        hidden_size=E,
        intermediate_size=fields.integer("n_inner", 4 * E),
        num_layers=fields.integer("n_layer"),
        num_heads=H,
        num_kv_heads=H,
        head_dim=E // H,
        max_positions=fields.integer("n_positions"),
        norm="layer",
        norm_eps=fields.number("layer_norm_epsilon", 1e-5),
        position="learned",
        activation=_activation(fields, fields.text("activation_function", "gelu_new")),
        gated=False,
        qkv_bias=True,
        out_bias=True,
        mlp_bias=True,
        tie_embeddings=fields.flag("tie_word_embeddings", True),
    )


def _llama(fields: Fields) -> DecoderConfig:
    bias = fields.flag("attention_bias")
    return DecoderConfig(
        **_shared(fields),
        family="llama",
        activation=_activation(fields, fields.text("hidden_act", "silu")),
        qkv_bias=bias,
        out_bias=bias,
        mlp_bias=fields.flag("mlp_bias"),
        tie_embeddings=fields.flag("tie_word_embeddings", False),
        **_rope(fields),
    )


def _qwen2(fields: Fields) -> DecoderConfig:
    return DecoderConfig(
        **_shared(fields),
        family="qwen2",
        activation=_activation(fields, fields.text("hidden_act", "silu")),
        qkv_bias=True,
        tie_embeddings=fields.flag("tie_word_embeddings", False),
        **_qwen_window(fields),
        **_rope(fields),
    )


def _qwen3(fields: Fields) -> DecoderConfig:
    bias = fields.flag("attention_bias")
    return DecoderConfig(
        **_shared(fields, head_dim=128),
        family="qwen3",
        activation=_activation(fields, fields.text("hidden_act", "silu")),
        qkv_bias=bias,
        out_bias=bias,
        qk_norm=True,
        tie_embeddings=fields.flag("tie_word_embeddings", False),
        **_qwen_window(fields),
        **_rope(fields),
    )


def _gemma(fields: Fields) -> DecoderConfig:
    # Gemma's first configurations say "gelu" and mean the tanh approximation.
    activation = fields.text("hidden_activation", "gelu_pytorch_tanh")
    return DecoderConfig(
        **_gemma_shared(fields),
        family="gemma",
        activation=_activation(fields, activation),
        **_rope(fields),
    )


def _gemma2(fields: Fields) -> DecoderConfig:
    layers = _layer_count(fields)
    return DecoderConfig(
        **_gemma_shared(fields),
        **_gemma_window(fields, [layer for layer in range(layers) if layer % 2 == 0]),
        family="gemma2",
        activation=_activation(fields, fields.text("hidden_activation", "gelu_pytorch_tanh")),
        post_norms=True,
        query_scale=_query_scale(fields),
        attn_softcap=fields.optional_number("attn_logit_softcapping"),
        logit_softcap=fields.optional_number("final_logit_softcapping"),
        **_rope(fields),
    )


def _gemma3(fields: Fields) -> DecoderConfig:
    if fields.flag("use_bidirectional_attention"):
        raise ModelFileError(f"{fields.source}: bidirectional attention is not supported")
    layers = _layer_count(fields)
    pattern = fields.integer("sliding_window_pattern", 6)
    pattern = pattern if pattern > 0 else 1
    return DecoderConfig(
        **_gemma_shared(fields),
        **_gemma_window(fields, [layer for layer in range(layers) if (layer + 1) % pattern]),
        family="gemma3",
        activation=_activation(fields, fields.text("hidden_activation", "gelu_pytorch_tanh")),
        post_norms=True,
        qk_norm=True,
        query_scale=_query_scale(fields),
        attn_softcap=fields.optional_number("attn_logit_softcapping"),
        logit_softcap=fields.optional_number("final_logit_softcapping"),
        **_gemma3_rope(fields),
    )


FAMILIES: dict[str, Callable[[Fields], DecoderConfig]] = {
    "GPT2LMHeadModel": _gpt2,
    "LlamaForCausalLM": _llama,
    "Qwen2ForCausalLM": _qwen2,
    "Qwen3ForCausalLM": _qwen3,
    "GemmaForCausalLM": _gemma,
    "Gemma2ForCausalLM": _gemma2,
    "Gemma3ForCausalLM": _gemma3,
}


def _shared(fields: Fields, head_dim: int | None = None) -> dict[str, Any]:
    E, H = fields.integer("hidden_size"), fields.integer("num_attention_heads")
    if H <= 0:
        raise ModelFileError(f"{fields.source}: num_attention_heads is {H}")
    return {
        "vocab_size": fields.integer("vocab_size"),
        "hidden_size": E,
        "intermediate_size": fields.integer("intermediate_size"),
        "num_layers": _layer_count(fields),
        "num_heads": H,
        "num_kv_heads": _positive(fields, "num_key_value_heads", H),
        "head_dim": fields.integer("head_dim", E // H if head_dim is None else head_dim),
        "max_positions": fields.integer("max_position_embeddings"),
        "norm_eps": fields.number("rms_norm_eps", 1e-6),
    }


def _gemma_shared(fields: Fields) -> dict[str, Any]:
    shared = _shared(fields, head_dim=256)
    bias = fields.flag("attention_bias")
    return {
        **shared,
        "norm_offset": 1.0,
        "embed_scale": abs(shared["hidden_size"]) ** 0.5,
        "qkv_bias": bias,
        "out_bias": bias,
        "tie_embeddings": fields.flag("tie_word_embeddings", True),
    }


def _qwen_window(fields: Fields) -> dict[str, Any]:
    if not fields.flag("use_sliding_window"):
        return {}
    layers = _layer_count(fields)
    first = fields.integer("max_window_layers", 28)
    return _gemma_window(fields, [layer for layer in range(layers) if layer >= first])


def _gemma_window(fields: Fields, by_pattern: list[int]) -> dict[str, Any]:
    types = fields.items("layer_types")
    sliding = [layer for layer, kind in enumerate(types) if kind == "sliding_attention"]
    if types and len(types) != _layer_count(fields):
        raise ModelFileError(f"{fields.source}: layer_types does not list every layer")
    return {
        "sliding_window": _positive(fields, "sliding_window", 4096),
        "sliding_layers": tuple(sliding if types else by_pattern),
    }


def _rope(fields: Fields) -> dict[str, Any]:
    modern = fields.get("rope_parameters")
    if modern is not None:
        rope = _section(fields, modern, "rope_parameters")
        theta = rope.number("rope_theta", 10000.0)
    else:
        theta = fields.number("rope_theta", 10000.0)
        rope = _section(fields, fields.get("rope_scaling") or {}, "rope_scaling")
    return {"rope_theta": _positive_number(fields, theta), "rope_scaling": _scaling(rope)}


def _gemma3_rope(fields: Fields) -> dict[str, Any]:
    modern = fields.get("rope_parameters")
    if modern is None:
        rope = _rope_of_gemma3_before_5(fields)
        return {**rope, "local_rope_theta": fields.number("rope_local_base_freq", 10000.0)}
    both = _section(fields, modern, "rope_parameters")
    full = _section(fields, both.get("full_attention") or {}, "rope_parameters.full_attention")
    local = _section(
        fields, both.get("sliding_attention") or {}, "rope_parameters.sliding_attention"
    )
    if local.text("rope_type", "default") != "default":
        raise ModelFileError(f"{fields.source}: scaled rotary positions in sliding layers")
    return {
        "rope_theta": _positive_number(fields, full.number("rope_theta", 1000000.0)),
        "rope_scaling": _scaling(full),
        "local_rope_theta": _positive_number(fields, local.number("rope_theta", 10000.0)),
    }


def _rope_of_gemma3_before_5(fields: Fields) -> dict[str, Any]:
    scaling = _section(fields, fields.get("rope_scaling") or {}, "rope_scaling")
    theta = fields.number("rope_theta", 1000000.0)
    return {"rope_theta": _positive_number(fields, theta), "rope_scaling": _scaling(scaling)}


def _scaling(rope: Fields) -> RopeScaling | None:
    if rope.number("partial_rotary_factor", 1.0) != 1.0:
        raise ModelFileError(f"{rope.source}: partial rotary positions are not supported")
    kind = rope.text("rope_type", rope.text("type", "default"))
    if kind == "default":
        return None
    if kind == "linear":
        return RopeScaling("linear", _positive_number(rope, rope.number("factor")))
    if kind == "llama3":
        return RopeScaling(
            "llama3",
            factor=_positive_number(rope, rope.number("factor")),
            low_freq_factor=_positive_number(rope, rope.number("low_freq_factor")),
            high_freq_factor=_positive_number(rope, rope.number("high_freq_factor")),
            original_positions=_positive(rope, "original_max_position_embeddings", 8192),
        )
    raise ModelFileError(f"{rope.source}: rotary scaling {kind!r:.40} is not supported")


def _section(fields: Fields, value: Any, name: str) -> Fields:
    if not isinstance(value, dict):
        raise ModelFileError(f"{fields.source}: {name} must be an object")
    return Fields(value, f"{fields.source}: {name}")


def _query_scale(fields: Fields) -> float:
    return math.sqrt(1 / _positive_number(fields, fields.number("query_pre_attn_scalar", 256)))


def _activation(fields: Fields, name: str) -> Any:
    if name not in ACTIVATIONS:
        raise ModelFileError(f"{fields.source}: activation {name!r:.40} is not supported")
    return ACTIVATIONS[name]


def _layer_count(fields: Fields) -> int:
    layers = fields.integer("num_hidden_layers")
    if not 0 < layers <= MAX_LAYERS:
        raise ModelFileError(f"{fields.source}: num_hidden_layers is {layers}")
    return layers


def _positive(fields: Fields, name: str, default: int) -> int:
    value = fields.integer(name, default)
    if value <= 0:
        raise ModelFileError(f"{fields.source}: {name} is {value}; expected at least 1")
    return value


def _positive_number(fields: Fields, value: float) -> float:
    if value <= 0:
        raise ModelFileError(f"{fields.source}: {value} must be above zero")
    return value
