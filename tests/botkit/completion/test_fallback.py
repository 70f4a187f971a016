"""Chains: who is asked, how often, when; on a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from virtual_time import run_virtually

from botkit.completion import ChatCompletionRequest
from botkit.completion.breaker import BreakerPolicy, CircuitBreaker
from botkit.completion.fallback import MAX_WAIT, FallbackCompletion
from botkit.completion.script import Broken
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import (
    AuthenticationError,
    CompletionError,
    CompletionUnavailableError,
    DeadlineExceededError,
    InvalidRequestError,
    OverloadedError,
)

GONE = CompletionUnavailableError("gone")


def chat(model: str = "a") -> ChatCompletionRequest:
    messages = [{"role": "user", "content": "hi"}]
    return ChatCompletionRequest(model=model, messages=messages)  # type: ignore[arg-type]


def scripted(name: str, *replies: Any, **options: Any) -> ScriptedCompletion:
    return ScriptedCompletion(list(replies) or [f"I am {name}"], model=name, **options)


def run(work: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    return run_virtually(work)


async def ask(chain: FallbackCompletion, model: str = "a") -> str:
    await chain.start()
    reply = await chain.complete(chat(model))
    return f"{reply.model}: {reply.choices[0].message.content}"


async def read(chain: FallbackCompletion) -> str:
    await chain.start()
    chunks = [chunk async for chunk in chain.stream(chat())]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


async def collect(stream: Any, said: list[str]) -> None:
    async for chunk in stream:
        said.append(chunk.choices[0].delta.content or "")


def test_the_first_answers_when_it_can() -> None:
    a, b = scripted("a"), scripted("b")
    assert run(ask(FallbackCompletion([a, b])))[0] == "a: I am a"
    assert b.counts.started == 0


def test_a_failing_member_is_asked_again_with_growing_waits() -> None:
    a = scripted("a", GONE, GONE, "at last")
    answer, took = run(ask(FallbackCompletion([a], attempts=3)))
    assert answer == "a: at last"
    assert 0.2 < took < 5


def test_then_the_next_one_is_asked_for_its_own_model() -> None:
    a, b = scripted("a", GONE), scripted("b")
    assert run(ask(FallbackCompletion([a, b], attempts=2)))[0] == "b: I am b"
    assert a.counts.failed == 2


def test_retry_after_is_waited_for() -> None:
    a = scripted("a", OverloadedError("full", retry_after=3.5), "now")
    answer, took = run(ask(FallbackCompletion([a])))
    assert answer == "a: now"
    assert took == pytest.approx(3.5, abs=0.01)


def test_a_long_retry_after_is_not() -> None:
    error = OverloadedError("full", retry_after=MAX_WAIT + 1)
    a, b = scripted("a", error), scripted("b")
    answer, took = run(ask(FallbackCompletion([a, b])))
    assert (answer, took) == ("b: I am b", 0)
    with pytest.raises(OverloadedError) as caught:
        run(ask(FallbackCompletion([scripted("a", error)])))
    assert caught.value.retry_after == MAX_WAIT + 1


def test_a_spent_quota_is_passed_on_at_once() -> None:
    error = OverloadedError("quota", retry_after=None, code="insufficient_quota")
    a, b = scripted("a", error), scripted("b")
    assert run(ask(FallbackCompletion([a, b]))) == ("b: I am b", 0)


@pytest.mark.parametrize("error", [InvalidRequestError("no", param="n"), AuthenticationError("no")])
def test_the_callers_errors_are_raised_at_once(error: CompletionError) -> None:
    a, b = scripted("a", error), scripted("b")
    with pytest.raises(type(error)):
        run(ask(FallbackCompletion([a, b])))
    assert (a.counts.started, b.counts.started) == (1, 0)


def test_when_all_fail_the_last_error_is_raised() -> None:
    chain = FallbackCompletion(
        [scripted("a", GONE), scripted("b", OverloadedError("full", retry_after=1))], attempts=2
    )
    with pytest.raises(OverloadedError):
        run(ask(chain))


def test_the_deadline_is_for_everything_together() -> None:
    a, b = scripted("a", "slow words", delay=100), scripted("b", "slow words", delay=100)
    with pytest.raises(DeadlineExceededError, match="20 s"):
        run(ask(FallbackCompletion([a, b], deadline=20)))
    assert a.counts.cancelled == 1


def test_the_deadline_counts_waits() -> None:
    a = scripted("a", OverloadedError("full", retry_after=4))
    with pytest.raises(DeadlineExceededError):
        run(ask(FallbackCompletion([a], attempts=10, deadline=10)))
    assert a.counts.started == 3


def test_a_stream_may_change_members_before_its_first_content() -> None:
    a, b = scripted("a", Broken("", GONE)), scripted("b", "fine words")
    assert run(read(FallbackCompletion([a, b], attempts=2)))[0] == "fine words"
    assert a.counts.failed == 2


def test_a_stream_that_spoke_is_never_begun_again() -> None:
    a, b = scripted("a", Broken("once upon", GONE)), scripted("b")
    chain = FallbackCompletion([a, b])

    async def work() -> list[str]:
        await chain.start()
        said: list[str] = []
        stream = chain.stream(chat())
        with pytest.raises(CompletionUnavailableError, match="gone"):
            await collect(stream, said)
        return said

    assert "".join(run(work())[0]) == "once upon"
    assert (a.counts.started, b.counts.started) == (1, 0)


def test_the_deadline_holds_within_a_stream() -> None:
    a = scripted("a", "one two three four", delay=3)

    async def work() -> list[str]:
        chain = FallbackCompletion([a], deadline=10)
        await chain.start()
        said: list[str] = []
        stream = chain.stream(chat())
        with pytest.raises(DeadlineExceededError):
            await collect(stream, said)
        return said

    assert "".join(run(work())[0]) == "one two three"
    assert a.counts.cancelled == 1


def test_leaving_a_stream_stops_the_member() -> None:
    a = scripted("a", "one two three")

    async def work() -> None:
        chain = FallbackCompletion([a])
        await chain.start()
        stream = chain.stream(chat())
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]

    run(work())
    assert a.counts.cancelled == 1


def test_an_empty_reply_is_a_reply() -> None:
    a, b = scripted("a", ""), scripted("b")
    assert run(read(FallbackCompletion([a, b])))[0] == ""
    assert b.counts.started == 0


def test_models_of_all_and_a_member_that_cannot_start() -> None:
    class Lame(ScriptedCompletion):
        async def start(self) -> None:
            raise GONE

    async def work() -> Any:
        chain = FallbackCompletion([Lame(model="lame"), scripted("b"), scripted("b")])
        assert not chain.ready
        answer = await ask(chain)
        return answer, [model.id for model in await chain.models()], chain.ready

    assert run(work())[0] == ("b: I am b", ["b"], True)
    with pytest.raises(CompletionUnavailableError):
        run(FallbackCompletion([Lame()]).start())


def test_an_open_circuit_is_passed_over_until_its_cooldown_is_over() -> None:
    now = [0.0]
    a, b = scripted("a", GONE, GONE, GONE, "recovered"), scripted("b")

    async def work() -> None:
        chain = FallbackCompletion(
            [a, b], attempts=1, breaker=BreakerPolicy(2, 30), clock=lambda: now[0]
        )
        await ask(chain)
        await ask(chain)
        assert a.counts.started == 2
        assert await ask(chain) == "b: I am b"
        assert a.counts.started == 2
        now[0] = 31
        assert await ask(chain) == "b: I am b"
        assert a.counts.started == 3
        now[0] = 40
        assert await ask(chain) == "b: I am b"
        assert a.counts.started == 3
        now[0] = 62
        assert await ask(chain) == "a: recovered"

    run(work())


def test_when_every_circuit_is_open_the_answer_says_for_how_long() -> None:
    now = [0.0]

    async def work() -> None:
        chain = FallbackCompletion(
            [scripted("a", GONE)], attempts=1, breaker=BreakerPolicy(1, 30), clock=lambda: now[0]
        )
        with pytest.raises(CompletionUnavailableError):
            await ask(chain)
        now[0] = 10
        with pytest.raises(CompletionUnavailableError) as caught:
            await ask(chain)
        assert caught.value.retry_after == 20

    run(work())


def test_half_open_lets_one_through() -> None:
    now = [0.0]
    breaker = CircuitBreaker(BreakerPolicy(1, 30), lambda: now[0])
    with pytest.raises(CompletionUnavailableError), breaker.watch():
        raise GONE
    assert not breaker.allows
    now[0] = 30
    assert breaker.allows
    with breaker.watch():
        assert not breaker.allows
    assert breaker.allows


def test_a_cancelled_trial_is_no_outcome() -> None:
    now = [0.0]
    breaker = CircuitBreaker(BreakerPolicy(1, 30), lambda: now[0])
    with pytest.raises(CompletionUnavailableError), breaker.watch():
        raise GONE
    now[0] = 30
    with pytest.raises(asyncio.CancelledError), breaker.watch():
        raise asyncio.CancelledError
    assert breaker.allows


def test_being_busy_or_refusing_opens_no_circuit() -> None:
    breaker = CircuitBreaker(BreakerPolicy(1, 30))
    for error in (OverloadedError("full", retry_after=1), InvalidRequestError("no")):
        with pytest.raises(CompletionError), breaker.watch():
            raise error
        assert breaker.allows
