"""Types and values of LLVM IR, with operators: the kernels read like the arithmetic they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llvmlite import ir

if TYPE_CHECKING:
    from botkit_models.kernels.emit import Function

I1 = ir.IntType(1)
I8 = ir.IntType(8)
I16 = ir.IntType(16)
I32 = ir.IntType(32)
I64 = ir.IntType(64)
F16 = ir.HalfType()
F32 = ir.FloatType()
PTR = ir.PointerType()
VOID = ir.VoidType()

BYTES = {I8: 1, I16: 2, I32: 4, I64: 8, F16: 2, F32: 4, PTR: 8}
"""Size of each scalar type in memory."""


def vector(element: ir.Type, lanes: int) -> ir.VectorType:
    """The vector type of ``lanes`` elements."""
    return ir.VectorType(element, lanes)


def element_of(kind: ir.Type) -> ir.Type:
    """The element type of a vector, or the scalar type itself."""
    return kind.element if isinstance(kind, ir.VectorType) else kind


def size_of(kind: ir.Type) -> int:
    """Bytes that a value of this type takes in memory."""
    lanes = kind.count if isinstance(kind, ir.VectorType) else 1
    return lanes * BYTES[element_of(kind)]


@dataclass(frozen=True)
class Value:
    """A value of the function under construction; integers are signed."""

    function: Function
    raw: Any

    @property
    def type(self) -> ir.Type:
        """Its LLVM type."""
        return self.raw.type

    @property
    def is_float(self) -> bool:
        """Whether its elements are floating-point numbers."""
        return isinstance(element_of(self.type), ir.FloatType | ir.HalfType)

    def _other(self, other: Value | float) -> Any:
        return other.raw if isinstance(other, Value) else self.function.const(other, self.type).raw

    def _apply(self, integer: str, floating: str, other: Value | float) -> Value:
        operation = getattr(self.function.builder, floating if self.is_float else integer)
        return Value(self.function, operation(self.raw, self._other(other)))

    def __add__(self, other: Value | float) -> Value:
        return self._apply("add", "fadd", other)

    def __sub__(self, other: Value | float) -> Value:
        return self._apply("sub", "fsub", other)

    def __mul__(self, other: Value | float) -> Value:
        return self._apply("mul", "fmul", other)

    def __truediv__(self, other: Value | float) -> Value:
        return self._apply("sdiv", "fdiv", other)

    def __floordiv__(self, other: Value | float) -> Value:
        return self._apply("sdiv", "fdiv", other)

    def __mod__(self, other: Value | int) -> Value:
        return self._apply("srem", "frem", other)

    def __and__(self, other: Value | int) -> Value:
        return self._apply("and_", "and_", other)

    def __or__(self, other: Value | int) -> Value:
        return self._apply("or_", "or_", other)

    def __lshift__(self, other: Value | int) -> Value:
        return self._apply("shl", "shl", other)

    def __rshift__(self, other: Value | int) -> Value:
        return self._apply("lshr", "lshr", other)

    def _compare(self, operator: str, other: Value | float) -> Value:
        builder = self.function.builder
        compare = builder.fcmp_ordered if self.is_float else builder.icmp_signed
        return Value(self.function, compare(operator, self.raw, self._other(other)))

    def __lt__(self, other: Value | float) -> Value:
        return self._compare("<", other)

    def __le__(self, other: Value | float) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Value | float) -> Value:
        return self._compare(">", other)

    def __ge__(self, other: Value | float) -> Value:
        return self._compare(">=", other)

    def equals(self, other: Value | float) -> Value:
        """Whether both are equal, element by element."""
        return self._compare("==", other)

    def differs(self, other: Value | float) -> Value:
        """Whether both differ, element by element."""
        return self._compare("!=", other)

    def select(self, yes: Value, no: Value) -> Value:
        """``yes`` where this condition holds, else ``no``."""
        return Value(self.function, self.function.builder.select(self.raw, yes.raw, no.raw))

    def cast(self, operation: str, kind: ir.Type) -> Value:
        """Convert by an LLVM instruction: ``sext``, ``trunc``, ``sitofp``, ``fpext``, ..."""
        return Value(self.function, getattr(self.function.builder, operation)(self.raw, kind))

    def widen(self) -> Value:
        """This integer as 64 bits."""
        return self.cast("sext", I64)

    def splat(self, lanes: int) -> Value:
        """A vector with this scalar in every lane."""
        builder = self.function.builder
        kind = vector(self.type, lanes)
        first = builder.insert_element(ir.Constant(kind, ir.Undefined), self.raw, I32(0))
        zeros = ir.Constant(vector(I32, lanes), [0] * lanes)
        return Value(self.function, builder.shuffle_vector(first, first, zeros))

    def shuffle(self, other: Value, lanes: Sequence[int]) -> Value:
        """Lanes picked from this vector and, past its end, from ``other``."""
        mask = ir.Constant(vector(I32, len(lanes)), list(lanes))
        return Value(self.function, self.function.builder.shuffle_vector(self.raw, other.raw, mask))

    def lane(self, index: int) -> Value:
        """One element of this vector."""
        return Value(self.function, self.function.builder.extract_element(self.raw, I32(index)))

    def at(self, kind: ir.Type, index: Value | int) -> Value:
        """The address of element ``index`` of the array of ``kind`` that this pointer begins."""
        return self.offset(self.function.whole(index) * size_of(element_of(kind)))

    def offset(self, count: Value | int) -> Value:
        """This address and ``count`` bytes."""
        whole = self.function.whole(count)
        raw = self.function.builder.gep(self.raw, [whole.raw], source_etype=I8)
        return Value(self.function, raw)

    def load(self, kind: ir.Type, index: Value | int = 0) -> Value:
        """Load a ``kind`` at element ``index`` (counted in its element type), unaligned."""
        address = self.at(kind, index)
        align = BYTES[element_of(kind)]
        return Value(self.function, self.function.builder.load(address.raw, typ=kind, align=align))

    def store(self, value: Value, index: Value | int = 0) -> None:
        """Store ``value`` at element ``index`` (counted in its element type), unaligned."""
        address = self.at(value.type, index)
        align = BYTES[element_of(value.type)]
        self.function.builder.store(value.raw, address.raw, align=align)
