"""How the bot is doing, at a glance."""

from __future__ import annotations

import time

from botkit.console import figures
from botkit.console.recorder import Recorder
from botkit.console.recording import Recording
from botkit.store import StoreStats
from botkit.types import Json


def overview(recorder: Recorder, stats: StoreStats, *, model: str, ready: bool) -> dict[str, Json]:
    """What waits, what runs, and how long people waited in the turns that are kept."""
    recordings = figures.turns(recorder.recordings())
    return {
        "now": time.time(),
        "model": model,
        "ready": ready,
        "queued": stats.queued,
        "unsent": stats.unsent,
        "dead_letters": stats.dead,
        "oldest_seconds": stats.oldest_seconds,
        "running": recorder.running,
        "per_minute": figures.per_minute(recordings, full=recorder.dropped > 0),
        "recorded": len(recordings),
        "bytes": recorder.size,
        "since": min((each.at for each in recordings), default=None),
        "outcomes": _outcomes(recordings),
        "tokens": _tokens(recordings),
        "first_token": _percentiles(figures.percentiles(recordings, figures.first_token)),
        "reply": _percentiles(figures.percentiles(recordings, figures.reply)),
        "queue": _percentiles(figures.percentiles(recordings, figures.queued)),
    }


def _percentiles(found: figures.Percentiles) -> dict[str, Json]:
    return {"count": found.count, "p50": found.p50, "p95": found.p95}


def _outcomes(recordings: list[Recording]) -> dict[str, Json]:
    counts: dict[str, Json] = {}
    for each in recordings:
        outcome = each.root.told("botkit.outcome")
        if outcome is not None:
            counts[str(outcome)] = counts.get(str(outcome), 0) + 1
    return counts


def _tokens(recordings: list[Recording]) -> dict[str, Json]:
    used = [figures.tokens(each) for each in recordings]
    return {
        "input": sum(each.input for each in used),
        "output": sum(each.output for each in used),
        "cached": sum(each.cached for each in used),
    }
