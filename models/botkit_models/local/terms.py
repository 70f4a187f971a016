"""On what terms a request's work is done: what its fields say about when and for whom."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, Protocol

from botkit_models.engine.terms import Priority, Terms


class Waiter(Protocol):
    """What every request has."""

    @property
    def deadline(self) -> float | None:
        """Seconds after which an answer is of no more use."""
        ...

    @property
    def user(self) -> str | None:
        """Who asks, as the client names them."""
        ...


class Tiered(Waiter, Protocol):
    """What a chat request has besides."""

    @property
    def service_tier(self) -> str | None:
        """How it is to be served."""
        ...

    @property
    def safety_identifier(self) -> str | None:
        """Who asks; takes the place of ``user``."""
        ...


def chat_terms(request: Tiered) -> Terms:
    """Batch work for ``flex``, interactive work otherwise; people who are named take turns."""
    priority: Priority = "batch" if request.service_tier == "flex" else "interactive"
    return _terms(priority, request.deadline, request.safety_identifier or request.user)


def text_terms(request: Waiter) -> Terms:
    """Interactive, for as long as the request says."""
    return _terms("interactive", request.deadline, request.user)


def reading_terms(request: Waiter, texts: Sequence[object], slots: int) -> Terms:
    """More texts than there are slots are batch work: somebody fills an index."""
    return _terms("batch" if len(texts) > slots else "interactive", request.deadline, request.user)


def used_tier(request: Tiered) -> Literal["default", "flex"]:
    """What a reply says of how it was served: ``priority`` work goes no faster than other
    interactive work, and is not called so."""
    return "flex" if chat_terms(request).priority == "batch" else "default"


def _terms(priority: Priority, seconds: float | None, client: str | None) -> Terms:
    deadline = None if seconds is None else time.monotonic() + seconds
    return Terms(priority, deadline, client or "")
