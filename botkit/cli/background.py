"""An event loop beside the terminal: a bot goes on working while a person types."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Run = Callable[[Coroutine[Any, Any, R]], R]
"""Runs a coroutine in the other thread's loop and waits for it; Ctrl-C cancels it."""

CLOSING_SECONDS = 10.0


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

    async def hold() -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        task = asyncio.current_task()
        assert task is not None
        holding.append(lambda: loop.call_soon_threadsafe(task.cancel))
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
    thread.start()
    try:
        value, loop, end = opened.result()
    except KeyboardInterrupt:
        for cancel in holding:
            cancel()
        thread.join(CLOSING_SECONDS)
        raise

    def run(coroutine: Coroutine[Any, Any, R]) -> R:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    try:
        yield value, run
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(CLOSING_SECONDS)
