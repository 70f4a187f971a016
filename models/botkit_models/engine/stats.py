"""Counters of the engine, for metrics and tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class EngineStats:
    """Written by the engine's thread alone; a reader sees whole numbers, perhaps a moment old.

    Fields:
        started, finished, cancelled, failed: Jobs that got a slot, and how they ended.
        expired: Jobs whose deadline passed; those of them that had a slot count as failed, too.
        prompt_tokens, reply_tokens: Tokens read and written.
        cached_tokens: Prompt tokens that were in the cache already and so were not read.
        drafted, accepted: Tokens that were guessed ahead, and those of them that were right.
        read_dispatches, decode_dispatches: Calls of compiled programs.
        preparing: Seconds that the engine waited for programs to be loaded or compiled.
        active: Jobs in a slot now.
    """

    started: int = 0
    finished: int = 0
    cancelled: int = 0
    failed: int = 0
    expired: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    cached_tokens: int = 0
    drafted: int = 0
    accepted: int = 0
    read_dispatches: int = 0
    decode_dispatches: int = 0
    preparing: float = 0.0
    active: int = 0
