"""Sending one payload, and what its failure means."""

from __future__ import annotations

import logging
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
    otherwise sent again or given up, as ``policy`` says; either is counted."""

    policy: SendPolicy
    attempts: int
    metrics: Metrics

    async def deliver(self, adapter: Adapter, outgoing: Outgoing) -> DeliveryResult:
        """Send ``outgoing``; never raises, cancellation aside."""
        result = await self._attempt(adapter, outgoing)
        outcome = type(result).__name__.lower()
        self.metrics.deliveries.labels(adapter.name, outcome).inc()
        if not isinstance(result, Sent):
            logger.warning(
                "%s: payload %d, attempt %d: %s: %s",
                adapter.name,
                outgoing.id,
                outgoing.attempt,
                outcome,
                result.reason,
            )
        return result

    def put_off(self, outgoing: Outgoing) -> Delayed:
        """The result for a payload that waits for one before it."""
        return Delayed(outgoing, "an earlier message waits", retry_in=0.0)

    async def _attempt(self, adapter: Adapter, outgoing: Outgoing) -> DeliveryResult:
        try:
            if outgoing.uncertain and (known := await self._look(adapter, outgoing)) is not None:
                return known
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
        count = self.metrics.uncertain_sends
        if adapter.capabilities.finds:
            try:
                receipt = await adapter.find(outgoing)
            except DeliveryError as error:
                if outgoing.attempt < self.attempts:
                    return self._later(outgoing, error.reason, None, uncertain=True)
            else:
                if receipt is not None:
                    count.labels(adapter.name, "found").inc()
                    return Sent(outgoing, receipt.message_id)
                return None
        if self.policy == "at_most_once":
            count.labels(adapter.name, "given_up").inc()
            return Refused(outgoing, "uncertain")
        count.labels(adapter.name, "sent_again").inc()
        logger.warning(
            "%s: payload %d may have been taken already, and is sent again",
            adapter.name,
            outgoing.id,
        )
        return None

    def _uncertain(self, adapter: Adapter, outgoing: Outgoing, reason: str) -> DeliveryResult:
        if self.policy == "at_most_once" and not adapter.capabilities.finds:
            self.metrics.uncertain_sends.labels(adapter.name, "given_up").inc()
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
