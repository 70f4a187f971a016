"""GGUF tensor names for each canonical name.

Source: ``gguf-py/gguf/constants.py`` of llama.cpp (``TENSOR_NAMES``).
"""

from __future__ import annotations

_OUTSIDE = {
    "embed": "token_embd",
    "position": "position_embd",
    "final_norm": "output_norm",
    "head": "output",
}
_LAYER = {
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
FUSED_QKV = "attn_qkv"
FUSED_PARTS = {"attn.q": 0, "attn.k": 1, "attn.v": 2}
ROPE_FACTORS = "rope_freqs.weight"


def gguf_name(canonical: str) -> str:
    """The GGUF name of a canonical tensor."""
    stem, _, kind = canonical.rpartition(".")
    if not stem.startswith("layers."):
        return f"{_OUTSIDE[stem]}.{kind}"
    _, layer, inner = stem.split(".", 2)
    return f"blk.{layer}.{_LAYER[inner]}.{kind}"


def fused_name(canonical: str) -> tuple[str, int] | None:
    """For a query, key or value tensor: the fused tensor's name, and which third of it."""
    stem, _, kind = canonical.rpartition(".")
    if not stem.startswith("layers."):
        return None
    _, layer, inner = stem.split(".", 2)
    part = FUSED_PARTS.get(inner)
    return None if part is None else (f"blk.{layer}.{FUSED_QKV}.{kind}", part)
