"""What is seen of turns from outside: counts, times and spans, and nothing that is said."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from botkit.holding import Holding
from botkit.metrics import Metrics
from botkit.pseudonyms import Pseudonyms
from botkit.spans import NO_SPAN, NO_TRACER, Begin, Tracer
from botkit.store import DeliveryResult, QueuedEvent, Sent


@dataclass(frozen=True)
class TurnWatch:
    """Watches the turns of one process.

    Fields:
        metrics: Where they are counted.
        tracer: Who takes their spans.
        pseudonyms: What conversations are called there.
    """

    metrics: Metrics
    tracer: Tracer = NO_TRACER
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)

    def taken(self, holding: Holding) -> None:
        """A turn is looked at: what follows has nothing to do with the one before."""
        holding.span, holding.unanswered_since = NO_SPAN, None

    def begins(self, holding: Holding, events: Sequence[QueuedEvent]) -> None:
        """The turn of ``events`` is run; its span is the holding's."""
        head = events[0]
        platform = head.event.conversation.platform
        waited = max(0.0, time.time() - head.received_at)
        if head.attempts == 1:
            self.metrics.queue_wait.labels(platform).observe(waited)
        holding.unanswered_since = head.received_at
        if self.tracer is not NO_TRACER:
            holding.span = self.tracer.begin(
                f"turn {platform}",
                botkit__platform=platform,
                botkit__conversation=self.pseudonyms.name(head.event.conversation),
                botkit__event__kind=head.event.kind,
                botkit__events=len(events),
                botkit__attempt=head.attempts,
                botkit__again=head.attempts > 1,
                botkit__queue_seconds=waited,
            )

    def answered(self, holding: Holding, seconds: float) -> None:
        """The turn has its reply, after ``seconds``; its span goes on until that is kept."""
        self._count(holding, "answered")
        platform = holding.lease.conversation.platform
        self.metrics.turn_seconds.labels(platform).observe(seconds)

    def failed(self, holding: Holding, outcome: str, error: Exception | None = None) -> None:
        """The turn ended without a reply: ``retried``, ``dead`` or ``interrupted``."""
        self._count(holding, outcome)
        holding.span.end(error)

    def delivering(self, holding: Holding) -> Begin:
        """A delivery is part of the turn that it answers, while this process knows that."""
        if holding.span is not NO_SPAN or self.tracer is NO_TRACER:
            return holding.span.child
        name = self.pseudonyms.name(holding.lease.conversation)
        return partial(self.tracer.begin, botkit__conversation=name)

    def delivered(self, holding: Holding, result: DeliveryResult) -> None:
        """A payload was sent, or was not; the first of a turn is what the person waited for."""
        since, holding.unanswered_since = holding.unanswered_since, None
        if since is not None and isinstance(result, Sent):
            latency = self.metrics.reply_latency.labels(holding.lease.conversation.platform)
            latency.observe(max(0.0, time.time() - since))

    def _count(self, holding: Holding, outcome: str) -> None:
        self.metrics.turns.labels(holding.lease.conversation.platform, outcome).inc()
        holding.span.set(botkit__outcome=outcome)
