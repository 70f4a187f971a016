"""The handler of :func:`botkit_models.kernels.reserve`."""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.emit import I64, PTR, Function
from botkit_models.kernels.frame import Call, add_handler
from botkit_models.kernels.memory import blank_bytes
from botkit_models.kernels.team_state import system_call
from botkit_models.kernels.values import Value

NAME = "botkit_untouched"
_PAGE = 4096
_MADVISE, _DONT_NEED = 28, 4


def add_reserve(module: ir.Module) -> None:
    """A handler that gives its result back to the system: read, it is nought."""
    add_handler(module, NAME, ["bytes"], _forget)


def _forget(f: Function, call: Call) -> None:
    start = call.result(0).data.cast("ptrtoint", I64)
    stop = start + call.attribute("bytes", I64)
    first, last = (start + (_PAGE - 1)) & -_PAGE, stop & -_PAGE
    with f.when(first < last):
        system_call(f, _MADVISE, first, last - first, _DONT_NEED)
        _blank(f, start, first)
        _blank(f, last, stop)
    with f.when(last <= first):
        _blank(f, start, stop)


def _blank(f: Function, start: Value, stop: Value) -> None:
    blank_bytes(f, start.cast("inttoptr", PTR), stop - start)
