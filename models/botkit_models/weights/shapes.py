"""Which tensors a :class:`DecoderConfig` implies, and their shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig

Shapes = dict[str, tuple[int, ...]]


def tensor_shapes(config: DecoderConfig) -> Shapes:
    """Canonical name (see :mod:`botkit_models.config`) to shape, complete."""
    E, V = config.hidden_size, config.vocab_size
    shapes: Shapes = {"embed.weight": (V, E)}
    if config.position == "learned":
        shapes["position.weight"] = (config.max_positions, E)
    for layer in range(config.num_layers):
        for name, shape in layer_shapes(config).items():
            shapes[f"layers.{layer}.{name}"] = shape
    shapes |= _norm(config, "final_norm", E)
    if not config.tie_embeddings:
        shapes["head.weight"] = (V, E)
    return shapes


def layer_shapes(config: DecoderConfig) -> Shapes:
    """The tensors of one layer, without the ``layers.N.`` prefix."""
    E, F, D = config.hidden_size, config.intermediate_size, config.head_dim
    HD, KD = config.num_heads * D, config.num_kv_heads * D
    shapes = _norm(config, "attn_norm", E) | _norm(config, "mlp_norm", E)
    if config.post_norms:
        shapes |= _norm(config, "attn_post_norm", E) | _norm(config, "mlp_post_norm", E)
    if config.qk_norm:
        shapes |= {"attn.q_norm.weight": (D,), "attn.k_norm.weight": (D,)}
    shapes |= _linear("attn.q", HD, E, config.qkv_bias)
    shapes |= _linear("attn.k", KD, E, config.qkv_bias)
    shapes |= _linear("attn.v", KD, E, config.qkv_bias)
    shapes |= _linear("attn.out", E, HD, config.out_bias)
    if config.gated:
        shapes |= _linear("mlp.gate", F, E, config.mlp_bias)
    shapes |= _linear("mlp.up", F, E, config.mlp_bias)
    return shapes | _linear("mlp.down", E, F, config.mlp_bias)


def count_parameters(config: DecoderConfig) -> int:
    """How many numbers a model of this shape learned."""
    return sum(math.prod(shape) for shape in tensor_shapes(config).values())


def check_tensors(
    config: DecoderConfig, found: Mapping[str, tuple[int, ...]], source: object
) -> None:
    """Refuse a checkpoint whose tensors are not exactly those of its configuration.

    Raises:
        ModelFileError: A tensor is missing, of another shape, or not known: a weight that would
            be left out makes fluent nonsense, not an error.
    """
    # A hostile config may promise a thousand huge layers: look before listing names.
    if config.num_layers > len(found):
        raise ModelFileError(
            f"{source}: the configuration says {config.num_layers} layers, "
            f"the file has {len(found)} tensors"
        )
    expected = tensor_shapes(config)
    for name, shape in expected.items():
        if name not in found:
            raise ModelFileError(f"{source}: tensor {name} is missing")
        if found[name] != shape:
            raise ModelFileError(
                f"{source}: tensor {name} has shape {list(found[name])}, expected {list(shape)}"
            )
    for name in found:
        if name not in expected:
            raise ModelFileError(
                f"{source}: tensor {name} is not part of a {config.family} model as configured"
            )


def _norm(config: DecoderConfig, name: str, size: int) -> Shapes:
    shapes: Shapes = {f"{name}.weight": (size,)}
    if config.norm == "layer":
        shapes[f"{name}.bias"] = (size,)
    return shapes


def _linear(name: str, out: int, inner: int, bias: bool) -> Shapes:
    shapes: Shapes = {f"{name}.weight": (out, inner)}
    if bias:
        shapes[f"{name}.bias"] = (out,)
    return shapes
