"""Compiled steps by shape.

A shape is compiled when it is first needed, or ahead of that by :meth:`Programs.warm_up` in a
process of its own. Compiled code is kept on disk, so that it is compiled once per machine and
loaded (about a second) whenever it is needed again: a loaded program takes 50 to 120 MB, so only a
few stay.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from botkit.errors import CompletionUnavailableError
from botkit_models.config import DecoderConfig
from botkit_models.engine.compiler import CompilerProcess, Order
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.identity import identity
from botkit_models.engine.memory import return_memory
from botkit_models.engine.sampling import MAX_BIASES, SamplingBatch
from botkit_models.engine.shelf import Key, Program, Shelf
from botkit_models.engine.steps import Rows, Steps
from botkit_models.gpt.cache import LayerCache, empty_caches

logger = logging.getLogger(__name__)

LARGE = frozenset({"prefill", "decode"})  # kinds that hold every layer


class Programs:
    """The engine's compiled functions.

    Args:
        steps: What to compile.
        config: The engine's sizes.
        model: The decoder's shape.
        folder: Where compiled programs are kept, or None to keep none.
    """

    def __init__(
        self, steps: Steps, config: EngineConfig, model: DecoderConfig, folder: Path | None = None
    ) -> None:
        self._steps, self._config, self._model, self._folder = steps, config, model, folder
        self._programs: OrderedDict[Key, Future[Program]] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._shelf = Shelf(folder, identity(model, config, steps.eos_ids, steps.weights))
        self._compiler: CompilerProcess | None = None

    def prefill(self, tokens: int, length: int) -> Program:
        """:meth:`Steps.prefill` of ``tokens`` at once into caches of ``length``."""
        return self._get(("prefill", tokens, length))

    def decode(self, rows: int, length: int) -> Program:
        """:meth:`Steps.decode` of ``rows`` conversations with caches of ``length``."""
        return self._get(("decode", rows, length))

    def batch_sizes(self, length: int) -> tuple[int, ...]:
        """How many replies with caches of ``length`` the programs at hand write at once.

        While a program is being compiled, which takes ten seconds and more, smaller ones do its
        work; that is slower, but changes no bit of a reply.
        """
        sizes = self._config.batch_sizes
        if not self._pending(("decode", sizes[0], length)):
            later = [size for size in sizes if self._pending(("decode", size, length))]
            for size in later:
                self._ask(("decode", size, length))
            return tuple(size for size in sizes if size not in later)
        return sizes[:1]

    def score(self, tokens: int) -> Program:
        """:meth:`Steps.score` of ``tokens`` at once."""
        return self._get(("score", tokens, 0))

    def grow(self, length: int) -> Program:
        """:meth:`Steps.grow` from ``length``."""
        return self._get(("grow", length, 0))

    def empty(self, length: int) -> Program:
        """:func:`empty_caches` of ``length``."""
        return self._get(("empty", length, 0))

    def load(self, key: Key) -> None:
        """Make the program of ``key`` ready to run."""
        self._get(key)

    def essential(self) -> list[Key]:
        """What a first short question needs: readiness waits for these."""
        shortest = self._config.cache_lengths[0]
        return [
            ("empty", shortest, 0),
            ("prefill", self._config.prefill_chunks[0], shortest),
            ("decode", 1, shortest),
        ]

    def warm_up(self, serving_folder: Path) -> None:
        """Have every program compiled that a request can reach and that is not on disk.

        They are not loaded: that takes about a second, when they are needed.

        Args:
            serving_folder: Of the model, for the process that compiles.
        """
        missing = tuple(key for key in self.reachable() if key not in self._shelf)
        if not missing or self._folder is None:
            return
        began = time.monotonic()
        eos_ids = tuple(self._steps.eos_ids)
        order = Order(str(serving_folder), eos_ids, self._config, str(self._folder), missing)
        try:
            with self._lock:
                if self._closed.is_set():
                    return
                self._compiler = CompilerProcess(order)
        except OSError as error:
            logger.warning("no process to compile in (%s): programs compile when needed", error)
            return
        self._compiler.follow()
        if not self._closed.is_set():
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
        """Every program that some request may need, short conversations first."""
        config = self._config
        for number, length in enumerate(config.cache_lengths):
            yield "empty", length, 0
            for tokens in config.prefill_chunks:
                yield "prefill", tokens, length
            for rows in config.batch_sizes:
                yield "decode", rows, length
            if number + 1 < len(config.cache_lengths):
                yield "grow", length, 0
        for tokens in config.prefill_chunks:
            yield "score", tokens, 0

    def _get(self, key: Key) -> Program:
        with self._lock:
            future = self._programs.get(key)
            mine = future is None
            if future is None:
                future = self._programs[key] = Future()
                self._let_go()
            self._programs.move_to_end(key)
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

    def _let_go(self) -> None:
        """Drop the large programs that were not used for longest, beyond as many as may stay."""
        large = [key for key in self._programs if key[0] in LARGE]
        for key in large[: max(len(large) - self._config.resident_programs, 0)]:
            del self._programs[key]

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
        kind, size, length = key
        began = time.monotonic()
        function, donated, arguments = {
            "prefill": self._prefill_arguments,
            "decode": self._decode_arguments,
            "score": self._score_arguments,
            "grow": self._grow_arguments,
            "empty": self._empty_arguments,
        }[kind](size, length)
        lowered = jax.jit(function, donate_argnums=donated).lower(*arguments)
        program = lowered.compile()
        self._shelf.put(key, program)
        return_memory()
        logger.debug("compiled %s(%d, %d) in %.2f s", *key, time.monotonic() - began)
        return program

    def _prefill_arguments(self, tokens: int, length: int) -> tuple[Any, Any, Any]:
        shapes = (self._weights(), self._caches(length), _int32(tokens), _int32())
        return self._steps.prefill, (1,), shapes

    def _decode_arguments(self, rows: int, length: int) -> tuple[Any, Any, Any]:
        caches = [self._caches(length) for _ in range(rows)]
        state = Rows(_int32(rows), _int32(rows), _int32(rows), _int32(rows, length))
        shapes = (self._weights(), caches, state, sampling_shapes(rows), _int32())
        return self._steps.decode, (1,), shapes

    def _score_arguments(self, tokens: int, _: int) -> tuple[Any, Any, Any]:
        hidden = _shape(jnp.float32, tokens, self._model.hidden_size)
        return self._steps.score, (), (self._weights(), hidden, _int32(tokens))

    def _grow_arguments(self, length: int, _: int) -> tuple[Any, Any, Any]:
        return self._steps.grow, (), (self._caches(length),)

    def _empty_arguments(self, length: int, _: int) -> tuple[Any, Any, Any]:
        return lambda: empty_caches(self._model, length), (), ()

    def _weights(self) -> Any:
        return [_shape(weight.dtype, *weight.shape) for weight in self._steps.weights]

    def _caches(self, length: int) -> list[LayerCache]:
        caches: list[LayerCache] = jax.eval_shape(lambda: empty_caches(self._model, length))
        return caches


def sampling_shapes(rows: int) -> SamplingBatch:
    """Shapes and dtypes of a :class:`SamplingBatch` of ``rows``."""
    real, whole = _shape(jnp.float32, rows), _int32(rows)
    return SamplingBatch(
        temperature=real,
        top_p=real,
        top_k=whole,
        min_p=real,
        frequency_penalty=real,
        presence_penalty=real,
        repetition_penalty=real,
        seed=_shape(jnp.uint32, rows, 2),
        bias_ids=_int32(rows, MAX_BIASES),
        bias_values=_shape(jnp.float32, rows, MAX_BIASES),
        prompt_length=whole,
        logprobs=_shape(jnp.bool_, rows),
    )


def _int32(*shape: int) -> Any:
    return _shape(jnp.int32, *shape)


def _shape(dtype: Any, *shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, np.dtype(dtype))  # type: ignore[no-untyped-call]
