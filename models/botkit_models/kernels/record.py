"""Structures in memory, by name: the kernels' argument blocks and XLA's call frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from llvmlite import ir

from botkit_models.kernels.emit import Function, Value, size_of


@dataclass
class Record:
    """Named fields of scalar types, each aligned to its size.

    Args:
        fields: Name and type, in order.
    """

    fields: dict[str, ir.Type]
    offsets: dict[str, int] = field(init=False, default_factory=dict)
    size: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        for name, kind in self.fields.items():
            width = size_of(kind)
            self.offsets[name] = (self.size + width - 1) // width * width
            self.size = self.offsets[name] + width

    def load(self, base: Value, name: str) -> Value:
        """Read a field of the structure at ``base``."""
        return base.offset(self.offsets[name]).load(self.fields[name])

    def store(self, base: Value, name: str, value: Value) -> None:
        """Write a field of the structure at ``base``."""
        base.offset(self.offsets[name]).store(value)

    def make(self, function: Function, **values: Value) -> Value:
        """A structure on the stack with these values; all fields must be given."""
        base = function.space(self.size)
        for name in self.fields:
            self.store(base, name, values[name])
        return base
