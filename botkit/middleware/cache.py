"""The reply cache: what was answered before is not written again."""

from __future__ import annotations

from dataclasses import replace

from botkit.cache import MemoryReplies, ReplyCache, SharedReplies
from botkit.cache.key import EVERYBODY, Asker, person, scope_of
from botkit.completion.cached import CachedCompletion
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.toolkit import Toolkit
from botkit.turn import Turn


def cache(kit: Toolkit) -> Middleware:
    """Answer exact repeats from memory or Redis, for as long as the settings say.

    A reply is for the person it was written for, in the same workspace, and for nobody else, unless
    the settings or ``turn.public`` say that everybody may have it. Whom the bot forgets, it forgets
    here too.
    """
    settings, seconds = kit.settings, kit.settings.cache_seconds
    shared = None if kit.redis is None else SharedReplies(kit.redis, seconds)
    replies = ReplyCache(MemoryReplies(settings.cache_bytes), shared, kit.metrics, seconds)
    kit.forgetting.append(replies.forget)
    kit.closing.append(replies.aclose)
    public = settings.cache_scope == "public"

    async def answer_repeats(turn: Turn, call_next: CallNext) -> Reply | None:
        cached = CachedCompletion(turn.asking.completion, replies, lambda: asker(turn, public))
        turn.asking = replace(turn.asking, completion=cached)
        return await call_next(turn)

    return answer_repeats


def asker(turn: Turn, public: bool) -> Asker:
    """Who asks in a turn."""
    where, user = turn.conversation, turn.user.id
    scope = EVERYBODY if public or turn.public else scope_of(where.platform, where.space, user)
    return Asker(scope, (person(where.platform, user),))
