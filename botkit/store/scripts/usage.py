"""Tokens used per day, under keys that name nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botkit.store.statement import Script, Statement, any_of, execute, in_chunks

_ADD = (
    "ON CONFLICT (day, key) DO UPDATE SET tokens = botkit_usage.tokens + excluded.tokens"
    " RETURNING key, tokens"
)


def add(day: int, tokens: Mapping[str, int]) -> Script[dict[str, int]]:
    """Add to the counts of a day; what they are then."""
    # In one order, or two processes wait for one another.
    rows = [{"key": key, "tokens": tokens[key]} for key in sorted(tokens)]
    added = yield from in_chunks(
        "INSERT INTO botkit_usage (day, key, tokens)",
        rows,
        (":day", "key", "tokens"),
        _ADD,
        day=day,
    )
    return dict(added)


def used(day: int, keys: Sequence[str]) -> Script[dict[str, int]]:
    """The counts of a day; keys that were never counted are missing."""
    known, params = any_of("key", keys)
    rows = yield Statement(
        f"SELECT key, tokens FROM botkit_usage WHERE day = :day AND key IN {known}",
        {**params, "day": day},
    )
    return dict(rows)


def prune(batch: int) -> Script[int]:
    """Delete a batch of the days before yesterday; how many rows."""
    rows = yield from execute(
        "DELETE FROM botkit_usage WHERE (day, key) IN (SELECT day, key FROM botkit_usage"
        f" WHERE day < :now / 86400 - 2 LIMIT {batch}) RETURNING 1"
    )
    return len(rows)
