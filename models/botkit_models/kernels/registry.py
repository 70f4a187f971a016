"""Compile the kernels once per process and make them known to XLA."""

from __future__ import annotations

import threading
from pathlib import Path

import jax

from botkit_models.kernels import jit
from botkit_models.kernels.attend_kernel import add_attend
from botkit_models.kernels.code_file import read_code, write_code
from botkit_models.kernels.linear_kernel import add_linear
from botkit_models.kernels.low_rank_kernel import add_low_rank
from botkit_models.kernels.pool import add_pool
from botkit_models.kernels.reserve_kernel import add_reserve
from botkit_models.kernels.team import Team, spare_cores

TARGETS = ("botkit_linear", "botkit_attend", "botkit_low_rank", "botkit_untouched")

_LOCK = threading.Lock()
_teams: list[Team] = []


def register_once(folder: Path | None = None) -> Team:
    """Compile or load, register, and start the workers, the first time only.

    Args:
        folder: Where machine code is kept between processes, or None to keep nothing.
    """
    with _LOCK:
        if not _teams:
            _teams.append(_register(folder))
        return _teams[0]


def _register(folder: Path | None) -> Team:
    kept = read_code(folder)
    code = jit.load(kept if kept is not None else _compile(folder))
    for target in TARGETS:
        capsule = jax.ffi.pycapsule(code.address(target))  # type: ignore[no-untyped-call]
        jax.ffi.register_ffi_target(target, capsule, platform="cpu", api_version=1)
    team = Team(code)
    team.start(spare_cores())
    return team


def _compile(folder: Path | None) -> bytes:
    module = jit.new_module()
    pool = add_pool(module)
    add_linear(module, pool)
    add_attend(module, pool)
    add_low_rank(module, pool)
    add_reserve(module)
    code = jit.compile_module(module)
    write_code(folder, code)
    return code
