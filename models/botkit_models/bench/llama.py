"""The other side of the comparison: llama.cpp on the same file, with as many threads."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botkit.errors import SettingsError
from botkit_models.bench import llama_worker

VARIABLE = "BOTKIT_BENCH_LLAMA_PYTHON"
NOT_INSTALLED = (
    "llama.cpp not installed; run: pip install llama-cpp-python (it compiles for a while), or "
    f"let {VARIABLE} name a Python interpreter that has it"
)


def find_llama_python(chosen: str | None) -> str | None:
    """The interpreter that has ``llama_cpp``: the chosen one, else this one, else None."""
    if chosen:
        return chosen
    return sys.executable if importlib.util.find_spec("llama_cpp") else None


class LlamaSide:
    """A worker process with the model open. Use as a context manager.

    Args:
        python: An interpreter that has ``llama_cpp``.
        gguf: The model file.
        threads: For prompts and for replies alike.
    """

    def __init__(self, python: str, gguf: Path, *, threads: int) -> None:
        self._python = python
        self._opening = {"path": str(gguf), "threads": threads}
        self._process: subprocess.Popen[str] | None = None
        self.version = ""

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                [self._python, llama_worker.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError as error:
            raise SettingsError(f"cannot run {self._python}: {error.strerror or error}") from None
        try:
            self.version = str(self._ask("open", **self._opening)["version"])
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def pid(self) -> int:
        """The worker process."""
        assert self._process is not None
        return self._process.pid

    def prefill(self, tokens: Sequence[int]) -> float:
        """Seconds to read ``tokens`` into an empty context."""
        return float(self._ask("prefill", tokens=list(tokens))["seconds"])

    def decode(self, prompts: Sequence[Sequence[int]], replies: Sequence[Sequence[int]]) -> float:
        """Seconds to take the replies after the prompts, one token of each at a time, undrawn."""
        lists = {"prompts": [list(one) for one in prompts], "replies": [list(r) for r in replies]}
        return float(self._ask("decode", **lists)["seconds"])

    def _ask(self, action: str, **fields: Any) -> dict[str, Any]:
        """One request and its answer.

        Raises:
            SettingsError: The worker could not do it, or is gone.
        """
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # when it is gone, reading finds the end
            process.stdin.write(json.dumps({"do": action, **fields}) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise SettingsError(f"llama.cpp in {self._python} ended with {process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SettingsError(f"llama.cpp in {self._python}: {answer['error']}")
        return answer

    def _close(self) -> None:
        if self._process is None:
            return
        with self._process as process:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self._process = None
