"""The shape of a decoder: every family is one :class:`DecoderConfig`.

Axes used throughout: ``B`` batch, ``T`` new tokens, ``S`` cache length, ``L`` layers, ``H`` query
heads, ``K`` key/value heads, ``D`` head size, ``E`` embedding, ``F`` feed-forward, ``V`` the
vocabulary.

Canonical tensor names (float, ``[out, in]`` as checkpoints store them; rotary pairs are the two
halves of a head, as Hugging Face has them; ``.bias`` where the family has one)::

    embed.weight [V, E]                       position.weight [P, E]      (learned positions)
    layers.N.attn_norm.weight [E]             layers.N.mlp_norm.weight [E]
    layers.N.attn.q.weight [H*D, E]           layers.N.attn.k.weight, .v.weight [K*D, E]
    layers.N.attn.q_norm.weight [D]           layers.N.attn.k_norm.weight [D]  (qk_norm)
    layers.N.attn.out.weight [E, H*D]         layers.N.attn_post_norm.weight [E]  (post_norms)
    layers.N.mlp.gate.weight [F, E]  (gated)  layers.N.mlp.up.weight [F, E]
    layers.N.mlp.down.weight [E, F]           layers.N.mlp_post_norm.weight [E]  (post_norms)
    final_norm.weight [E]                     head.weight [V, E]          (untied)
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

from botkit.errors import ModelFileError

MAX_LAYERS = 1024
MAX_DIMENSION = 1 << 20
MAX_VOCABULARY = 1 << 21


@dataclass(frozen=True)
class RopeScaling:
    """Llama 3's frequency scaling (``rope_type: llama3``), or linear when only ``factor`` is set.

    Source: Hugging Face transformers, ``modeling_rope_utils``.
    """

    kind: Literal["linear", "llama3"]
    factor: float
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_positions: int = 8192


@dataclass(frozen=True)
class DecoderConfig:
    """A decoder-only transformer.

    Fields:
        family: The architecture's name in checkpoints; informative, no code branches on it.
        norm: ``rms`` (Zhang & Sennrich 2019) or ``layer`` (Ba et al. 2016).
        norm_offset: Added to the norm's weight before scaling (Gemma stores ``weight - 1``).
        position: ``rotary`` (Su et al. 2021, half-split pairs) or ``learned``.
        activation: Of the feed-forward; ``gelu_tanh`` is the tanh approximation.
        gated: Feed-forward is ``down(act(gate(x)) * up(x))`` (Shazeer 2020), else
            ``down(act(up(x)))``.
        qkv_bias, out_bias, mlp_bias: Which projections have a bias.
        qk_norm: RMSNorm over ``D`` of queries and keys before rotation (Qwen3, Gemma 3).
        post_norms: RMSNorm after attention and after feed-forward as well (Gemma 2).
        embed_scale: Token embeddings are multiplied by this (Gemma: ``sqrt(E)``).
        query_scale: Queries are multiplied by this; usually ``D ** -0.5``.
        attn_softcap, logit_softcap: ``cap * tanh(x / cap)`` on scores and logits, or None
            (Gemma 2).
        sliding_window: Keys further back than this are masked in the layers that slide, or None.
        sliding_layers: Which layers slide; empty when none.
        local_rope_theta: Rotary base of the sliding layers where it differs (Gemma 3), or None.
    """

    family: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    max_positions: int
    norm: Literal["rms", "layer"] = "rms"
    norm_eps: float = 1e-5
    norm_offset: float = 0.0
    position: Literal["rotary", "learned"] = "rotary"
    rope_theta: float = 10000.0
    rope_scaling: RopeScaling | None = None
    activation: Literal["silu", "gelu_tanh", "gelu"] = "silu"
    gated: bool = True
    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    qk_norm: bool = False
    post_norms: bool = False
    tie_embeddings: bool = True
    embed_scale: float = 1.0
    query_scale: float | None = None
    attn_softcap: float | None = None
    logit_softcap: float | None = None
    sliding_window: int | None = None
    sliding_layers: tuple[int, ...] = ()
    local_rope_theta: float | None = None

    def __post_init__(self) -> None:
        """Refuse shapes that no real model has.

        Raises:
            ModelFileError: Naming the field.
        """
        limits = {
            "vocab_size": MAX_VOCABULARY,
            "hidden_size": MAX_DIMENSION,
            "intermediate_size": MAX_DIMENSION,
            "num_layers": MAX_LAYERS,
            "num_heads": MAX_DIMENSION,
            "num_kv_heads": MAX_DIMENSION,
            "head_dim": MAX_DIMENSION,
            "max_positions": 1 << 24,
        }
        for field, limit in limits.items():
            value = getattr(self, field)
            if not isinstance(value, int) or not 0 < value <= limit:
                raise ModelFileError(f"{field} is {value!r}; expected 1 to {limit}")
        if self.num_heads % self.num_kv_heads:
            raise ModelFileError(
                f"num_heads ({self.num_heads}) is no multiple of num_kv_heads ({self.num_kv_heads})"
            )
        if self.position == "rotary" and self.head_dim % 2:
            raise ModelFileError(f"head_dim is {self.head_dim}; rotary positions need an even one")

    @property
    def attention_scale(self) -> float:
        """What queries are multiplied by."""
        return self.query_scale if self.query_scale is not None else self.head_dim**-0.5

    def to_json(self) -> str:
        """JSON text that :meth:`from_json` reads back."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> DecoderConfig:
        """Read what :meth:`to_json` wrote.

        Raises:
            ModelFileError: The text is not such JSON.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            scaling = fields.get("rope_scaling")
            fields["rope_scaling"] = RopeScaling(**scaling) if scaling else None
            fields["sliding_layers"] = tuple(fields.get("sliding_layers", ()))
            return cls(**fields)
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelFileError(f"the model's configuration is damaged: {error}") from None
