"""Ways in which a simulated platform fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from aiohttp import web

Kind = Literal["drop_before", "drop_after", "429", "5xx", "slow", "error"]
"""``drop_before``: the connection breaks and nothing was done. ``drop_after``: it was done, and
the connection breaks before the answer. ``slow``: it is done after ``seconds``. ``error``: the
platform refuses with ``reason``."""


@dataclass
class Fault:
    """Something that goes wrong with some calls of one operation.

    Fields:
        operation: The method, as ``sendMessage``.
        kind: What goes wrong.
        times: How many calls it hits.
        after: How many calls go well before.
        seconds: To wait: of a 429's Retry-After, or of ``slow``.
        reason: The platform's words of an ``error``.
    """

    operation: str
    kind: Kind
    times: int = 1
    after: int = 0
    seconds: float = 1.0
    reason: str = ""
    hits: int = 0


@dataclass
class Faults:
    """The faults of one simulator, in the order in which they were added."""

    faults: list[Fault] = field(default_factory=list)

    def add(
        self,
        operation: str,
        kind: Kind,
        *,
        times: int = 1,
        after: int = 0,
        seconds: float = 1.0,
        reason: str = "",
    ) -> Fault:
        """Let the next ``times`` calls of ``operation`` fail, once ``after`` of them went well."""
        fault = Fault(operation, kind, times, after, seconds, reason)
        self.faults.append(fault)
        return fault

    def next(self, operation: str) -> Fault | None:
        """What goes wrong with the call that begins now; None when nothing does."""
        for fault in self.faults:
            if fault.operation != operation or fault.hits >= fault.times:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.hits += 1
            return fault
        return None


def cut(request: web.Request) -> NoReturn:
    """Break the connection: the bot gets no answer."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError
