"""Compile the kernels once per process and make them known to XLA."""

from __future__ import annotations

import threading
from functools import cache

import jax

from botkit_models.kernels import jit
from botkit_models.kernels.attend_kernel import add_attend
from botkit_models.kernels.linear_kernel import add_linear
from botkit_models.kernels.low_rank_kernel import add_low_rank
from botkit_models.kernels.pool import add_pool
from botkit_models.kernels.team import Team, spare_cores

_LOCK = threading.Lock()
TARGETS = ("botkit_linear", "botkit_attend", "botkit_low_rank")


@cache
def _loaded() -> Team:
    module = jit.new_module()
    pool = add_pool(module)
    add_linear(module, pool)
    add_attend(module, pool)
    add_low_rank(module, pool)
    code = jit.compile_module(module)
    for target in TARGETS:
        capsule = jax.ffi.pycapsule(code.address(target))  # type: ignore[no-untyped-call]
        jax.ffi.register_ffi_target(target, capsule, platform="cpu", api_version=1)
    return Team(code, spare_cores())


def register_once() -> None:
    """Compile, register and start the workers, the first time only."""
    with _LOCK:
        _loaded()
