"""How the engine runs a model on this machine: with which arithmetic, in how much memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from botkit.errors import SettingsError
from botkit_models import kernels
from botkit_models.config import DecoderConfig
from botkit_models.engine.config import MIB, EngineConfig
from botkit_models.engine.room import free_memory, release_code
from botkit_models.engine.steps import Steps
from botkit_models.gpt.cache import block_bytes
from botkit_models.gpt.decoder import Decoder
from botkit_models.weights.native import NativeModel, weights_kind


@dataclass(frozen=True)
class Plan:
    """What follows from a model, an :class:`EngineConfig` and the machine.

    Fields:
        config: The sizes.
        model: The decoder's shape.
        use_kernels: Whether :mod:`botkit_models.kernels` does the work of XLA.
        exact: Whether a reply's every bit is the same whatever runs beside it.
        reuse: Whether texts take over what others left in the cache.
    """

    config: EngineConfig
    model: DecoderConfig
    use_kernels: bool
    exact: bool
    reuse: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of keys and values."""
        return np.dtype(np.float16 if self.use_kernels else np.float32)

    @property
    def slot_blocks(self) -> int:
        """How many blocks the slots may need."""
        return self.config.slots * self.config.table_width

    @property
    def blocks(self) -> int:
        """How many blocks the cache has: all that the slots may need, and some to keep."""
        kept = self.config.prefix_bytes // block_bytes(self.model, self.dtype) if self.reuse else 0
        return self.slot_blocks + kept

    @property
    def cache_bytes(self) -> int:
        """Bytes of the whole cache."""
        return self.blocks * block_bytes(self.model, self.dtype)

    @property
    def table_widths(self) -> Sequence[int]:
        """Kernels look at the blocks that are in use; XLA at as many as a program has."""
        config = self.config
        return (config.table_width,) if self.use_kernels else config.table_widths

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """How many rows a decode program may have; one, where more could change a bit."""
        return self.config.batch_sizes if self.exact or not self.config.strict else (1,)

    @property
    def drafts(self) -> int:
        """How many tokens are guessed ahead at most."""
        return min(self.config.drafts, self.batch_sizes[-1] - 1)

    def check_memory(self) -> None:
        """Refuse a cache that this machine has no memory for.

        Raises:
            SettingsError: Saying all numbers.
        """
        free = free_memory()
        if free is not None and self.cache_bytes > free:
            slots = self.slot_blocks * block_bytes(self.model, self.dtype)
            raise SettingsError(
                f"{self.config.slots} slots of {self.config.context} tokens need "
                f"{slots // MIB} MiB of cache and what is kept for reuse "
                f"{(self.cache_bytes - slots) // MIB} MiB, and {free // MIB} MiB of memory are "
                f"free: set fewer slots (BOTKIT_SLOTS), a shorter context (BOTKIT_CONTEXT) or a "
                f"smaller BOTKIT_PREFIX_CACHE"
            )


def plan_for(model: NativeModel, config: EngineConfig) -> Plan:
    """How to run ``model``."""
    quantised = weights_kind(model) == "int8"
    able = config.kernels and kernels.available()
    use_kernels = quantised and able and kernels.supports(model.config)
    return Plan(
        config=config,
        model=model.config,
        use_kernels=use_kernels,
        exact=quantised,
        reuse=config.prefix_bytes > 0 and (use_kernels or not config.strict),
    )


def steps_for(
    model: NativeModel, eos_ids: Sequence[int], plan: Plan, compiled: Path | None
) -> Steps:
    """The model's functions; its weights are the file's pages where the backend can use them.

    The kernels' machine code is kept in ``compiled``.
    """
    if plan.use_kernels:
        kernels.register(compiled)
        release_code("llvmlite")
    tensors = {name: jax.device_put(array, may_alias=True) for name, array in model.tensors.items()}
    decoder = Decoder(model.config, tensors, use_kernels=plan.use_kernels)
    return Steps(decoder, eos_ids, plan.config.decode_steps, plan.use_kernels)
