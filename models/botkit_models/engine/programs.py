"""Compiled steps by shape.

A shape is compiled when it is first needed, or ahead of that by :meth:`Programs.warm_up` in a
process of its own. Compiled code is kept on disk, so that it is compiled once per machine and
loaded whenever it is needed again.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import product
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from botkit.errors import CompletionUnavailableError
from botkit_models import kernels
from botkit_models.engine.batch import mask_width
from botkit_models.engine.compiler import CompilerProcess, Order
from botkit_models.engine.identity import identity
from botkit_models.engine.plan import Plan
from botkit_models.engine.room import return_memory
from botkit_models.engine.shapes import adapter_shapes, int32, sampling_shapes, shape
from botkit_models.engine.shelf import Key, Program, Shelf
from botkit_models.engine.steps import Rows, Steps
from botkit_models.gpt.cache import Pool, empty_pools
from botkit_models.gpt.lora import LoraShapes

logger = logging.getLogger(__name__)

ADAPTED = "+"
"""In a program's kind: stands before which adapters it is for."""


class Programs:
    """The engine's compiled functions.

    Args:
        steps: What to compile.
        plan: In which sizes.
        folder: Where compiled programs are kept, or None to keep none.
        lora: Shapes of the model's adapters. Rows that have one run in programs of their own, so
            that those of the others are the same with and without adapters.
    """

    def __init__(
        self, steps: Steps, plan: Plan, folder: Path | None = None, lora: LoraShapes = ()
    ) -> None:
        self._steps, self._plan, self._folder, self._lora = steps, plan, folder, lora
        self._suffixes = ("", adapted_suffix(lora)) if lora else ("",)
        self._programs: dict[Key, Future[Program]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._shelf = Shelf(folder, identity(plan, steps.eos_ids, steps.weights))
        self._compiler: CompilerProcess | None = None
        self.compiled = 0

    def pools(self) -> Program:
        """:func:`empty_pools` of all blocks."""
        return self._get(("pools", self._plan.blocks, 0))

    def read(self, tokens: int, width: int, *, adapted: bool = False) -> Program:
        """:meth:`Steps.read` of ``tokens`` at once with a table of ``width`` blocks."""
        return self._get((f"read{self._suffixes[adapted]}", tokens, width))

    def decode(self, rows: int, width: int, *, adapted: bool = False) -> Program:
        """:meth:`Steps.decode` of ``rows`` with tables of ``width`` blocks."""
        return self._get((f"decode{self._suffixes[adapted]}", rows, width))

    def score(self, tokens: int) -> Program:
        """:meth:`Steps.score` of ``tokens`` at once."""
        return self._get(("score", tokens, 0))

    def batch_sizes(self, width: int, *, adapted: bool = False) -> tuple[int, ...]:
        """How many rows the programs at hand have, with tables of ``width``.

        While a program is being compiled, which takes a while, smaller ones do its work; that is
        slower, but changes no bit of a reply.
        """
        sizes, kind = self._plan.batch_sizes, f"decode{self._suffixes[adapted]}"
        if not self._pending((kind, sizes[0], width)):
            later = [size for size in sizes if self._pending((kind, size, width))]
            for size in later:
                self._ask((kind, size, width))
            return tuple(size for size in sizes if size not in later)
        return sizes[:1]

    def load(self, key: Key) -> None:
        """Make the program of ``key`` ready to run."""
        self._get(key)

    def essential(self) -> list[Key]:
        """What a first short question needs: readiness waits for these."""
        narrowest = self._plan.table_widths[0]
        return [
            ("pools", self._plan.blocks, 0),
            ("read", self._plan.config.chunks[0], narrowest),
            ("decode", 1, narrowest),
        ]

    def load_kept(self) -> None:
        """Load whatever is on disk: later that would be a delay."""
        for key in self.reachable():
            if key in self._shelf and not self._closed.is_set():
                self._get(key)

    def warm_up(self, serving_folder: Path) -> None:
        """Have every program compiled that a request can reach and that is not on disk.

        They are not loaded: that happens when they are needed.

        Args:
            serving_folder: Of the model, for the process that compiles.
        """
        missing = tuple(key for key in self.reachable() if key not in self._shelf)
        if not missing or self._folder is None:
            return
        began = time.monotonic()
        eos_ids = tuple(self._steps.eos_ids)
        config, folder = self._plan.config, str(self._folder)
        order = Order(str(serving_folder), eos_ids, config, folder, missing, self._lora)
        try:
            with self._lock:
                if self._closed.is_set():
                    return
                self._compiler = CompilerProcess(order)
        except OSError as error:
            logger.warning("no process to compile in (%s): programs compile when needed", error)
            return
        self._compiler.follow()
        if self._closed.is_set():
            return
        left = sum(key not in self._shelf for key in self.reachable())
        if left:
            logger.warning(
                "%d programs were not compiled (the process ended with %s): they compile when "
                "they are needed, and replies wait for that",
                left,
                self._compiler.exit_code,
            )
        else:
            logger.info("every program is compiled; %.0f s", time.monotonic() - began)

    def keep(self, key: Key) -> None:
        """Have the program of ``key`` on disk, without loading it."""
        if key not in self._shelf:
            self._compile(key)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to compile."""
        return all(key in self._shelf for key in self.reachable())

    def close(self) -> None:
        """Stop a running warm-up."""
        with self._lock:
            self._closed.set()
            if self._compiler is not None:
                self._compiler.close()

    @property
    def loaded(self) -> int:
        """How many programs are in memory."""
        with self._lock:
            return sum(future.done() for future in self._programs.values())

    def reachable(self) -> Iterator[Key]:
        """Every program that some request may need, those of short conversations first."""
        plan = self._plan
        yield "pools", plan.blocks, 0
        for suffix, width in product(self._suffixes, plan.table_widths):
            for tokens in plan.config.chunks:
                yield f"read{suffix}", tokens, width
            for rows in plan.batch_sizes:
                yield f"decode{suffix}", rows, width
        for tokens in plan.config.chunks:
            yield "score", tokens, 0

    def _get(self, key: Key) -> Program:
        with self._lock:
            future = self._programs.get(key)
            mine = future is None
            if future is None:
                future = self._programs[key] = Future()
        if mine:
            try:
                future.set_result(self._ready(key))
            except BaseException as error:
                with self._lock:
                    self._programs.pop(key, None)
                future.set_exception(error)
        return future.result()

    def _pending(self, key: Key) -> bool:
        """Whether the process that compiles has yet to put ``key`` on disk."""
        if self._compiler is None or not self._compiler.pending(key):
            return False
        return key not in self._programs and key not in self._shelf

    def _ask(self, key: Key) -> None:
        if self._compiler is not None:
            self._compiler.ask(key)

    def _ready(self, key: Key) -> Program:
        """The program of ``key``, from the disk if that can be."""
        began = time.monotonic()
        program = self._shelf.take(key)
        if program is None and self._compiler is not None:
            self._compiler.wait(key)
            program = self._shelf.take(key)
        if program is None:
            if self._closed.is_set():
                raise CompletionUnavailableError("The model is shutting down.")
            return self._compile(key)
        return_memory()
        logger.debug("loaded %s(%d, %d) in %.2f s", *key, time.monotonic() - began)
        return program

    def _compile(self, key: Key) -> Program:
        (kind, adapted, _), size, width = key[0].partition(ADAPTED), *key[1:]
        began = time.monotonic()
        function, donated, arguments = {
            "pools": self._pools_arguments,
            "read": self._read_arguments,
            "decode": self._decode_arguments,
            "score": self._score_arguments,
        }[kind](size, width)
        if adapted:
            arguments = (*arguments, adapter_shapes(self._lora, size if kind == "decode" else 1))
        lowered = jax.jit(function, donate_argnums=donated).lower(*arguments)
        program = lowered.compile()
        self.compiled += 1
        self._shelf.put(key, program)
        return_memory()
        logger.debug("compiled %s(%d, %d) in %.2f s", *key, time.monotonic() - began)
        return program

    def _pools_arguments(self, blocks: int, _: int) -> tuple[Any, Any, Any]:
        plan = self._plan
        zeros = kernels.reserve if plan.use_kernels else jnp.zeros
        return lambda: empty_pools(plan.model, blocks, plan.dtype, zeros), (), ()

    def _read_arguments(self, tokens: int, width: int) -> tuple[Any, Any, Any]:
        shapes = (self._weights(), self._pools(), int32(tokens), int32(tokens), int32(width))
        return self._steps.read, (1,), shapes

    def _decode_arguments(self, size: int, width: int) -> tuple[Any, Any, Any]:
        each = int32(size)
        history = int32(size, self._plan.config.context)
        rows = Rows(each, each, each, history, each, int32(size, width))
        masks = int32(size, mask_width(self._plan.model.vocab_size))
        shapes = (self._weights(), self._pools(), rows, sampling_shapes(size), masks, int32())
        return self._steps.decode, (1,), shapes

    def _score_arguments(self, tokens: int, _: int) -> tuple[Any, Any, Any]:
        hidden = shape(jnp.float32, tokens, self._plan.model.hidden_size)
        return self._steps.score, (), (self._weights(), hidden, int32(tokens))

    def _weights(self) -> Any:
        return [shape(weight.dtype, *weight.shape) for weight in self._steps.weights]

    def _pools(self) -> list[Pool]:
        plan = self._plan
        pools: list[Pool] = jax.eval_shape(lambda: empty_pools(plan.model, plan.blocks, plan.dtype))
        return pools


def adapted_suffix(lora: LoraShapes) -> str:
    """What programs for these adapters are called besides their kind."""
    return ADAPTED + hashlib.sha256(repr(lora).encode()).hexdigest()[:8]
