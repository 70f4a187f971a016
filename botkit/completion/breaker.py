"""A circuit breaker: leave alone for a while what keeps failing.

Source: Michael Nygard, "Release It!" (2007), chapter 5. Closed: requests pass. Open, after a number
of failures in a row: none pass until a cool-down is over. Half-open: one request tries; its
outcome closes or re-opens the circuit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from botkit.errors import CompletionError


@dataclass(frozen=True)
class BreakerPolicy:
    """When a circuit opens, and for how long.

    Fields:
        failures: Failures in a row that open it.
        cooldown: Seconds that it stays open.
    """

    failures: int = 5
    cooldown: float = 30.0


@dataclass
class CircuitBreaker:
    """The circuit of one member of a chain.

    Fields:
        policy: When it opens, and for how long.
        clock: Seconds that only grow.
    """

    policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    clock: Callable[[], float] = time.monotonic
    _failures: int = field(default=0, init=False)
    _opened: float = field(default=0.0, init=False)
    _trying: bool = field(default=False, init=False)

    @property
    def wait(self) -> float:
        """Seconds until the cool-down is over; 0 when closed or half-open."""
        if self._failures < self.policy.failures:
            return 0.0
        return max(0.0, self._opened + self.policy.cooldown - self.clock())

    @property
    def allows(self) -> bool:
        """Whether a request may pass now."""
        return not self._trying and self.wait == 0

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Let a request pass and learn from its outcome."""
        trial = self._failures >= self.policy.failures
        self._trying = self._trying or trial
        try:
            yield
        except CompletionError as error:
            self._learn(failed=is_failure(error))
            raise
        else:
            self._learn(failed=False)
        finally:
            if trial:
                self._trying = False

    def _learn(self, *, failed: bool) -> None:
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= self.policy.failures:
            self._opened = self.clock()


def is_failure(error: CompletionError) -> bool:
    """Whether an error says that the member is broken. One that refuses a request, or is merely
    busy, is not."""
    return error.status >= 500
