"""What memory the server process holds while every slot is full."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

from botkit.settings import Settings
from botkit_models.bench.process import Memory, memory_of, proportional_memory
from botkit_models.bench.row import Bound, Row
from botkit_models.bench.server_process import ServerProcess

FULL = Bound("most", 900.0, aim=600.0)
SLOTS, CONTEXT = 8, 2048
REPLY, ROUNDS = 100, 2
CHARS = 5000
LINE = "Case {0}: the customer wrote on day {1} that order {0} had not come, and was told to wait. "
POLL_SECONDS = 0.1


class Filled(NamedTuple):
    """The process when it held most, and the lengths of the prompts it was asked."""

    most: Memory
    prompts: list[int]


def memory_rows(settings: Settings) -> list[Row]:
    """Resident memory while prompts and replies fill every slot; then again with other ones."""
    settings = settings.model_copy(update={"slots": SLOTS, "context": CONTEXT})
    numbers = count()
    with ServerProcess(settings) as server:
        server.seconds_until("/readyz")
        server.wait_until_idle()
        fresh = memory_of(server.pid)
        rounds = [_fill(server, numbers) for _ in range(ROUNDS)]
        proportional = proportional_memory(server.pid)
    most = max((one.most for one in rounds), key=lambda memory: memory.resident)
    prompts = [length for one in rounds for length in one.prompts]
    note = (
        f"{most.split}{fresh.resident:.0f} before any chat; "
        + ("" if proportional is None else f"PSS {proportional:.0f} afterwards; ")
        + f"{ROUNDS} times {SLOTS} chats together, prompts of {min(prompts)} to {max(prompts)} "
        + f"tokens and replies of up to {REPLY}"
    )
    name = f"resident memory, {SLOTS} slots of {CONTEXT} tokens, all full"
    return [Row(name, "MiB", most.resident, bound=FULL, note=note)]


def long_text(number: int) -> str:
    """About :data:`CHARS` characters that begin like the text of no other number."""
    lines = range(CHARS // len(LINE) + 1)
    return "".join(LINE.format(f"{number:03d}{line:03d}", line) for line in lines)[:CHARS]


def _fill(server: ServerProcess, numbers: count[int]) -> Filled:
    texts = [long_text(next(numbers)) for _ in range(SLOTS)]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.client.chat_together, texts, REPLY)
        most = watch(server.pid, asked.done)
        return Filled(most, asked.result())


def watch(pid: int, done: Callable[[], bool]) -> Memory:
    """The memory of a process when it held most, looked at until ``done`` and once more."""
    most = memory_of(pid)
    while not done():
        time.sleep(POLL_SECONDS)
        most = max(most, memory_of(pid), key=lambda memory: memory.resident)
    return most
