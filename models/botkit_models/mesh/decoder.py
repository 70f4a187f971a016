"""The decoder of :mod:`botkit_models.gpt`, on a mesh.

Residual stream, families, rotations and logits are :class:`botkit_models.gpt.decoder.Decoder`'s;
here the projections say where their results lie, and the fused ones (q, k, v; gate, up) are taken
apart, so that each divides by heads or features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from flax import nnx
from jax import Array
from jax.typing import DTypeLike

from botkit_models.config import DecoderConfig
from botkit_models.gpt.attention import AttentionSpec
from botkit_models.gpt.cache import Cache
from botkit_models.gpt.decoder import ACTIVATIONS, Attention, Block, Decoder, FeedForward
from botkit_models.gpt.lora import NO_CHANGES, Changes
from botkit_models.gpt.norm import Norm
from botkit_models.gpt.rotary import Rotation
from botkit_models.mesh.axes import RESIDUAL
from botkit_models.mesh.layout import Layout
from botkit_models.mesh.linear import MeshEmbedding, MeshHead, MeshLinear, MeshNorm

CacheT = TypeVar("CacheT", bound=Cache)
Tensors = Mapping[str, Array]


class MeshAttention(Attention):
    """Causal self-attention, heads divided over devices."""

    def __init__(
        self, config: DecoderConfig, tensors: Tensors, layer: int, layout: Layout, dtype: DTypeLike
    ) -> None:
        name = f"layers.{layer}.attn"
        self.config, self.layout = config, layout
        self.spec = AttentionSpec.of(config, layer)
        queries, shared = ("slots", "tokens", "heads"), ("slots", "tokens", "kv_heads")
        self.q = MeshLinear(tensors, f"{name}.q", layout, queries, dtype)
        self.k = MeshLinear(tensors, f"{name}.k", layout, shared, dtype)
        self.v = MeshLinear(tensors, f"{name}.v", layout, shared, dtype)
        self.out = MeshLinear(tensors, f"{name}.out", layout, RESIDUAL, dtype)
        self.q_norm = MeshNorm(config, tensors, f"{name}.q_norm") if config.qk_norm else None
        self.k_norm = MeshNorm(config, tensors, f"{name}.k_norm") if config.qk_norm else None

    def __call__(
        self,
        x: Array,
        positions: Array,
        angles: Rotation | None,
        cache: CacheT,
        norm: Norm,
        residual: Array | None,
        changes: Changes = NO_CHANGES,
    ) -> tuple[Array, CacheT]:
        """See :meth:`botkit_models.gpt.decoder.Attention.__call__`; without adapters."""
        B, T, _ = x.shape
        x = norm(x)
        q, k, v = (
            linear(x, positions).reshape(B, T, -1, self.config.head_dim)  # B,T,H|K|K,D
            for linear in (self.q, self.k, self.v)
        )
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        mixed, cache = cache.attend(q, k, v, positions, angles, self.spec)  # B,T,H*D
        mixed = self.layout.constrain(mixed.astype(x.dtype), "rows", "tokens", "heads")
        return self.out(mixed, positions, residual=residual), cache


class MeshFeedForward(FeedForward):
    """``down(act(gate(x)) * up(x))``, or ``down(act(up(x)))``; features divided over devices."""

    def __init__(
        self, config: DecoderConfig, tensors: Tensors, layer: int, layout: Layout, dtype: DTypeLike
    ) -> None:
        name = f"layers.{layer}.mlp"
        inner = ("rows", "tokens", "mlp")
        self.activation = config.activation
        self.gate = (
            MeshLinear(tensors, f"{name}.gate", layout, inner, dtype) if config.gated else None
        )
        self.up = MeshLinear(tensors, f"{name}.up", layout, inner, dtype)
        self.down = MeshLinear(tensors, f"{name}.down", layout, RESIDUAL, dtype)

    def __call__(
        self,
        x: Array,
        positions: Array,
        norm: Norm,
        residual: Array | None,
        changes: Changes = NO_CHANGES,
    ) -> Array:
        """See :meth:`botkit_models.gpt.decoder.FeedForward.__call__`; without adapters."""
        act = ACTIVATIONS[self.activation]
        x = norm(x)
        up = self.up(x, positions)  # B,T,F
        hidden = act(up) if self.gate is None else act(self.gate(x, positions)) * up  # B,T,F
        return self.down(hidden, positions, residual=residual)


class MeshBlock(Block):
    """A layer: :class:`botkit_models.gpt.decoder.Block` of the parts above."""

    def __init__(
        self, config: DecoderConfig, tensors: Tensors, layer: int, layout: Layout, dtype: DTypeLike
    ) -> None:
        name, post = f"layers.{layer}", config.post_norms
        self.attn_norm = MeshNorm(config, tensors, f"{name}.attn_norm")
        self.attn = MeshAttention(config, tensors, layer, layout, dtype)
        self.mlp_norm = MeshNorm(config, tensors, f"{name}.mlp_norm")
        self.mlp = MeshFeedForward(config, tensors, layer, layout, dtype)
        self.attn_post_norm = MeshNorm(config, tensors, f"{name}.attn_post_norm") if post else None
        self.mlp_post_norm = MeshNorm(config, tensors, f"{name}.mlp_post_norm") if post else None


class MeshDecoder(Decoder):
    """Token ids to hidden states and logits, on a mesh.

    Args:
        config: The shape.
        tensors: Canonical names of :mod:`botkit_models.config` to arrays, with ``NAME.scale``
            beside int8 weights (:func:`botkit_models.mesh.tensors.mesh_tensors`).
        layout: Where things lie.
        dtype: Of activations.
    """

    def __init__(
        self, config: DecoderConfig, tensors: Tensors, layout: Layout, dtype: DTypeLike
    ) -> None:
        self.config = config
        self.embed = MeshEmbedding(tensors, "embed", layout, dtype)
        learned = config.position == "learned"
        self.position = MeshEmbedding(tensors, "position", layout, dtype) if learned else None
        self.layers = nnx.List(
            [MeshBlock(config, tensors, n, layout, dtype) for n in range(config.num_layers)]
        )
        self.final_norm = MeshNorm(config, tensors, "final_norm")
        tied = "head.weight" not in tensors
        self.head = None if tied else MeshHead(tensors, layout, dtype)
