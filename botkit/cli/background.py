"""An event loop beside the terminal: a bot goes on working while a person types."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Run = Callable[[Coroutine[Any, Any, R]], R]
"""Runs a coroutine in the other thread's loop and waits for it; Ctrl-C cancels it."""

CLOSING_SECONDS = 10.0
LOOK_SECONDS = 0.1


@contextmanager
def background(context: AbstractAsyncContextManager[T]) -> Iterator[tuple[T, Run[Any]]]:
    """Hold ``context`` open in a thread with a loop of its own.

    The main thread stays free to read lines, so that Ctrl-C and line editing work as everywhere.

    Yields:
        What the context yields, and how to run a coroutine beside it.

    Raises:
        BaseException: What the context raises when it opens.
    """
    opened: Future[tuple[T, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    holding: list[Callable[[], object]] = []
    interrupted = threading.Event()

    async def hold() -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        task = asyncio.current_task()
        assert task is not None
        holding.append(lambda: loop.call_soon_threadsafe(task.cancel))
        if interrupted.is_set():  # before there was anything to cancel
            return
        async with context as value:
            opened.set_result((value, loop, end))
            await end.wait()

    def work() -> None:
        try:
            asyncio.run(hold())
        except BaseException as error:
            if not opened.done():
                opened.set_exception(error)

    thread = threading.Thread(target=work, name="botkit-play", daemon=True)
    try:
        thread.start()
        value, loop, end = _result(opened)
    except KeyboardInterrupt:
        interrupted.set()
        for cancel in holding:
            cancel()
        if thread.is_alive():  # one that was interrupted while it started cannot be joined
            thread.join(CLOSING_SECONDS)
        raise

    def run(coroutine: Coroutine[Any, Any, R]) -> R:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return _result(future)
        except KeyboardInterrupt:
            future.cancel()
            raise

    try:
        yield value, run
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(CLOSING_SECONDS)


def _result(future: Future[R]) -> R:
    """What the future holds, once it does. Not in one wait: a Ctrl-C that comes just before it
    begins would be seen at its end only."""
    while not future.done():
        wait([future], timeout=LOOK_SECONDS)
    return future.result()
