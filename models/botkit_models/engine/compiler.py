"""The compiler's process: compiles programs that are not on disk yet.

Tracing, lowering and compiling take several seconds per program, two of them with the
interpreter's lock. In a process of its own, at low priority, that delays nobody, and the memory
that compiling took is gone when it ends. ``python -m botkit_models.engine.compiler`` is told on its
standard input, in lines of JSON, first an :class:`Order`, then keys that are wanted before the
others; it answers each key that it has dealt with. It ends when everything is compiled, or when
the input does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from botkit_models.engine.config import EngineConfig

if TYPE_CHECKING:
    from botkit_models.engine.shelf import Key
    from botkit_models.gpt.lora import LoraShapes

NICENESS = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What to compile: ``keys``, for the model in a serving folder, into ``compiled``."""

    folder: str
    eos_ids: tuple[int, ...]
    config: EngineConfig
    compiled: str
    keys: tuple[Key, ...]
    lora: LoraShapes = ()

    def line(self) -> str:
        """As the process reads it."""
        return json.dumps(dataclasses.asdict(self)) + "\n"

    @classmethod
    def of(cls, line: str) -> Order:
        """The order of a line."""
        fields = json.loads(line)
        sizes = fields["config"]
        sizes["chunks"] = tuple(sizes["chunks"])
        return cls(
            folder=fields["folder"],
            eos_ids=tuple(fields["eos_ids"]),
            config=EngineConfig(**sizes),
            compiled=fields["compiled"],
            keys=tuple(_key(json.dumps(key)) for key in fields["keys"]),
            lora=tuple(
                {name: tuple(sizes) for name, sizes in layer.items()} for layer in fields["lora"]
            ),
        )


class CompilerProcess:
    """The process, seen from the engine's.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, order: Order) -> None:
        self._asked_for: set[Key] = set()
        self._dealt_with: set[Key] = set()
        self._changed = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "botkit_models.engine.compiler"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A program that JAX took from its own cache could not be kept.
            env={**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false"},
            text=True,
            start_new_session=True,  # Ctrl-C is for the engine's process, which then closes this
        )
        self._write(order.line())

    def follow(self) -> None:
        """Take note of what it says, until it ends."""
        assert self._process.stdout is not None
        try:
            with self._process.stdout as lines:
                for line in lines:
                    with self._changed:
                        self._dealt_with.add(_key(line))
                        self._changed.notify_all()
        except ValueError:
            logger.warning("the compiler's process said what is no program's key; it is ended")
            self._process.kill()
        finally:
            self._process.wait()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def ask(self, key: Key) -> None:
        """Have ``key`` compiled before what nobody has asked for."""
        with self._changed:
            if key not in self._asked_for:
                self._asked_for.add(key)
                self._write(json.dumps(key) + "\n")

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def pending(self, key: Key) -> bool:
        """Whether ``key`` may still come."""
        return not self._ended and key not in self._dealt_with

    def wait(self, key: Key) -> None:
        """Return when ``key`` has been tried, or the process has ended."""
        self.ask(key)
        with self._changed:
            self._changed.wait_for(lambda: not self.pending(key))

    def close(self) -> None:
        """End it; nothing that it has finished is lost."""
        self._process.kill()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended; whoever follows it notices
            self._process.stdin.write(line)
            self._process.stdin.flush()


def main(lines: TextIO, answers: TextIO) -> None:
    """Work off an order."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)  # before JAX starts threads: they inherit it
    order = Order.of(lines.readline())
    wanted: queue.SimpleQueue[Key] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines, wanted), daemon=True).start()

    from botkit_models.engine.plan import plan_for, steps_for
    from botkit_models.engine.programs import Programs
    from botkit_models.weights.native import open_native

    model = open_native(Path(order.folder))
    plan = plan_for(model, order.config)
    compiled = Path(order.compiled)
    steps = steps_for(model, order.eos_ids, plan, compiled)
    programs = Programs(steps, plan, compiled, order.lora)
    keys = list(order.keys)
    while keys or not wanted.empty():
        key = keys[0] if wanted.empty() else wanted.get()
        with contextlib.suppress(ValueError):
            keys.remove(key)
        try:
            programs.keep(key)
        except Exception as error:  # the others can be had all the same
            logger.warning("a program could not be compiled: %s: %r", key, error)
        answers.write(json.dumps(key) + "\n")
        answers.flush()


def _listen(lines: TextIO, wanted: queue.SimpleQueue[Key]) -> None:
    for line in lines:
        wanted.put(_key(line))
    os._exit(0)  # the engine's process is gone, perhaps killed


def _key(line: str) -> Key:
    kind, size, length = json.loads(line)
    return str(kind), int(size), int(length)


if __name__ == "__main__":
    keys_out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    main(sys.stdin, keys_out)
    os._exit(0)  # the listening thread sits in a read that nothing ends
