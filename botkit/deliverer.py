"""Sending one payload, and what its failure means."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from botkit.adapter import Adapter, Outgoing
from botkit.bot_settings import SendPolicy
from botkit.errors import (
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUncertainError,
)
from botkit.metrics import Metrics
from botkit.spans import Begin
from botkit.store import Delayed, DeliveryResult, Refused, Sent

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 300.0
"""Seconds between two attempts at most."""

PATIENCE = 20
"""A platform that says when to come back is asked so many times more often."""


@dataclass(frozen=True)
class Deliverer:
    """Neither Slack nor Telegram takes a key that makes a second send harmless. So a payload of
    which nobody knows whether it was taken is looked for where the platform can be asked, and
    otherwise sent again or given up, as ``policy`` says; either is counted.

    First :meth:`prepare`, then :meth:`send`: between the two the caller looks whether the
    conversation is still its own, for both may have taken long.
    """

    policy: SendPolicy
    attempts: int
    metrics: Metrics

    async def prepare(self, adapter: Adapter, outgoing: Outgoing) -> DeliveryResult | None:
        """Everything before the send; a result where there is nothing left to send now.

        Nothing is sent here: who is cancelled in it may put the payload off as not tried.
        """
        result = await self._prepare(adapter, outgoing)
        if result is not None:
            self._note(adapter, result)
        return result

    async def send(self, adapter: Adapter, outgoing: Outgoing, begin: Begin) -> DeliveryResult:
        """Send ``outgoing``, in a span of ``begin``; never raises, cancellation aside."""
        began = time.perf_counter()
        name = f"deliver {adapter.name}"
        with begin(name, client=True, botkit__attempt=outgoing.attempt) as span:
            result = await self._send(adapter, outgoing)
            span.set(botkit__outcome=_outcome(result))
        self.metrics.delivery_seconds.labels(adapter.name).observe(time.perf_counter() - began)
        self._note(adapter, result)
        return result

    def put_off(self, outgoing: Outgoing, reason: str) -> Delayed:
        """The result for a payload that was not tried."""
        return Delayed(outgoing, reason, retry_in=0.0, refund=True)

    async def _prepare(self, adapter: Adapter, outgoing: Outgoing) -> DeliveryResult | None:
        if outgoing.attempt > self.attempts * PATIENCE:
            return Refused(outgoing, f"given up after {outgoing.attempt - 1} attempts")
        try:
            await adapter.pace(outgoing)
        except DeliveryDelayedError as error:
            return Delayed(outgoing, error.reason, error.retry_after or 1.0, refund=True)
        return await self._look(adapter, outgoing) if outgoing.uncertain else None

    async def _send(self, adapter: Adapter, outgoing: Outgoing) -> DeliveryResult:
        try:
            receipt = await adapter.deliver(outgoing)
            return Sent(outgoing, receipt.message_id)
        except DeliveryRefusedError as error:
            return Refused(outgoing, error.reason)
        except DeliveryDelayedError as error:
            return self._later(outgoing, error.reason, error.retry_after, uncertain=False)
        except DeliveryUncertainError as error:
            return self._uncertain(adapter, outgoing, error.reason)
        except Exception as error:
            logger.exception("%s: sending failed unexpectedly", adapter.name)
            return self._uncertain(adapter, outgoing, type(error).__name__)

    async def _look(self, adapter: Adapter, outgoing: Outgoing) -> DeliveryResult | None:
        """What is known of an uncertain payload; None when it should be sent again."""
        if not adapter.capabilities.finds:
            return self._by_policy(adapter, outgoing)
        try:
            receipt = await adapter.find(outgoing)
        except DeliveryRefusedError:
            return self._by_policy(adapter, outgoing)
        except DeliveryError as error:
            if outgoing.attempt < self.attempts:
                return self._later(outgoing, error.reason, None, uncertain=True)
            return self._by_policy(adapter, outgoing)
        if receipt is None:
            self._count(adapter, "not_found")
            return None
        self._count(adapter, "found")
        return Sent(outgoing, receipt.message_id)

    def _by_policy(self, adapter: Adapter, outgoing: Outgoing) -> DeliveryResult | None:
        """What to do with an uncertain payload of which the platform does not tell."""
        if self.policy == "at_most_once":
            self._count(adapter, "given_up")
            return Refused(outgoing, "uncertain")
        self._count(adapter, "sent_again")
        logger.warning(
            "%s: payload %d may have been taken already, and is sent again",
            adapter.name,
            outgoing.id,
        )
        return None

    def _uncertain(self, adapter: Adapter, outgoing: Outgoing, reason: str) -> DeliveryResult:
        if self.policy == "at_most_once" and not adapter.capabilities.finds:
            self._count(adapter, "given_up")
            return Refused(outgoing, f"uncertain: {reason}")
        return self._later(outgoing, reason, None, uncertain=True)

    def _later(
        self, outgoing: Outgoing, reason: str, after: float | None, *, uncertain: bool
    ) -> DeliveryResult:
        limit = self.attempts if after is None else self.attempts * PATIENCE
        if outgoing.attempt >= limit:
            return Refused(outgoing, f"given up after {outgoing.attempt} attempts: {reason}")
        pause = min(0.5 * 2 ** (outgoing.attempt - 1), LONGEST_PAUSE) if after is None else after
        return Delayed(outgoing, reason, pause, uncertain)

    def _count(self, adapter: Adapter, what: str) -> None:
        self.metrics.uncertain_sends.labels(adapter.name, what).inc()

    def _note(self, adapter: Adapter, result: DeliveryResult) -> None:
        outcome = _outcome(result)
        self.metrics.deliveries.labels(adapter.name, outcome).inc()
        if not isinstance(result, Sent):
            logger.warning(
                "%s: payload %d, attempt %d: %s: %s",
                adapter.name,
                result.outgoing.id,
                result.outgoing.attempt,
                outcome,
                result.reason,
            )


def _outcome(result: DeliveryResult) -> str:
    return type(result).__name__.lower()
