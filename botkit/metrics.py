"""What the bot counts, in Prometheus' terms. Labels never hold text, ids of people or secrets."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one bot."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self.accepted = Counter(
            "botkit_events_accepted",
            "Events taken into the inbox.",
            ["platform"],
            registry=registry,
        )
        self.duplicates = Counter(
            "botkit_events_duplicate", "Events seen before.", ["platform"], registry=registry
        )
        self.counted = Counter(
            "botkit_inbound",
            "What needed no turn, or was refused.",
            ["platform", "what", "reason"],
            registry=registry,
        )
        self.turns = Counter(
            "botkit_turns", "Turns, by how they ended.", ["platform", "outcome"], registry=registry
        )
        self.turn_seconds = Histogram(
            "botkit_turn_seconds",
            "From taking a turn to its reply.",
            ["platform"],
            registry=registry,
        )
        self.deliveries = Counter(
            "botkit_deliveries",
            "Attempts to send a payload, by outcome.",
            ["platform", "outcome"],
            registry=registry,
        )
        self.uncertain_sends = Counter(
            "botkit_uncertain_sends",
            "Payloads of which nobody could tell whether the platform had taken them, by what was "
            "done: sent again, given up, found there, or not found and sent.",
            ["platform", "policy"],
            registry=registry,
        )
        self.running = Gauge(
            "botkit_conversations_running", "Conversations worked on now.", registry=registry
        )
        self.waiting = Gauge(
            "botkit_store", "What waits in the store.", ["what"], registry=registry
        )
        self.redis_up = Gauge(
            "botkit_redis_up",
            "1 while Redis answers; 0 while it is away, or none is set up.",
            registry=registry,
        )
        self.redis_errors = Counter(
            "botkit_redis_errors", "Uses of Redis that failed.", registry=registry
        )

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)
