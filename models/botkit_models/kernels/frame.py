"""XLA's typed foreign-function interface, as far as a handler needs it.

Source: ``xla/ffi/api/c_api.h``, which travels with jaxlib (:func:`jax.ffi.include_dir`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
from llvmlite import ir

from botkit_models.kernels.emit import I32, I64, PTR, Function, Value
from botkit_models.kernels.float_mode import FLUSH_DENORMALS, float_mode, set_float_mode
from botkit_models.kernels.record import Record

_Frame = Record(
    {
        "struct_size": I64,
        "extension": PTR,
        "api": PTR,
        "context": PTR,
        "stage": I64,
        **{
            f"{group}_{name}": kind
            for group in ("args", "rets")
            for name, kind in {
                "struct_size": I64,
                "extension": PTR,
                "count": I64,
                "types": PTR,
                "values": PTR,
            }.items()
        },
        "attrs_struct_size": I64,
        "attrs_extension": PTR,
        "attrs_count": I64,
        "attrs_types": PTR,
        "attrs_names": PTR,
        "attrs_values": PTR,
    }
)
_Buffer = Record(
    {"struct_size": I64, "extension": PTR, "dtype": I64, "data": PTR, "rank": I64, "dims": PTR}
)
_Extension = Record({"struct_size": I64, "type": I32, "next": PTR, "metadata": PTR})
_Metadata = Record(
    {
        "struct_size": I64,
        "version_struct_size": I64,
        "version_extension": PTR,
        "major": I32,
        "minor": I32,
        "traits": I32,
        "state_type": I64,
    }
)
_Scalar = Record({"dtype": I64, "value": PTR})


@dataclass(frozen=True)
class Array:
    """An operand or a result of a call.

    Args:
        descriptor: Address of its ``XLA_FFI_Buffer``.
    """

    descriptor: Value

    @property
    def data(self) -> Value:
        """Address of its first element."""
        return _Buffer.load(self.descriptor, "data")

    def dim(self, axis: int) -> Value:
        """Its size along an axis."""
        return _Buffer.load(self.descriptor, "dims").load(I64, axis)


@dataclass(frozen=True)
class Call:
    """What XLA hands to a handler.

    Args:
        frame: Address of the ``XLA_FFI_CallFrame``.
        attributes: Names of the attributes, sorted as XLA sorts them.
    """

    frame: Value
    attributes: Sequence[str]

    def argument(self, index: int) -> Array:
        """An operand."""
        return Array(_Frame.load(self.frame, "args_values").load(PTR, index))

    def result(self, index: int) -> Array:
        """A result."""
        return Array(_Frame.load(self.frame, "rets_values").load(PTR, index))

    def attribute(self, name: str, kind: ir.Type) -> Value:
        """A scalar attribute."""
        place = self.attributes.index(name)
        scalar = _Frame.load(self.frame, "attrs_values").load(PTR, place)
        return _Scalar.load(scalar, "value").load(kind)


def add_handler(
    module: ir.Module, name: str, attributes: Sequence[str], body: Callable[[Function, Call], None]
) -> None:
    """Write a handler: it answers XLA's question for the version, or runs ``body``."""
    f = Function(module, name, PTR, [PTR], local=False)
    (frame,) = f.parameters
    extension = _Frame.load(frame, "extension")
    with f.when(extension.cast("ptrtoint", I64).differs(0)):
        # The only extension there is: the question for the version, before any execution.
        _answer(f, _Extension.load(extension, "metadata"))
        f.done(f.zero(PTR))
    mode = float_mode(f)
    set_float_mode(f, f.const(FLUSH_DENORMALS, I32))
    body(f, Call(frame, sorted(attributes)))
    set_float_mode(f, mode)
    f.done(f.zero(PTR))


def _answer(f: Function, metadata: Value) -> None:
    """Speak the version that this jaxlib speaks: the fields used here are in all of them."""
    for name, version in zip(("major", "minor"), api_version(), strict=True):
        _Metadata.store(metadata, name, f.const(version, I32))
    _Metadata.store(metadata, "traits", f.const(0, I32))
    with f.when(_Metadata.load(metadata, "struct_size") >= _Metadata.size):
        _Metadata.store(metadata, "state_type", f.const(0, I64))


def api_version() -> tuple[int, int]:
    """The interface's version by the header that travels with jaxlib."""
    header = Path(jax.ffi.include_dir(), "xla/ffi/api/c_api.h").read_text()
    found = dict(re.findall(r"#define XLA_FFI_API_(MAJOR|MINOR) (\d+)", header))
    return int(found["MAJOR"]), int(found["MINOR"])
