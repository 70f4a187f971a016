"""Several adapters of one model, stacked so that each row of a batch can have its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from botkit_models.config import DecoderConfig
from botkit_models.gpt.lora import LoraShapes, Stack
from botkit_models.lora.adapter import Factors
from botkit_models.lora.reading import read_adapter
from botkit_models.lora.serving_basis import projections, serving_factors
from botkit_models.weights.basis import read_basis
from botkit_models.weights.native import NativeModel

Stacks = list[dict[str, Stack]]
"""Per layer: served projection (``attn.qkv``) to its stack, where any adapter changes it."""


@dataclass(frozen=True)
class LoraSet:
    """The adapters that a served model has.

    Fields:
        names: What requests call them; the place of a name is the index into every stack.
        digests: SHA-256 of each as it was read, in hexadecimal: of what it makes of a model.
        stacks: Their factors, in the serving basis.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    stacks: Stacks

    @property
    def shapes(self) -> LoraShapes:
        """Of the stacks: all that programs depend on."""
        return tuple({name: stack.shape for name, stack in layer.items()} for layer in self.stacks)

    @property
    def nbytes(self) -> int:
        """Memory that the stacks take, in bytes."""
        pairs = [stack for layer in self.stacks for stack in layer.values()]
        return sum(stack.a.nbytes + stack.b.nbytes for stack in pairs)


NO_ADAPTERS = LoraSet((), (), [])


def load_adapters(model: NativeModel, folders: Mapping[str, Path]) -> LoraSet:
    """Read the adapters in ``folders`` (name to folder) for a model.

    Raises:
        ModelFileError: One is damaged, for another model or not supported; or the model was made
            by a version that cannot serve adapters.
    """
    config, basis = model.config, read_basis(model)
    adapters = [read_adapter(folder, config) for folder in folders.values()]
    served = [serving_factors(config, basis, adapter) for adapter in adapters]
    return LoraSet(
        names=tuple(folders),
        digests=tuple(adapter.digest for adapter in adapters),
        stacks=stack_factors(config, served),
    )


def stack_factors(config: DecoderConfig, served: Sequence[Mapping[str, Factors]]) -> Stacks:
    """Stack adapters that :func:`serving_factors` gave, each at its place."""
    ranks = {name: _largest_rank(served, name) for name in projections(config)}
    return [_stacks(served, layer, ranks) for layer in range(config.num_layers)]


def _largest_rank(served: Sequence[Mapping[str, Factors]], projection: str) -> int:
    """Over all adapters and layers: programs are smaller where layers are alike."""
    ends = f".{projection}"
    return max(
        (f.rank for one in served for name, f in one.items() if name.endswith(ends)), default=0
    )


def _stacks(
    served: Sequence[Mapping[str, Factors]], layer: int, ranks: Mapping[str, int]
) -> dict[str, Stack]:
    stacks: dict[str, Stack] = {}
    for projection, rank in ranks.items():
        mine = [one.get(f"layers.{layer}.{projection}") for one in served]
        shape = next((f for f in mine if f is not None), None)
        if shape is not None:
            stacks[projection] = _stack(mine, rank, shape)
    return stacks


def _stack(mine: Sequence[Factors | None], rank: int, shape: Factors) -> Stack:
    a = np.zeros((len(mine), rank, shape.a.shape[1]), np.float32)  # n,r,in
    b = np.zeros((len(mine), rank, shape.b.shape[0]), np.float32)  # n,r,out
    for place, factors in enumerate(mine):
        if factors is not None:
            a[place, : factors.rank] = factors.a
            b[place, : factors.rank] = factors.b.T
    return Stack(jax.device_put(a), jax.device_put(b))
