"""A small layer over ``llvmlite.ir``: values with operators, loops and conditions as ``with``.

It exists so that the kernels read like the arithmetic they do. Nothing here knows a kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

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


Operand = "Value | int | float"


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


@dataclass(frozen=True)
class Variable:
    """A value that changes: a loop's accumulator. LLVM turns it into registers."""

    function: Function
    slot: Any
    type: ir.Type

    def get(self) -> Value:
        """Its value now."""
        return Value(self.function, self.function.builder.load(self.slot, typ=self.type))

    def set(self, value: Value) -> None:
        """Give it a new value."""
        self.function.builder.store(value.raw, self.slot)


class Function:
    """A function under construction.

    Args:
        module: Where it goes.
        name: Its symbol.
        result: What it returns.
        parameters: Types of its parameters.
        inline: Paste it into its callers rather than call it.
    """

    def __init__(
        self,
        module: ir.Module,
        name: str,
        result: ir.Type,
        parameters: Sequence[ir.Type],
        *,
        inline: bool = False,
        local: bool = True,
    ) -> None:
        self.module = module
        self.ir = ir.Function(module, ir.FunctionType(result, parameters), name)
        self.ir.attributes.add("alwaysinline" if inline else "noinline")
        self.ir.attributes.add("nounwind")
        if local:
            self.ir.linkage = "internal"
        self.entry = self.ir.append_basic_block("entry")
        self.builder = ir.IRBuilder(self.entry)
        self.parameters = [Value(self, argument) for argument in self.ir.args]

    def const(self, value: float, kind: ir.Type) -> Value:
        """A constant; of a vector type, the same in every lane."""
        if isinstance(kind, ir.VectorType):
            return Value(self, ir.Constant(kind, [value] * kind.count))
        return Value(self, ir.Constant(kind, value))

    def whole(self, value: Value | int) -> Value:
        """An integer as a 64-bit value."""
        return value if isinstance(value, Value) else self.const(value, I64)

    def zero(self, kind: ir.Type) -> Value:
        """Nought of any type."""
        return Value(self, ir.Constant(kind, None))

    def lanes(self, element: ir.Type, values: Sequence[float]) -> Value:
        """A constant vector."""
        return Value(self, ir.Constant(vector(element, len(values)), list(values)))

    def variable(self, initial: Value) -> Variable:
        """A variable that starts as ``initial``."""
        variable = Variable(self, self._reserve(initial.type), initial.type)
        variable.set(initial)
        return variable

    def space(self, size: int) -> Value:
        """The address of ``size`` bytes on the stack, 64-byte aligned."""
        slot = self._reserve(ir.ArrayType(I8, size))
        slot.align = 64
        return self.address(slot)

    def _reserve(self, kind: ir.Type) -> Any:
        with self.builder.goto_entry_block():
            return self.builder.alloca(kind)

    @contextmanager
    def loop(self, start: Value | int, stop: Value | int, step: Value | int = 1) -> Iterator[Value]:
        """``for i in range(start, stop, step)`` over 64-bit integers."""
        index = self.variable(self.whole(start))
        end, stride = self.whole(stop), self.whole(step)
        with self.repeat() as leave:
            with self.when(index.get() >= end):
                leave()
            yield index.get()
            index.set(index.get() + stride)

    @contextmanager
    def repeat(self) -> Iterator[Any]:
        """``while True``; call what it gives to leave the loop."""
        body = self.ir.append_basic_block("repeat")
        after = self.ir.append_basic_block("after")
        self.builder.branch(body)
        self.builder.position_at_end(body)

        def leave() -> None:
            self.builder.branch(after)

        yield leave
        if not self.builder.block.is_terminated:
            self.builder.branch(body)
        self.builder.position_at_end(after)

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """``if condition``."""
        yes = self.ir.append_basic_block("yes")
        after = self.ir.append_basic_block("after")
        self.builder.cbranch(condition.raw, yes, after)
        self.builder.position_at_end(yes)
        yield
        if not self.builder.block.is_terminated:
            self.builder.branch(after)
        self.builder.position_at_end(after)

    @contextmanager
    def either(self, condition: Value) -> Iterator[tuple[Any, Any]]:
        """``if condition ... else ...``: gives the two context managers."""
        with self.builder.if_else(condition.raw) as (yes, no):
            yield yes, no

    def call(self, callee: Any, *arguments: Value | int) -> Value:
        """Call a function: a :class:`Function`, or an address with :meth:`typed`."""
        target = callee.ir if isinstance(callee, Function) else callee
        raws = [
            argument.raw if isinstance(argument, Value) else ir.Constant(kind, argument)
            for argument, kind in zip(arguments, target.function_type.args, strict=True)
        ]
        return Value(self, self.builder.call(target, raws))

    def call_address(self, address: Value, kind: ir.FunctionType, *arguments: Value) -> Value:
        """Call the function of this type at an address."""
        # llvmlite wants to see a pointer to a function; in LLVM's eyes it is the pointer it was.
        typed = self._retyped(address.raw, ir.PointerType(kind))
        return Value(self, self.builder.call(typed, [argument.raw for argument in arguments]))

    def address(self, raw: Any) -> Value:
        """A stack slot, a global variable or a function as a plain address."""
        return Value(self, self._retyped(raw, PTR))

    def _retyped(self, raw: Any, kind: ir.Type) -> Any:
        cast = ir.instructions.CastInstr(self.builder.block, "bitcast", raw, kind, "")
        self.builder._insert(cast)
        return cast

    def intrinsic(self, name: str, result: ir.Type, *arguments: Value) -> Value:
        """Call an LLVM intrinsic or a C library function by its symbol."""
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        known = self.module.globals.get(name)
        target = known if known is not None else ir.Function(self.module, kind, name)
        return Value(self, self.builder.call(target, [argument.raw for argument in arguments]))

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """``a * b + c`` with one rounding."""
        lanes = f"v{a.type.count}" if isinstance(a.type, ir.VectorType) else ""
        return self.intrinsic(f"llvm.fma.{lanes}f32", a.type, a, b, c)

    def minimum(self, a: Value, b: Value) -> Value:
        """The smaller of each; ``b`` where they cannot be compared."""
        return (a < b).select(a, b)

    def maximum(self, a: Value, b: Value) -> Value:
        """The larger of each; ``b`` where they cannot be compared."""
        return (a > b).select(a, b)

    def done(self, value: Value | None = None) -> None:
        """Return."""
        if value is None:
            self.builder.ret_void()
        else:
            self.builder.ret(value.raw)
