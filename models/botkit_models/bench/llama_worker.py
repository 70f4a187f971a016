"""llama.cpp in a process of its own, driven by JSON lines. Imports nothing of botkit.

It runs by its path in whatever interpreter has ``llama_cpp``. One request per line on stdin, one
answer per line on stdout; times are measured here, so that the pipe is not in them::

    {"do": "open", "path": FILE, "threads": 2, "context": 1024}   -> {"version": "0.3.36"}
    {"do": "prefill", "tokens": [...]}                            -> {"seconds": 1.2}
    {"do": "decode", "prompt": [...], "tokens": [...]}            -> {"seconds": 0.9}

An answer with ``error`` says what went wrong. The end of stdin ends the process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any, TextIO


class Worker:
    """One opened model."""

    def __init__(self) -> None:
        self._model: Any = None
        self._library: Any = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what ``request`` says."""
        action = request["do"]
        if action == "open":
            return self._open(request["path"], request["threads"], request["context"])
        if action == "prefill":
            return {"seconds": self._prefill(request["tokens"])}
        if action == "decode":
            return {"seconds": self._decode(request["prompt"], request["tokens"])}
        raise ValueError(f"unknown action {action!r}")

    def _open(self, path: str, threads: int, context: int) -> dict[str, Any]:
        self._library = importlib.import_module("llama_cpp")
        self._model = self._library.Llama(
            path, n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False
        )
        return {"version": self._library.__version__}

    def _prefill(self, tokens: list[int]) -> float:
        """Seconds to read ``tokens`` into an empty context."""
        self._model.reset()
        began = time.perf_counter()
        self._eval(tokens)
        return time.perf_counter() - began

    def _decode(self, prompt: list[int], tokens: list[int]) -> float:
        """Seconds to take ``tokens`` one by one after ``prompt``; drawing them is not in it."""
        self._model.reset()
        self._eval(prompt)
        began = time.perf_counter()
        for token in tokens:
            self._eval([token])
        return time.perf_counter() - began

    def _eval(self, tokens: list[int]) -> None:
        self._model.eval(tokens)
        self._library.llama_synchronize(self._model.ctx)


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer every line until there is none."""
    worker = Worker()
    for line in requests:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as error:  # told to the other side, which decides
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Serve on stdin and stdout; what the library prints to stdout goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
