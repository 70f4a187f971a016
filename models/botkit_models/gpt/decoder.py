"""One decoder for every family: GPT-2, Llama, Qwen2, Qwen3 and Gemma by configuration.

Residual blocks of attention and feed-forward over token embeddings (Radford et al. 2019;
Touvron et al. 2023, arXiv:2302.13971). No family has code of its own: each difference is a field of
:class:`botkit_models.config.DecoderConfig`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from botkit_models.config import DecoderConfig
from botkit_models.gpt.attention import AttentionSpec
from botkit_models.gpt.cache import Cache
from botkit_models.gpt.embedding import Embedding
from botkit_models.gpt.fold import rounded
from botkit_models.gpt.linear import Linear
from botkit_models.gpt.lora import NO_CHANGES, Adapters, Changes, changes_of
from botkit_models.gpt.norm import Norm
from botkit_models.gpt.rotary import Rotation, frequencies, rotation

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "silu": jax.nn.silu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
}

CacheT = TypeVar("CacheT", bound=Cache)


class Attention(nnx.Module):
    """Causal self-attention with grouped queries."""

    def __init__(
        self, config: DecoderConfig, tensors: Mapping[str, Array], layer: int, use_kernels: bool
    ) -> None:
        name = f"layers.{layer}.attn"
        self.config = config
        self.spec = AttentionSpec.of(config, layer)
        self.qkv = Linear(tensors, f"{name}.qkv", use_kernels=use_kernels)
        self.out = Linear(tensors, f"{name}.out", use_kernels=use_kernels)
        self.q_norm = Norm(config, tensors, f"{name}.q_norm") if config.qk_norm else None
        self.k_norm = Norm(config, tensors, f"{name}.k_norm") if config.qk_norm else None

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
        """``x [B, T, E]``, normalised by ``norm`` first -> ``[B, T, E]`` plus ``residual``.

        Also returns the cache with the new keys and values.
        """
        config = self.config
        B, T, _ = x.shape
        H, K, D = config.num_heads, config.num_kv_heads, config.head_dim
        added = changes.of("attn.qkv", x, positions, norm=norm)
        qkv = self.qkv(x, positions, norm=norm, residual=added)  # B,T,(H+2K)*D
        qkv = qkv.reshape(B, T, H + 2 * K, D)  # B,T,H+2K,D
        q, k, v = jnp.split(qkv, [H, H + K], axis=2)  # B,T,H,D  B,T,K,D  B,T,K,D
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        mixed, cache = cache.attend(q, k, v, positions, angles, self.spec)
        residual = changes.of("attn.out", mixed, positions, residual=residual)
        return self.out(mixed, positions, residual=residual), cache


class FeedForward(nnx.Module):
    """``down(act(gate(x)) * up(x))``, or ``down(act(up(x)))`` where there is no gate."""

    def __init__(
        self, config: DecoderConfig, tensors: Mapping[str, Array], layer: int, use_kernels: bool
    ) -> None:
        name = f"layers.{layer}.mlp"
        self.gated = config.gated
        self.activation = config.activation
        up = f"{name}.gate_up" if config.gated else f"{name}.up"
        self.up = Linear(tensors, up, use_kernels=use_kernels)
        # The products of gate and up are the one input that rotation leaves with outliers.
        self.down = Linear(tensors, f"{name}.down", fine=True, use_kernels=use_kernels)

    def __call__(
        self,
        x: Array,
        positions: Array,
        norm: Norm,
        residual: Array | None,
        changes: Changes = NO_CHANGES,
    ) -> Array:
        """``x [B, T, E]``, normalised by ``norm`` first -> ``[B, T, E]`` plus ``residual``."""
        added = changes.of("mlp.gate_up" if self.gated else "mlp.up", x, positions, norm=norm)
        hidden = self._hidden(x, positions, norm, added)  # B,T,F
        residual = changes.of("mlp.down", hidden, positions, residual=residual)
        return self.down(hidden, positions, residual=residual)

    def _hidden(self, x: Array, positions: Array, norm: Norm, added: Array | None) -> Array:
        if self.gated and self.activation == "silu" and added is None:
            return self.up.gated_silu(x, positions, norm)  # B,T,F
        act = ACTIVATIONS[self.activation]
        hidden = self.up(x, positions, norm=norm, residual=added)  # B,T,2F (gated) or B,T,F
        if not self.gated:
            return act(hidden)
        gate, up = jnp.split(hidden, 2, axis=-1)  # B,T,F
        return act(gate) * up


class Block(nnx.Module):
    """Attention and feed-forward, each on the normalised residual stream."""

    def __init__(
        self, config: DecoderConfig, tensors: Mapping[str, Array], layer: int, use_kernels: bool
    ) -> None:
        name = f"layers.{layer}"
        self.attn_norm = Norm(config, tensors, f"{name}.attn_norm")
        self.attn = Attention(config, tensors, layer, use_kernels)
        self.mlp_norm = Norm(config, tensors, f"{name}.mlp_norm")
        self.mlp = FeedForward(config, tensors, layer, use_kernels)
        post = config.post_norms
        self.attn_post_norm = Norm(config, tensors, f"{name}.attn_post_norm") if post else None
        self.mlp_post_norm = Norm(config, tensors, f"{name}.mlp_post_norm") if post else None

    def __call__(
        self,
        x: Array,
        positions: Array,
        angles: Rotation | None,
        cache: CacheT,
        changes: Changes = NO_CHANGES,
    ) -> tuple[Array, CacheT]:
        """``x [B, T, E]`` -> ``[B, T, E]``, and the layer's cache."""
        if self.attn_post_norm is None or self.mlp_post_norm is None:
            x, cache = self.attn(x, positions, angles, cache, self.attn_norm, x, changes)
            return self.mlp(x, positions, self.mlp_norm, x, changes), cache
        mixed, cache = self.attn(x, positions, angles, cache, self.attn_norm, None, changes)
        x = x + rounded(self.attn_post_norm(mixed))
        fed = self.mlp(x, positions, self.mlp_norm, None, changes)
        return x + rounded(self.mlp_post_norm(fed)), cache


class Decoder(nnx.Module):
    """Token ids to hidden states and logits.

    Args:
        config: The shape.
        tensors: Serving names to arrays: the canonical names of :mod:`botkit_models.config`,
            with ``attn.q/k/v`` fused to ``attn.qkv`` and ``mlp.gate/up`` to ``mlp.gate_up`` (rows
            in that order), and ``NAME.scale`` beside int8 weights. A norm weight that was folded
            into its projection is absent; ``head.weight`` is absent when tied.
        use_kernels: Let :mod:`botkit_models.kernels` multiply int8 weights.
    """

    use_kernels = False

    def __init__(
        self, config: DecoderConfig, tensors: Mapping[str, Array], *, use_kernels: bool = False
    ) -> None:
        self.config, self.use_kernels = config, use_kernels
        self.embed = Embedding(tensors, "embed", use_kernels=use_kernels)
        learned = config.position == "learned"
        self.position = Embedding(tensors, "position") if learned else None
        self.layers = nnx.List(
            [Block(config, tensors, n, use_kernels) for n in range(config.num_layers)]
        )
        self.final_norm = Norm(config, tensors, "final_norm")
        tied = "head.weight" not in tensors
        self.head = None if tied else Linear(tensors, "head", use_kernels=use_kernels)

    def hidden(
        self,
        tokens: Array,
        positions: Array,
        caches: Sequence[CacheT],
        adapters: Adapters | None = None,
    ) -> tuple[Array, list[CacheT]]:
        """Run new tokens of several conversations through the layers.

        Args:
            tokens: Token ids ``[B, T]`` int32.
            positions: Their positions ``[B, T]`` int32; negative where a row is padded.
            caches: One per layer.
            adapters: What changes the projections of each conversation, or None: nothing.

        Returns:
            Normalised hidden states ``[B, T, E]`` float32, and the caches with the new tokens.
        """
        x = self.embed(tokens) * self.config.embed_scale  # B,T,E
        if self.position is not None:
            x = x + self.position(jnp.maximum(positions, 0))  # B,T,E
        angles = self._angles(positions)
        written: list[CacheT] = []
        for number, (block, cache) in enumerate(zip(self.layers, caches, strict=True)):
            changes = changes_of(adapters, number, use_kernels=self.use_kernels)
            x, cache = block(x, positions, angles[self._is_local(number)], cache, changes)
            written.append(cache)
        return self.final_norm(x), written

    def logits(self, hidden: Array, positions: Array | None = None) -> Array:
        """Hidden states ``[..., E]`` -> logits ``[..., V]`` float32.

        Rows of a negative position ``[...]`` are padding, of any result.
        """
        if positions is None:
            positions = jnp.zeros(hidden.shape[:-1], jnp.int32)
        head = self.embed.attend if self.head is None else self.head
        scores = head(hidden, positions)
        cap = self.config.logit_softcap
        return scores if cap is None else cap * jnp.tanh(scores / cap)

    def _is_local(self, layer: int) -> bool:
        return self.config.local_rope_theta is not None and layer in self.config.sliding_layers

    def _angles(self, positions: Array) -> dict[bool, Rotation | None]:
        """Rotations of the global and (key True) of the local layers."""
        config = self.config
        if config.position == "learned":
            return {False: None, True: None}
        D = config.head_dim
        spread = rotation(positions, frequencies(D, config.rope_theta, config.rope_scaling))
        if config.local_rope_theta is None:
            return {False: spread, True: spread}
        return {
            False: spread,
            True: rotation(positions, frequencies(D, config.local_rope_theta, None)),
        }
