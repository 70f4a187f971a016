"""How large an engine is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from botkit.errors import SettingsError
from botkit_models.config import DecoderConfig
from botkit_models.gpt.block import BLOCK

NARROWEST = 256 // BLOCK
MIB = 1 << 20


class EngineSettings(Protocol):
    """What is read from :class:`botkit.settings.Settings`; ``prefix_cache`` is in MiB."""

    slots: int
    context: int
    queue: int
    drafts: int
    prefix_cache: int
    strict: bool
    cpu_kernels: bool


@dataclass(frozen=True)
class EngineConfig:
    """Fixed sizes that programs are compiled for.

    Fields:
        slots: How many replies are written at the same time.
        context: The most tokens of prompt plus reply.
        queue: How many replies may wait for a slot before new ones are refused.
        decode_steps: The most tokens per reply and dispatch.
        chunks: Prompt tokens read per dispatch, ascending.
        drafts: The most tokens that are guessed ahead per reply and dispatch; 0 for none.
        prefix_bytes: Room for what past conversations left, beyond what all slots need; with 0,
            nothing of them is used again.
        strict: Give up speed wherever it could change the last bit of a reply. It changes nothing
            with int8 weights on a CPU that has kernels: there every bit is the same anyway.
        kernels: Use :mod:`botkit_models.kernels` where they can run.
    """

    slots: int = 4
    context: int = 2048
    queue: int = 64
    decode_steps: int = 4
    chunks: tuple[int, ...] = (64, 256)
    drafts: int = 7
    prefix_bytes: int = 32 * MIB
    strict: bool = False
    kernels: bool = True

    @classmethod
    def of(cls, settings: EngineSettings) -> EngineConfig:
        """The sizes that the settings ask for."""
        return cls(
            slots=settings.slots,
            context=settings.context,
            queue=settings.queue,
            drafts=settings.drafts,
            prefix_bytes=settings.prefix_cache * MIB,
            strict=settings.strict,
            kernels=settings.cpu_kernels,
        )

    def __post_init__(self) -> None:
        """Refuse sizes that cannot work.

        Raises:
            SettingsError: Naming the size.
        """
        for name in ("slots", "context", "decode_steps"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; choose 1 or more")
        for name in ("queue", "drafts", "prefix_bytes"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} is {getattr(self, name)}; choose 0 or more")
        if not self.chunks or self.chunks[0] < 1 or any(a >= b for a, b in pairwise(self.chunks)):
            raise SettingsError(
                f"chunks is {self.chunks}; choose one or more ascending sizes, such as (64, 256)"
            )

    def limit(self, model: DecoderConfig) -> int:
        """The most tokens of prompt plus reply with this model."""
        return min(self.context, model.max_positions)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """How many rows a decode program has: 1, 4, 8, 16 ... as many as slots or drafts need.

        Sizes between would save little: two rows take as long as four.
        """
        most = max(self.slots, self.drafts + 1)
        sizes = [1]
        while sizes[-1] < most:
            sizes.append(max(sizes[-1] * 2, 4))
        return tuple(sizes)

    @property
    def table_width(self) -> int:
        """How many blocks hold ``context`` positions."""
        return -(-self.context // BLOCK)

    @property
    def table_widths(self) -> tuple[int, ...]:
        """Widths that programs look at where they must look at all of a table, doubling."""
        widths = [min(NARROWEST, self.table_width)]
        while widths[-1] < self.table_width:
            widths.append(min(widths[-1] * 2, self.table_width))
        return tuple(widths)
