"""Hugging Face tensor names, by family, for each canonical name.

Source: the ``modeling_*.py`` of Hugging Face transformers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

GPT2_FUSED = ("attn.q", "attn.k", "attn.v")

_GPT2 = {
    "attn_norm": "ln_1",
    "mlp_norm": "ln_2",
    "attn.out": "attn.c_proj",
    "mlp.up": "mlp.c_fc",
    "mlp.down": "mlp.c_proj",
} | dict.fromkeys(GPT2_FUSED, "attn.c_attn")

_LLAMA = {
    "attn_norm": "input_layernorm",
    "mlp_norm": "post_attention_layernorm",
    "attn.q": "self_attn.q_proj",
    "attn.k": "self_attn.k_proj",
    "attn.v": "self_attn.v_proj",
    "attn.out": "self_attn.o_proj",
    "attn.q_norm": "self_attn.q_norm",
    "attn.k_norm": "self_attn.k_norm",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}

# Gemma 2 and 3 give the name that Llama uses before the feed-forward to the norm after attention.
_POST_NORMS = {
    "attn_post_norm": "post_attention_layernorm",
    "mlp_norm": "pre_feedforward_layernorm",
    "mlp_post_norm": "post_feedforward_layernorm",
}

_OUTSIDE_GPT2 = {
    "embed": "transformer.wte",
    "position": "transformer.wpe",
    "final_norm": "transformer.ln_f",
    "head": "lm_head",
}
_OUTSIDE = {"embed": "model.embed_tokens", "final_norm": "model.norm", "head": "lm_head"}

# Buffers that are computed, not learned.
_BUFFERS = re.compile(r"\.(attn\.(masked_)?bias|rotary_emb\.inv_freq)$")


def huggingface_name(canonical: str, *, gpt2: bool, post_norms: bool) -> str:
    """The checkpoint's name of a canonical tensor."""
    stem, _, kind = canonical.rpartition(".")
    if not stem.startswith("layers."):
        return f"{(_OUTSIDE_GPT2 if gpt2 else _OUTSIDE)[stem]}.{kind}"
    _, layer, inner = stem.split(".", 2)
    names = _GPT2 if gpt2 else _LLAMA | (_POST_NORMS if post_norms else {})
    prefix = "transformer.h" if gpt2 else "model.layers"
    return f"{prefix}.{layer}.{names[inner]}.{kind}"


def without_buffers(names: Iterable[str]) -> list[str]:
    """The names of learned tensors."""
    return [name for name in names if not _BUFFERS.search(name)]
