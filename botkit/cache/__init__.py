"""Replies that were given before, for the same question: kept in memory, and in Redis.

:mod:`~botkit.cache.key` says what "the same" is, :mod:`~botkit.cache.reply` what is kept,
:mod:`~botkit.cache.memory` and :mod:`~botkit.cache.shared` where, :mod:`~botkit.cache.flight` lets
equal questions that come together share one generation, and :mod:`~botkit.cache.replies` makes a
cache of them.
"""

from botkit.cache.key import Asker, cache_key, person
from botkit.cache.memory import MemoryReplies
from botkit.cache.replies import Outcome, ReplyCache
from botkit.cache.shared import SharedReplies

__all__ = [
    "Asker",
    "MemoryReplies",
    "Outcome",
    "ReplyCache",
    "SharedReplies",
    "cache_key",
    "person",
]
