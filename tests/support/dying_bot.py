"""`botkit serve` that kills itself with SIGKILL at the boundary whose number DIE_AT names.

Boundaries: before and after each transaction that writes, before and after each message that is
sent, and each piece that the model writes. Where it died is written to DIED_FILE.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

from botkit.cli import main
from botkit.completion.scripted import ScriptedCompletion
from botkit.store.postgres import PostgresDriver
from botkit.store.sqlite import SQLiteDriver
from botkit_adapters.telegram.calls import Calls

left = int(os.environ["DIE_AT"])


def boundary(name: str) -> None:
    global left
    left -= 1
    if left == 0:
        with open(os.environ["DIED_FILE"], "a") as file:
            file.write(name + "\n")
        os.kill(os.getpid(), signal.SIGKILL)


def dying_driver(kind: Any) -> None:
    run = kind.run

    async def run_and_die(self: Any, script: Any, *, reads: bool = False) -> Any:
        if reads:
            return await run(self, script, reads=True)
        boundary("before a transaction")
        result = await run(self, script)
        boundary("after a transaction")
        return result

    kind.run = run_and_die


def dying_calls() -> None:
    call = Calls.call

    async def call_and_die(self: Any, method: str, *given: Any, **named: Any) -> Any:
        if method != "sendMessage":
            return await call(self, method, *given, **named)
        boundary("before a send")
        result = await call(self, method, *given, **named)
        boundary("after a send")
        return result

    Calls.call = call_and_die  # type: ignore[method-assign]


def dying_completion() -> None:
    stream = ScriptedCompletion.stream

    async def stream_and_die(self: Any, request: Any) -> AsyncIterator[Any]:
        async for chunk in stream(self, request):
            boundary("in a generation")
            yield chunk

    ScriptedCompletion.stream = stream_and_die  # type: ignore[method-assign]


dying_driver(SQLiteDriver)
dying_driver(PostgresDriver)
dying_calls()
dying_completion()
main()
