"""What the bot counts, in Prometheus' terms.

Labels never hold text, ids of people, secrets, or anything else that whoever writes to the bot
chooses: every value is one of a few that the code or the settings name.
"""

from __future__ import annotations

import platform
from importlib import metadata

from botkit.registry import MetricRegistry, one_word

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

FIRST_TOKEN_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TURN_BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)
CALL_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

UNKNOWN = float("nan")
"""A gauge of which nothing is known; no alert that compares it fires."""


class Metrics:
    """The metrics of one bot."""

    def __init__(self) -> None:
        registry = MetricRegistry()
        self.registry = registry
        self._events(registry)
        self._turns(registry)
        self._model(registry)
        self._engine(registry)
        self._platforms(registry)
        self._middleware(registry)
        self._waiting(registry)
        registry.info(
            "botkit_build_info",
            "Which botkit runs, on which Python; always 1.",
            version=metadata.version("botkit"),
            python=platform.python_version(),
        )

    def _events(self, registry: MetricRegistry) -> None:
        self.accepted = registry.counter(
            "botkit_events_accepted_total", "Events taken into the inbox.", "platform"
        )
        self.duplicates = registry.counter(
            "botkit_events_duplicate_total", "Events seen before, and dropped.", "platform"
        )
        self.counted = registry.counter(
            "botkit_inbound_total",
            "What needed no turn, or was refused.",
            *("platform", "what", "reason"),
        )

    def _turns(self, registry: MetricRegistry) -> None:
        self.turns = registry.counter(
            "botkit_turns_total",
            "Turns by how they ended: answered, retried, dead, or interrupted.",
            *("platform", "outcome"),
        )
        self.turn_seconds = registry.histogram(
            "botkit_turn_duration_seconds",
            "From taking a turn to its reply; answered turns only.",
            "platform",
            buckets=TURN_BUCKETS,
        )
        self.queue_wait = registry.histogram(
            "botkit_queue_wait_seconds",
            "From accepting an event to the first turn that takes it.",
            "platform",
            buckets=TURN_BUCKETS,
        )
        self.reply_latency = registry.histogram(
            "botkit_reply_latency_seconds",
            "From accepting an event to its reply being sent by the process that answered it.",
            "platform",
            buckets=TURN_BUCKETS,
        )
        self.running = registry.gauge(
            "botkit_conversations_running", "Conversations worked on now."
        )

    def _model(self, registry: MetricRegistry) -> None:
        self.model_requests = registry.counter(
            "botkit_model_requests_total",
            "Requests to the model: ok, overloaded, unavailable, timeout, refused, error, or "
            "cancelled.",
            *("model", "outcome"),
        )
        self.model_seconds = registry.histogram(
            "botkit_model_request_duration_seconds",
            "From a request to the end of what the model writes.",
            "model",
            buckets=TURN_BUCKETS,
        )
        self.first_token = registry.histogram(
            "botkit_model_first_token_seconds",
            "From a request to the first that the model writes.",
            "model",
            buckets=FIRST_TOKEN_BUCKETS,
        )
        self.tokens = registry.counter(
            "botkit_tokens_total",
            "Tokens by direction: input, output, and cached, which are part of input.",
            *("model", "direction"),
        )
        self.reply_attempts = registry.counter(
            "botkit_reply_attempts_total",
            "Attempts at a reply that were judged: passed, or why not.",
            "reason",
        )

    def _engine(self, registry: MetricRegistry) -> None:
        self.engine_slots = registry.gauge(
            "botkit_engine_slots",
            "Replies that the model in this process writes at a time; NaN while none is loaded.",
        )
        self.engine_running = registry.gauge(
            "botkit_engine_running_requests", "Requests that it reads or writes now."
        )
        self.engine_waiting = registry.gauge(
            "botkit_engine_waiting_requests", "Requests that wait for a slot.", "priority"
        )
        self.engine_cache = registry.gauge(
            "botkit_engine_cache_used_ratio",
            "Share of its cache of keys and values that running requests hold, 0 to 1.",
        )
        self.engine_drafts = registry.counter(
            "botkit_engine_draft_tokens_total",
            "Tokens guessed ahead, by what they were found to be: accepted or rejected.",
            "outcome",
        )
        self.engine_compiled = registry.counter(
            "botkit_engine_compilations_total",
            "Programs compiled in this process; it does not grow after the warm-up.",
        )
        waiting = [self.engine_waiting.labels(each) for each in ("interactive", "batch")]
        for gauge in (self.engine_slots, self.engine_running, self.engine_cache, *waiting):
            gauge.set(UNKNOWN)
        for outcome in ("accepted", "rejected"):
            self.engine_drafts.labels(outcome)

    def _platforms(self, registry: MetricRegistry) -> None:
        self.deliveries = registry.counter(
            "botkit_deliveries_total",
            "Attempts to send a payload: sent, delayed, or refused.",
            *("platform", "outcome"),
        )
        self.delivery_seconds = registry.histogram(
            "botkit_delivery_duration_seconds",
            "What the platform's call took, without waiting for the allowed pace.",
            "platform",
            buckets=CALL_BUCKETS,
        )
        self.uncertain_sends = registry.counter(
            "botkit_uncertain_sends_total",
            "Payloads of which nobody could tell whether the platform had taken them, by what was "
            "done: sent_again, given_up, found there, or not_found and sent.",
            *("platform", "policy"),
        )

    def _middleware(self, registry: MetricRegistry) -> None:
        self.cache_requests = registry.counter(
            "botkit_cache_requests_total",
            "Requests by what the reply cache did: hit, shared (with one under way), miss, or "
            "uncacheable.",
            "outcome",
        )
        self.cache_entries = registry.gauge(
            "botkit_cache_entries", "Replies that this process holds in its cache."
        )
        self.cache_bytes = registry.gauge("botkit_cache_bytes", "What they take.")
        self.limited = registry.counter(
            "botkit_limited_total",
            "Messages that a limit kept from the model, by whose limit and of what.",
            *("scope", "kind"),
        )
        self.flagged = registry.counter(
            "botkit_moderation_flagged_total",
            "Texts that moderation stopped: input or output.",
            "direction",
        )
        self.summaries = registry.counter(
            "botkit_summaries_total", "Summaries of long conversations.", "outcome"
        )
        self.redis_up = registry.gauge(
            "botkit_redis_up", "1 while Redis answers, 0 while it is away; NaN without one."
        )
        self.redis_up.set(UNKNOWN)
        self.redis_errors = registry.counter(
            "botkit_redis_errors_total", "Uses of Redis that failed."
        )

    def _waiting(self, registry: MetricRegistry) -> None:
        self.store_up = registry.gauge(
            "botkit_store_up", "1 while the store answers, 0 while it is away."
        )
        self.inbox_events = registry.gauge(
            "botkit_inbox_events", "Events in the inbox that are not answered yet."
        )
        self.inbox_oldest = registry.gauge(
            "botkit_inbox_oldest_age_seconds", "Age of the oldest of them; 0 without any."
        )
        self.outbox_payloads = registry.gauge(
            "botkit_outbox_payloads", "Payloads in the outbox that are not sent yet."
        )
        self.dead_letters = registry.gauge(
            "botkit_dead_letters", "Events and payloads that were given up and kept."
        )

    def expect(self, platform: str) -> None:
        """Show the series of a platform at 0: Prometheus sees no increase of what was not there."""
        for outcome in ("answered", "retried", "dead", "interrupted"):
            self.turns.labels(platform, outcome)
        for outcome in ("sent", "delayed", "refused"):
            self.deliveries.labels(platform, outcome)
        for policy in ("sent_again", "given_up", "found", "not_found"):
            self.uncertain_sends.labels(platform, policy)
        self.accepted.labels(platform)
        self.duplicates.labels(platform)

    def judged(self, reason: str) -> None:
        """Count an attempt at a reply; an empty ``reason`` means that it passed."""
        self.reply_attempts.labels(one_word(reason or "passed")).inc()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return self.registry.text()
