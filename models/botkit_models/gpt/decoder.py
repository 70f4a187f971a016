"""One decoder for every family: GPT-2, Llama, Qwen2, Qwen3 and Gemma by configuration.

Residual blocks of attention and feed-forward over token embeddings (Radford et al. 2019;
Touvron et al. 2023, arXiv:2302.13971). No family has code of its own: each difference is a field of
:class:`botkit_models.config.DecoderConfig`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from botkit_models.config import DecoderConfig
from botkit_models.gpt.attention import attend
from botkit_models.gpt.cache import LayerCache
from botkit_models.gpt.embedding import Embedding
from botkit_models.gpt.fold import rounded
from botkit_models.gpt.linear import Linear
from botkit_models.gpt.norm import Norm
from botkit_models.gpt.rotary import frequencies, rotate, rotation
from botkit_models.gpt.rows import Rows, rows_of

_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "silu": jax.nn.silu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
}

Rotation = tuple[Array, Array]


class Attention(nnx.Module):
    """Causal self-attention with grouped queries."""

    def __init__(self, config: DecoderConfig, tensors: Mapping[str, Array], layer: int) -> None:
        name = f"layers.{layer}.attn"
        self.config = config
        self.window = config.sliding_window if layer in config.sliding_layers else None
        self.qkv = Linear(tensors, f"{name}.qkv")
        self.out = Linear(tensors, f"{name}.out")
        self.q_norm = Norm(config, tensors, f"{name}.q_norm") if config.qk_norm else None
        self.k_norm = Norm(config, tensors, f"{name}.k_norm") if config.qk_norm else None

    def __call__(
        self, x: Rows, starts: Array, angles: Rotation | None, caches: Sequence[LayerCache]
    ) -> tuple[Array, list[LayerCache]]:
        """Rows ``[B, T, E]`` -> ``[B, T, E]``, and the caches with the new keys and values."""
        config = self.config
        B, T, _ = x.values.shape
        H, K, D = config.num_heads, config.num_kv_heads, config.head_dim
        qkv = self.qkv(x).reshape(B, T, H + 2 * K, D)  # B,T,H+2K,D
        q, k, v = jnp.split(qkv, [H, H + K], axis=2)  # B,T,H,D  B,T,K,D  B,T,K,D
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        if angles is not None:
            q, k = rotate(q, *angles), rotate(k, *angles)
        q = q * config.attention_scale
        # Conversation by conversation: each keeps arrays of its own, so that its result is the
        # same bits alone or in a batch, and any set of conversations can run together.
        written = [c.write(k[b], v[b], starts[b]) for b, c in enumerate(caches)]
        mixed = [
            attend(
                q[b],
                cache,
                starts[b],
                kv_heads=K,
                window=self.window,
                softcap=config.attn_softcap,
            )
            for b, cache in enumerate(written)
        ]
        return self.out(rows_of(jnp.stack(mixed))), written


class FeedForward(nnx.Module):
    """``down(act(gate(x)) * up(x))``, or ``down(act(up(x)))`` where there is no gate."""

    def __init__(self, config: DecoderConfig, tensors: Mapping[str, Array], layer: int) -> None:
        name = f"layers.{layer}.mlp"
        self.gated = config.gated
        self.activation = config.activation
        self.up = Linear(tensors, f"{name}.gate_up" if config.gated else f"{name}.up")
        # The products of gate and up are the one input that rotation leaves with outliers.
        self.down = Linear(tensors, f"{name}.down", fine=True)

    def __call__(self, x: Rows) -> Array:
        """Rows ``[B, T, E]`` -> ``[B, T, E]``."""
        act = _ACTIVATIONS[self.activation]
        hidden = self.up(x)  # B,T,2F (gated) or B,T,F
        if self.gated:
            gate, up = jnp.split(hidden, 2, axis=-1)  # B,T,F
            return self.down(rows_of(act(gate) * up))
        return self.down(rows_of(act(hidden)))


class Block(nnx.Module):
    """Attention and feed-forward, each on the normalised residual stream."""

    def __init__(self, config: DecoderConfig, tensors: Mapping[str, Array], layer: int) -> None:
        name = f"layers.{layer}"
        self.attn_norm = Norm(config, tensors, f"{name}.attn_norm")
        self.attn = Attention(config, tensors, layer)
        self.mlp_norm = Norm(config, tensors, f"{name}.mlp_norm")
        self.mlp = FeedForward(config, tensors, layer)
        post = config.post_norms
        self.attn_post_norm = Norm(config, tensors, f"{name}.attn_post_norm") if post else None
        self.mlp_post_norm = Norm(config, tensors, f"{name}.mlp_post_norm") if post else None

    def __call__(
        self, x: Array, starts: Array, angles: Rotation | None, caches: Sequence[LayerCache]
    ) -> tuple[Array, list[LayerCache]]:
        """``x [B, T, E]`` -> ``[B, T, E]``, and the layer's caches."""
        mixed, caches = self.attn(self.attn_norm.rows(x), starts, angles, caches)
        x = x + (mixed if self.attn_post_norm is None else rounded(self.attn_post_norm(mixed)))
        fed = self.mlp(self.mlp_norm.rows(x))
        return x + (fed if self.mlp_post_norm is None else rounded(self.mlp_post_norm(fed))), caches


class Decoder(nnx.Module):
    """Token ids to hidden states and logits.

    Args:
        config: The shape.
        tensors: Serving names to arrays: the canonical names of :mod:`botkit_models.config`,
            with ``attn.q/k/v`` fused to ``attn.qkv`` and ``mlp.gate/up`` to ``mlp.gate_up`` (rows
            in that order), and ``NAME.scale`` beside int8 weights. A norm weight that was folded
            into its projection is absent; ``head.weight`` is absent when tied.
    """

    def __init__(self, config: DecoderConfig, tensors: Mapping[str, Array]) -> None:
        self.config = config
        self.embed = Embedding(tensors, "embed")
        learned = config.position == "learned"
        self.position = Embedding(tensors, "position") if learned else None
        self.layers = nnx.List([Block(config, tensors, n) for n in range(config.num_layers)])
        self.final_norm = Norm(config, tensors, "final_norm")
        tied = "head.weight" not in tensors
        self.head = None if tied else Linear(tensors, "head")

    def hidden(
        self, tokens: Array, starts: Array, caches: Sequence[Sequence[LayerCache]]
    ) -> tuple[Array, list[list[LayerCache]]]:
        """Run new tokens of several conversations through the layers.

        Args:
            tokens: Token ids ``[B, T]`` int32.
            starts: Position of each conversation's first token, ``[B]`` int32.
            caches: Per conversation, one cache per layer.

        Returns:
            Normalised hidden states ``[B, T, E]`` float32, and the caches with the new tokens.
        """
        config = self.config
        positions = starts[:, None] + jnp.arange(tokens.shape[1], dtype=jnp.int32)  # B,T
        x = self.embed(tokens) * config.embed_scale  # B,T,E
        if self.position is not None:
            x = x + self.position(positions)  # B,T,E
        angles = self._angles(positions)
        per_layer = []
        for number, block in enumerate(self.layers):
            layer_caches = [cache[number] for cache in caches]
            x, written = block(x, starts, angles[self._is_local(number)], layer_caches)
            per_layer.append(written)
        return self.final_norm(x), [list(layers) for layers in zip(*per_layer, strict=True)]

    def logits(self, hidden: Array) -> Array:
        """Hidden states ``[..., E]`` -> logits ``[..., V]`` float32."""
        rows = rows_of(hidden)
        scores = self.embed.attend(rows) if self.head is None else self.head(rows)
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
