"""The durable store: inbox, outbox, history, state, leases, feedback; one transaction boundary."""

from botkit.store.opening import database_version, migrate, open_store
from botkit.store.store import Store
from botkit.store.types import (
    Accepted,
    ConversationSummary,
    DeadLetter,
    Delayed,
    DeliveryResult,
    Erase,
    Feedback,
    GivenFeedback,
    Lease,
    QueuedEvent,
    Refused,
    Sent,
    StoreStats,
    TurnInput,
    TurnOutput,
    Unsummarized,
    Work,
)

__all__ = [
    "Accepted",
    "ConversationSummary",
    "DeadLetter",
    "Delayed",
    "DeliveryResult",
    "Erase",
    "Feedback",
    "GivenFeedback",
    "Lease",
    "QueuedEvent",
    "Refused",
    "Sent",
    "Store",
    "StoreStats",
    "TurnInput",
    "TurnOutput",
    "Unsummarized",
    "Work",
    "database_version",
    "migrate",
    "open_store",
]
