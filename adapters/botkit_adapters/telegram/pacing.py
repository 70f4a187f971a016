"""Telegram's limits: one message a second per chat, twenty a minute per group, thirty a second
over all (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from aiolimiter import AsyncLimiter

from botkit.pacing import Pacer


def telegram_pacer() -> Pacer:
    """Paces by chat id. A few at once are let through: a long reply is one burst."""
    return Pacer(_limits, AsyncLimiter(30, 1))


def _limits(chat: Hashable) -> Sequence[AsyncLimiter]:
    private = isinstance(chat, int) and chat > 0
    return [AsyncLimiter(3, 3)] if private else [AsyncLimiter(3, 3), AsyncLimiter(20, 60)]
