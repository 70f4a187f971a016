"""What a rotated serving form keeps of the checkpoint's own basis, so that adapters can follow.

A rotated model (:mod:`botkit_models.weights.rotation`) lacks the weights of the norms that were
folded into projections, and the library that drew its random matrices may draw others in another
version. Both stay beside the weights, a few numbers per layer::

    folded.layers.N.attn_norm [E]    what the norm multiplies by, offset included
    folded.layers.N.mlp_norm [E]
    folded.stream.rest, .signs       the parts of the turn of the residual stream
    folded.head.rest, .signs         the parts of the turn of each head's values
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig
from botkit_models.weights.native import NativeModel, TensorSource
from botkit_models.weights.rotation import Turn, turns
from botkit_models.weights.serving import Load

PREFIX = "folded."
NORMS = ("attn_norm", "mlp_norm")
FLOAT = np.dtype(np.float32)


@dataclass(frozen=True)
class Basis:
    """How a serving form stands to the checkpoint.

    Fields:
        stream: The residual stream is the checkpoint's times this ``[E, E]``, or None: the same.
        head: Each head's values are the checkpoint's times this ``[D, D]``, or None: the same.
        folded: What each folded norm (``layers.N.attn_norm``) multiplies by, ``[E]``; empty where
            the norms stand in front of their projections as they do in the checkpoint.
    """

    stream: NDArray[np.float64] | None = None
    head: NDArray[np.float64] | None = None
    folded: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def kept_sources(config: DecoderConfig, tensors: Mapping[str, Load]) -> dict[str, TensorSource]:
    """What to write beside a rotated model; ``tensors`` are the serving ones before rotation."""
    kept: dict[str, TensorSource] = {}
    for layer in range(config.num_layers):
        for norm in NORMS:
            name = f"layers.{layer}.{norm}"
            load = _multiplier(tensors[f"{name}.weight"], config.norm_offset)
            kept[PREFIX + name] = TensorSource(FLOAT, (config.hidden_size,), load)
    for name, turn in zip(("stream", "head"), turns(config), strict=True):
        for part, array in (("rest", turn.rest), ("signs", turn.signs)):
            kept[f"{PREFIX}{name}.{part}"] = _constant(array)
    return kept


def read_basis(model: NativeModel) -> Basis:
    """The basis of an opened serving folder.

    Raises:
        ModelFileError: It was rotated by a version that kept nothing, or what was kept is damaged.
    """
    config = model.config
    if "layers.0.attn_norm.weight" in model.tensors:
        return Basis()
    size, E, D = config.num_layers, config.hidden_size, config.head_dim
    norms = [f"layers.{layer}.{norm}" for layer in range(size) for norm in NORMS]
    return Basis(
        stream=_turn(model, "stream", E).matrix,
        head=_turn(model, "head", D).matrix,
        folded={name: _kept(model, name, (E,)) for name in norms},
    )


def _turn(model: NativeModel, name: str, size: int) -> Turn:
    odd = size // (size & -size)
    rest = _kept(model, f"{name}.rest", (odd, odd))
    return Turn(rest, _kept(model, f"{name}.signs", (size,)))


def _kept(model: NativeModel, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    found = model.tensors.get(PREFIX + name)
    if found is None:
        raise ModelFileError(
            f"{model.folder} was made by a version of botkit that could not serve adapters; "
            f"pull the model again: botkit pull --force {model.folder.name}"
        )
    if found.shape != shape or found.dtype != FLOAT:
        raise ModelFileError(
            f"{model.folder}: {PREFIX}{name} is {found.dtype} {list(found.shape)}, expected "
            f"float32 {list(shape)}; pull the model again"
        )
    return found.astype(np.float32, copy=False)


def _multiplier(weight: Load, offset: float) -> Load:
    return lambda: (weight() + np.float32(offset)).astype(np.float32)


def _constant(array: NDArray[np.floating]) -> TensorSource:
    values = array.astype(np.float32)
    return TensorSource(FLOAT, values.shape, lambda: values)
