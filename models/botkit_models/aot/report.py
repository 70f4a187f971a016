"""An answer as a table for people and as JSON for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botkit_models.aot.order import Answer, CompiledStep, Order
from botkit_models.aot.topology import Chip, Topology
from botkit_models.weights.shapes import count_parameters

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 160
NO_MODEL = "no cost model"


@dataclass(frozen=True)
class Floor:
    """The least that a step can take on one chip, in seconds.

    Fields:
        memory: To read the weights and caches once; of a table of tokens that a step reads a few
            rows of, nothing.
        compute: To do the operations that the compiler counted, at the bfloat16 rate.
    """

    memory: float
    compute: float

    @property
    def seconds(self) -> float:
        """The larger."""
        return max(self.memory, self.compute)


class Report:
    """What there is to say about an answer."""

    def __init__(self, model: str, order: Order, answer: Answer) -> None:
        self.model, self.order, self.answer = model, order, answer
        self.chip: Chip = Topology.parse(order.topology).chip

    @property
    def fits(self) -> bool:
        """Whether every step fits into a chip's memory."""
        return all(self.step_fits(step) for step in self.answer.steps)

    def step_fits(self, step: CompiledStep) -> bool:
        """Whether this one does."""
        return step.refusal is None and step.peak <= self.chip.memory

    def floor(self, step: CompiledStep) -> Floor:
        """See :class:`Floor`."""
        read = self.answer.weights - self.answer.table + self._cache_read(step)
        return Floor(read / self.chip.bandwidth, (step.flops or 0.0) / self.chip.flops)

    def share(self, step: CompiledStep) -> float | None:
        """The floor over the compiler's time: 1 is a step that does nothing beside."""
        if step.refusal is not None or not step.optimal_seconds:
            return None
        return self.floor(step).seconds / step.optimal_seconds

    def counted(self, step: CompiledStep) -> bool | None:
        """Whether the cost model counted at least the bytes that have to be read."""
        if step.refusal is not None or step.bytes_accessed is None:
            return None
        return step.bytes_accessed >= self.floor(step).memory * self.chip.bandwidth

    def copies_cache(self, step: CompiledStep) -> bool:
        """Whether there is room among the temporaries for a copy of the caches."""
        return step.temporaries >= self.answer.caches

    def _cache_read(self, step: CompiledStep) -> float:
        """Bytes of caches that a step attends over: a prefill, one slot of each group."""
        per_slot = self.answer.caches / (self.order.slots / self.answer.rows)
        return float(self.answer.caches) if step.name == "decode" else per_slot

    def heading(self) -> list[str]:
        """What was compiled for what, in lines."""
        order, answer, config = self.order, self.answer, self.order.config
        mesh = " x ".join(f"{axis} {size}" for axis, size in answer.mesh.items())
        lines = [
            f"{self.model}: {count_parameters(config) / 1e9:.2f} billion parameters, "
            f"{order.weights} weights, {order.slots} slots of {order.context}",
            f"{order.topology}: {answer.devices} x {answer.device}, hosts: {answer.hosts}; mesh: "
            f"{mesh}; {answer.compiler}",
        ]
        whole = "; ".join(answer.replicated)
        return [*lines, f"held whole by every device: {whole}"] if whole else lines

    def table(self) -> Table:
        """One line per figure, one column per step."""
        from rich import box
        from rich.table import Table

        view = Table(box=box.MARKDOWN)
        view.add_column("per chip", no_wrap=True)
        for step in self.answer.steps:
            title = "decode" if step.name == "decode" else f"prefill {self._prompt()}"
            view.add_column(title, justify="right")
        for name, figure in self._rows():
            view.add_row(name, *(figure(step) for step in self.answer.steps))
        return view

    def as_json(self) -> str:
        """Everything, for machines."""
        steps = [
            dataclasses.asdict(step)
            | {
                "peak": step.peak,
                "fits": self.step_fits(step),
                "floor_seconds": self.floor(step).seconds,
                "memory_floor_seconds": self.floor(step).memory,
                "share_of_roofline": self.share(step),
                "counts_every_byte": self.counted(step),
                "room_for_a_cache_copy": self.copies_cache(step),
            }
            for step in self.answer.steps
        ]
        document = {
            "model": self.model,
            "order": json.loads(self.order.to_json()),
            "chip": dataclasses.asdict(self.chip),
            "fits": self.fits,
            **dataclasses.asdict(self.answer),
            "steps": steps,
        }
        return json.dumps(document, indent=2)

    def _prompt(self) -> str:
        return f"{self.answer.rows} x {self.order.prefill}"

    def _rows(self) -> list[tuple[str, Callable[[CompiledStep], str]]]:
        answer = self.answer

        def compiled(show: Callable[[CompiledStep], str]) -> Callable[[CompiledStep], str]:
            return lambda step: show(step) if step.refusal is None else "-"

        rows: list[tuple[str, Callable[[CompiledStep], str]]] = [
            ("weights", lambda step: _size(answer.weights)),
            ("caches", lambda step: _size(answer.caches)),
            ("arguments", lambda step: _size(step.arguments)),
            ("outputs, not in place", compiled(lambda s: _size(s.outputs - s.aliased))),
            ("temporaries", compiled(lambda step: _size(step.temporaries))),
            ("peak of memory", self._peak),
            ("floating-point operations", compiled(lambda step: _flops(step.flops))),
            ("bytes accessed", compiled(lambda step: _counted(step.bytes_accessed))),
            ("least bytes to read", lambda s: _size(self.floor(s).memory * self.chip.bandwidth)),
            ("optimal_seconds", compiled(lambda step: _time(step.optimal_seconds))),
            ("roofline", lambda step: _time(self.floor(step).seconds)),
            ("share of the roofline", compiled(lambda step: _share(self.share(step)))),
            ("exchanges", compiled(_exchanges)),
            ("kernels", compiled(_kernels)),
            ("compiled in", compiled(lambda step: f"{step.compile_seconds:.0f} s")),
        ]
        return rows

    def _peak(self, step: CompiledStep) -> str:
        limit = _size(self.chip.memory)
        if step.refusal is not None:
            return f"DOES NOT FIT {limit}: {step.refusal}"
        verdict = "of" if self.step_fits(step) else "DOES NOT FIT"
        return f"{_size(step.peak)} {verdict} {limit}"


def show(report: Report) -> None:
    """Print the heading and the table; a pipe gets lines as long as they are."""
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=WIDE)
    for line in report.heading():
        console.print(line, markup=False, highlight=False)
    console.print(report.table())


def _size(size: float) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.2f} {name}"
    return f"{size / 1e3:.0f} kB"


def _counted(size: float | None) -> str:
    return NO_MODEL if size is None else _size(size)


def _flops(flops: float | None) -> str:
    return NO_MODEL if flops is None else f"{flops / 1e9:.1f} G"


def _time(seconds: float | None) -> str:
    return NO_MODEL if seconds is None else f"{seconds * 1e3:.3f} ms"


def _share(share: float | None) -> str:
    return NO_MODEL if share is None else f"{share:.1%}"


def _exchanges(step: CompiledStep) -> str:
    parts = [
        f"{traffic.count} {kind} {_size(traffic.bytes)}"
        for kind, traffic in step.collectives.items()
    ]
    return ", ".join(parts) or "none"


def _kernels(step: CompiledStep) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in step.kernels.items())
