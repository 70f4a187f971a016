"""A completion behind the cache looks like the one that is there."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from botkit.cache import Asker, MemoryReplies, Outcome, ReplyCache
from botkit.completion import Completion, Scorer, TextCompleter
from botkit.completion.ability import ability
from botkit.completion.cached import CachedCompletion
from botkit.completion.chat import ChatCompletionChunk, ChatCompletionRequest
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import CompletionUnavailableError
from botkit.metrics import Metrics
from botkit.spans import NO_SPAN, Attribute


class Cached:
    """A scripted completion behind a cache in memory."""

    def __init__(self, model: ScriptedCompletion) -> None:
        self.model = model
        self.outcomes: list[Outcome] = []
        self.cache = ReplyCache(MemoryReplies(1 << 20), None, Metrics(), 60.0)
        asker = Asker("", ("ada",))
        self.completion = CachedCompletion(model, self.cache, lambda: asker, self.outcomes.append)

    async def chunks(self, request: ChatCompletionRequest) -> list[ChatCompletionChunk]:
        async with aclosing(self.completion.stream(request)) as chunks:
            return [chunk async for chunk in chunks]


def request(**fields: Any) -> ChatCompletionRequest:
    return ChatCompletionRequest.model_validate(
        {
            "model": "scripted",
            "messages": [{"role": "user", "content": "hello"}],
            "temperature": 0.0,
            **fields,
        }
    )


def text(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


async def test_a_repeat_is_the_same_stream_in_fewer_pieces() -> None:
    cached = Cached(ScriptedCompletion(["one two three", "something else"]))
    asked = request(
        stream=True, stream_options={"include_usage": True}, logprobs=True, top_logprobs=1
    )
    first, again = await cached.chunks(asked), await cached.chunks(asked)
    assert text(first) == text(again) == "one two three"
    assert cached.outcomes == ["miss", "hit"]
    assert {chunk.id for chunk in again} == {chunk.id for chunk in first}
    assert again[-1] == first[-1]  # usage, of what it cost once
    tokens = [
        [
            token
            for chunk in chunks
            for choice in chunk.choices
            if choice.logprobs is not None
            for token in choice.logprobs.content or ()
        ]
        for chunks in (first, again)
    ]
    assert tokens[0] == tokens[1] != []
    assert again[-2].choices[0].finish_reason == "stop"


async def test_usage_is_told_to_whom_asks_for_it() -> None:
    cached = Cached(ScriptedCompletion(["one two three"]))
    told = request(stream=True, stream_options={"include_usage": True})
    for asked in (request(stream=True), told, request(stream=True), told):
        chunks = await cached.chunks(asked)
        assert (chunks[-1].usage is not None) == asked.include_usage
    assert cached.outcomes == ["miss", "miss", "hit", "hit"]


async def test_whole_replies_come_from_the_same_cache() -> None:
    cached = Cached(ScriptedCompletion(["one two three", "something else"]))
    first = await cached.completion.complete(request(logprobs=True))
    again = await cached.completion.complete(request(logprobs=True))
    assert first == again
    whole = await ScriptedCompletion(["one two three"]).complete(request(logprobs=True))
    same = {"id": first.id, "created": first.created}
    assert whole.model_copy(update=same).to_json() == first.to_json()


async def test_what_is_not_kept_is_asked_every_time() -> None:
    cached = Cached(ScriptedCompletion(["one", "two", "three", "four"]))
    assert text(await cached.chunks(request(temperature=0.7, stream=True))) == "one"
    assert text(await cached.chunks(request(temperature=0.7, stream=True))) == "two"
    whole = await cached.completion.complete(request(n=2))
    assert [choice.message.content for choice in whole.choices] == ["three", "four"]
    assert cached.outcomes == ["uncacheable"] * 3


async def test_what_was_cut_off_is_not_kept() -> None:
    gate = asyncio.Event()
    cached = Cached(ScriptedCompletion(["one two three"], gate=gate))
    stream = cached.completion.stream(request(stream=True))
    await anext(stream)
    await stream.aclose()
    assert cached.model.counts.cancelled == 1
    gate.set()
    await cached.chunks(request(stream=True))
    assert cached.outcomes == ["miss", "miss"]


async def test_a_broken_stream_is_not_kept() -> None:
    from botkit.completion.script import Broken

    broken = Broken("one two", CompletionUnavailableError("gone"))
    cached = Cached(ScriptedCompletion([broken, "one two three"]))
    with pytest.raises(CompletionUnavailableError):
        await cached.chunks(request(stream=True))
    assert text(await cached.chunks(request(stream=True))) == "one two three"


async def test_the_span_of_the_request_knows() -> None:
    seen: list[dict[str, Attribute]] = []

    class Seen:
        def set(self, **attributes: Attribute) -> None:
            seen.append(attributes)

        def __getattr__(self, name: str) -> Any:
            return getattr(NO_SPAN, name)

    cached = Cached(ScriptedCompletion(["one"]))
    for _ in range(2):
        span: Any = Seen()
        await cached.chunks(request(stream=True).within(span))
    assert seen == [{"botkit__cache": "miss"}, {"botkit__cache": "hit"}]


async def test_abilities_are_found_through_it() -> None:
    completion: Completion = Cached(ScriptedCompletion()).completion
    assert ability(completion, TextCompleter) is not None
    assert ability(completion, Scorer) is not None


class Versions(ScriptedCompletion):
    """Weights that change."""

    of_weights = "fp_1"

    def version(self, model: str) -> str:
        return self.of_weights


async def test_another_version_of_the_model_is_asked_anew() -> None:
    model = Versions(["old", "new"])
    cached = Cached(model)
    assert text(await cached.chunks(request(stream=True))) == "old"
    model.of_weights = "fp_2"
    assert text(await cached.chunks(request(stream=True))) == "new"
