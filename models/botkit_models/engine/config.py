"""How large an engine is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from botkit.errors import SettingsError
from botkit_models.config import DecoderConfig
from botkit_models.gpt.cache import BLOCK

SMALLEST_CACHE = 2 * BLOCK


@dataclass(frozen=True)
class EngineConfig:
    """Fixed sizes that programs are compiled for.

    Fields:
        slots: How many replies are written at the same time.
        context: The most tokens of prompt plus reply.
        queue: How many replies may wait for a slot before new ones are refused.
        decode_steps: The most tokens per reply and dispatch.
        prefill_chunks: Prompt tokens read per dispatch, ascending; each divides the next.
        padded_length: Up to this cache length a batch is filled up with idle rows; beyond, an idle
            row's cache would cost more than it saves.
        resident_programs: How many prefill and decode programs stay loaded, 50 to 120 MB each.
    """

    slots: int = 4
    context: int = 2048
    queue: int = 64
    decode_steps: int = 4
    prefill_chunks: tuple[int, ...] = (64, 256)
    padded_length: int = 512
    resident_programs: int = 4

    def __post_init__(self) -> None:
        """Refuse sizes that cannot work.

        Raises:
            SettingsError: Naming the size.
        """
        if self.slots < 1:
            raise SettingsError(f"slots is {self.slots}; choose 1 or more")
        if self.context < 1:
            raise SettingsError(f"context is {self.context}; choose a positive number of tokens")
        if self.queue < 0:
            raise SettingsError(f"queue is {self.queue}; choose 0 or more")
        if self.decode_steps < 1:
            raise SettingsError(f"decode_steps is {self.decode_steps}; choose 1 or more")
        self._check_chunks()

    def _check_chunks(self) -> None:
        """Chunks must start at multiples of their size and fit the shortest cache."""
        sizes = self.prefill_chunks
        steps = pairwise((*sizes, SMALLEST_CACHE))
        if not sizes or sizes[0] < 1 or any(b % a or a > b for a, b in steps):
            raise SettingsError(
                f"prefill_chunks is {sizes}; choose ascending sizes of which each divides the "
                f"next and the last divides {SMALLEST_CACHE}, such as (64, 256)"
            )

    def limit(self, model: DecoderConfig) -> int:
        """The most tokens of prompt plus reply with this model."""
        return min(self.context, model.max_positions)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """How many replies a decode program writes at once: 1, 4, 16 ... ``slots``.

        Sizes between would cost memory and save little: two rows take as long as four.
        """
        sizes = [1]
        while sizes[-1] * 4 < self.slots:
            sizes.append(sizes[-1] * 4)
        return tuple(sizes) if self.slots == 1 else (*sizes, self.slots)

    @property
    def cache_lengths(self) -> tuple[int, ...]:
        """Lengths a slot's cache may have, doubling until it holds ``context``."""
        lengths = [SMALLEST_CACHE]
        while lengths[-1] < self.context:
            lengths.append(lengths[-1] * 2)
        return tuple(lengths)
