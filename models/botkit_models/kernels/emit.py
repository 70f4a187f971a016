"""A small layer over ``llvmlite.ir``: functions whose loops and conditions are ``with`` blocks.

Nothing here knows a kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from botkit_models.kernels.values import (
    F16,
    F32,
    I1,
    I8,
    I16,
    I32,
    I64,
    PTR,
    VOID,
    Value,
    size_of,
    vector,
)

__all__ = [
    "F16",
    "F32",
    "I1",
    "I8",
    "I16",
    "I32",
    "I64",
    "PTR",
    "VOID",
    "Function",
    "Value",
    "Variable",
    "size_of",
    "vector",
]


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
        local: Keep the symbol to the module.
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
