"""Slack's limit: about one message a second per channel, short bursts allowed
(https://docs.slack.dev/apis/web-api/rate-limits)."""

from __future__ import annotations

from aiolimiter import AsyncLimiter

from botkit.pacing import Pacer


def slack_pacer() -> Pacer:
    """Paces by workspace and channel."""
    return Pacer(lambda place: [AsyncLimiter(3, 3)])
