"""What a worker is asked for, and what it answers; both travel as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botkit_models.config import DecoderConfig

StepName = Literal["decode", "prefill"]
WeightsKind = Literal["int8", "bfloat16"]


@dataclass(frozen=True)
class Order:
    """A model, the devices, and the sizes.

    Fields:
        config: The model's shape.
        topology: As :meth:`Topology.parse` takes it.
        tensor: Devices that share a layer's heads, or None for as many as divide them.
        slots, context: Conversations, and positions of each.
        prefill: Prompt tokens read at once, per group of slots.
        weights: Their form.
        steps: What to compile.
    """

    config: DecoderConfig
    topology: str
    slots: int = 32
    context: int = 2048
    prefill: int = 512
    weights: WeightsKind = "int8"
    tensor: int | None = None
    steps: tuple[StepName, ...] = ("decode", "prefill")

    def to_json(self) -> str:
        """JSON text that :meth:`from_json` reads back."""
        return json.dumps(dataclasses.asdict(self) | {"config": self.config.to_json()})

    @classmethod
    def from_json(cls, text: str) -> Order:
        """Read what :meth:`to_json` wrote."""
        fields = json.loads(text)
        fields["config"] = DecoderConfig.from_json(fields["config"])
        fields["steps"] = tuple(fields["steps"])
        return cls(**fields)


@dataclass(frozen=True)
class Traffic:
    """Of one kind of instruction: how many, and bytes of their results per chip."""

    count: int
    bytes: int


@dataclass(frozen=True)
class CompiledStep:
    """What a compiler said of one program; bytes, flops and seconds are of one chip and step.

    Fields:
        name: Which.
        compile_seconds: How long it took.
        arguments, outputs, aliased, temporaries, code: Bytes; ``aliased`` outputs lie where
            arguments lay.
        flops, bytes_accessed, optimal_seconds: The compiler's cost model, or None without one.
        collectives: Exchanges between chips by kind.
        kernels: Instructions of the program by kind.
        refusal: Why there is no program, or None; the figures are then zero.
    """

    name: StepName
    compile_seconds: float = 0.0
    arguments: int = 0
    outputs: int = 0
    aliased: int = 0
    temporaries: int = 0
    code: int = 0
    flops: float | None = None
    bytes_accessed: float | None = None
    optimal_seconds: float | None = None
    collectives: Mapping[str, Traffic] = field(default_factory=dict)
    kernels: Mapping[str, int] = field(default_factory=dict)
    refusal: str | None = None

    @property
    def peak(self) -> int:
        """Bytes of memory that the program needs at once."""
        return self.arguments + self.outputs - self.aliased + self.temporaries + self.code


@dataclass(frozen=True)
class Answer:
    """What a worker found; bytes are per chip.

    Fields:
        devices, hosts: How many chips, in how many machines.
        device: What the compiler calls a chip.
        compiler: Its packages and their versions.
        mesh: Sizes of the mesh's axes.
        replicated: What the table of axes would divide but the sizes do not.
        weights: Bytes of all weights.
        table: Those of a table of tokens of which a step reads a few rows only.
        caches: Bytes of keys and values.
        rows: Prompts that a prefill reads.
        steps: The programs.
    """

    devices: int
    hosts: int
    device: str
    compiler: str
    mesh: Mapping[str, int]
    replicated: tuple[str, ...]
    weights: int
    table: int
    caches: int
    rows: int
    steps: tuple[CompiledStep, ...]

    def to_json(self) -> str:
        """JSON text that :meth:`from_json` reads back."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Answer:
        """Read what :meth:`to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        steps = []
        for step in fields["steps"]:
            traffic = {kind: Traffic(**one) for kind, one in step["collectives"].items()}
            steps.append(CompiledStep(**step | {"collectives": traffic}))
        return cls(**fields | {"steps": tuple(steps), "replicated": tuple(fields["replicated"])})
