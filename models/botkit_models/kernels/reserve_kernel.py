"""The handler of :func:`botkit_models.kernels.reserve`."""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.frame import add_handler

NAME = "botkit_untouched"


def add_reserve(module: ir.Module) -> None:
    """A handler that leaves its result as it is."""
    add_handler(module, NAME, [], lambda function, call: None)
