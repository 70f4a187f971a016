"""Chat through the protocol, over a tiny random model."""

import asyncio
import math

import pytest
from tiny_models import CONTEXT, compile_cache
from waiting import until

from botkit.completion import ChatCompletionRequest, Completion, Embedder, Scorer, TextCompleter
from botkit.errors import (
    CompletionUnavailableError,
    ContextLengthError,
    InvalidRequestError,
    ModelFileError,
    ModelNotFoundError,
    OverloadedError,
    UnsupportedParameterError,
)
from botkit_models.engine.config import EngineConfig
from botkit_models.local import LocalCompletion
from botkit_models.local.requests import choice_seed


def chat(text="the rain", **fields):
    fields = {"max_tokens": 24, "seed": 7, **fields}
    messages = [{"role": "user", "content": text}]
    return ChatCompletionRequest(model=fields.pop("model", "tiny"), messages=messages, **fields)


async def streamed(local, request):
    """Text, reason, log-probabilities per choice, and the usage of a stream."""
    texts, reasons, logprobs, counted = {}, {}, {}, None
    async for chunk in local.stream(request.model_copy(update={"stream": True})):
        counted = chunk.usage or counted
        for choice in chunk.choices:
            if choice.index not in texts:
                assert choice.delta.role == "assistant"
                texts[choice.index], logprobs[choice.index] = "", []
            assert choice.index not in reasons  # the finish reason comes last
            texts[choice.index] += choice.delta.content or ""
            if choice.logprobs:
                logprobs[choice.index] += choice.logprobs.content
            if choice.finish_reason:
                reasons[choice.index] = choice.finish_reason
    return texts, reasons, logprobs, counted


def test_it_has_every_ability(local):
    for ability in (Completion, TextCompleter, Embedder, Scorer):
        assert isinstance(local, ability)


async def test_a_reply(local):
    reply = await local.complete(chat())
    (choice,) = reply.choices
    assert choice.message.content
    assert choice.finish_reason == "length"
    assert reply.usage.completion_tokens == 24
    assert reply.usage.prompt_tokens > 5
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + 24
    assert reply.model == "tiny"
    assert reply.system_fingerprint.startswith("fp_")
    assert (await local.complete(chat())).choices == reply.choices
    assert (await local.complete(chat(seed=8))).choices != reply.choices
    assert (await local.models())[0].id == "tiny"


async def test_without_a_seed_replies_differ(local):
    replies = [await local.complete(chat(seed=None)) for _ in range(2)]
    assert replies[0].choices != replies[1].choices


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"n": 3},
        {"temperature": 0.0},
        {"logprobs": True, "top_logprobs": 4},
        {"stop": ["a", "e", "t"], "n": 2},
        {"max_tokens": 1},
        {"max_tokens": None, "max_completion_tokens": 5},
    ],
    ids=str,
)
async def test_a_stream_joins_to_the_whole_reply(local, fields):
    request = chat(**fields)
    whole = await local.complete(request)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    texts, reasons, logprobs, counted = await streamed(local, chat(**fields, **options))
    for choice in whole.choices:
        assert texts[choice.index] == choice.message.content
        assert reasons[choice.index] == choice.finish_reason
        content = choice.logprobs.content if choice.logprobs else []
        assert logprobs[choice.index] == content
    # How much the second one found in the cache, or guessed, is not the first one's.
    for count in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert getattr(counted, count) == getattr(whole.usage, count)


async def test_choices_differ_and_the_first_is_what_one_alone_would_be(local):
    three = (await local.complete(chat(n=3))).choices
    (one,) = (await local.complete(chat())).choices
    assert three[0].message == one.message
    assert len({choice.message.content for choice in three}) == 3
    assert [choice.index for choice in three] == [0, 1, 2]
    assert (await local.complete(chat(n=3))).usage.completion_tokens == 72


def test_seeds_of_choices_are_spread():
    seeds = {choice_seed(seed, index) for seed in range(50) for index in range(1, 100)}
    assert len(seeds) == 50 * 99
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert choice_seed(2**64 - 1, 0) == 2**64 - 1


async def test_negative_seeds_are_seeds(local):
    one, two = [await local.complete(chat(seed=-(2**63))) for _ in range(2)]
    assert one.choices == two.choices


async def test_stops_across_token_borders(local):
    """Every short substring of a reply ends it where it first appears."""
    text = (await local.complete(chat(max_tokens=40))).choices[0].message.content
    assert len(text) > 20
    for start in range(0, 18, 3):
        stop = text[start : start + 3]
        reply = (await local.complete(chat(max_tokens=40, stop=stop))).choices[0]
        assert reply.message.content == text[: text.find(stop)]
        assert reply.finish_reason == "stop"
    missing = chat(max_tokens=40, stop=["<never in it>", text[-1] + "!?"])
    assert (await local.complete(missing)).choices[0].message.content == text


async def test_a_stop_frees_the_slot(local):
    text = (await local.complete(chat(max_tokens=400))).choices[0].message.content
    await until(lambda: not local.stats.active)
    written = local.stats.reply_tokens
    await local.complete(chat(max_tokens=400, stop=text[6:9]))
    await until(lambda: not local.stats.active)
    assert local.stats.reply_tokens - written < 60


async def test_logprobs(local):
    no_specials = {"0": -100, "1": -100, "2": -100}  # they have bytes but show no text
    fields = {"temperature": 0.0, "logit_bias": no_specials}
    reply = await local.complete(chat(logprobs=True, top_logprobs=20, **fields))
    content = reply.choices[0].logprobs.content
    assert len(content) == 24
    assert b"".join(bytes(one.bytes) for one in content).decode("utf-8", "replace") == (
        reply.choices[0].message.content
    )
    for one in content:
        assert len(one.top_logprobs) == 20
        ordered = [top.logprob for top in one.top_logprobs]
        assert ordered == sorted(ordered, reverse=True)
        assert sum(map(math.exp, ordered)) <= 1 + 1e-5
        best = next(top for top in one.top_logprobs if not top.token.startswith("<|"))
        assert (best.token, best.logprob, best.bytes) == (one.token, one.logprob, one.bytes)
    plain = await local.complete(chat(logprobs=True, **fields))
    assert [one.logprob for one in plain.choices[0].logprobs.content] == [
        one.logprob for one in content
    ]
    assert all(one.top_logprobs == [] for one in plain.choices[0].logprobs.content)


async def test_bias_forces_a_token(local):
    reply = await local.complete(chat(logit_bias={"70": 100}, max_tokens=5))
    once = (await local.complete(chat(logit_bias={"70": 100}, max_tokens=1))).choices[0]
    assert reply.choices[0].message.content == once.message.content * 5


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"model": "other"}, ModelNotFoundError, "model"),
        ({"logit_bias": {"272": 1}}, InvalidRequestError, "logit_bias"),
        ({"logit_bias": {str(n): 1 for n in range(1025)}}, InvalidRequestError, "logit_bias"),
        ({"n": 13}, InvalidRequestError, "n"),
        ({"functions": [{"name": "f"}]}, UnsupportedParameterError, "functions"),
        ({"prediction": {"type": "content"}}, UnsupportedParameterError, "prediction"),
        ({"reasoning_effort": "high"}, UnsupportedParameterError, "reasoning_effort"),
        ({"max_tokens": CONTEXT}, ContextLengthError, "messages"),
    ],
    ids=str,
)
async def test_what_cannot_be_obeyed_is_refused_by_name(local, fields, error, param):
    started = local.stats.started
    with pytest.raises(error) as complete:
        await local.complete(chat(**fields))
    assert complete.value.param == (param or next(iter(fields)))
    with pytest.raises(error):
        async for _ in local.stream(chat(**fields)):
            pass
    assert local.stats.started == started


async def test_a_prompt_that_is_too_long_says_both_numbers(local):
    with pytest.raises(ContextLengthError, match=f"{CONTEXT} tokens.*in the prompt") as error:
        await local.complete(chat("x" * 3000, max_tokens=None))
    assert error.value.prompt_tokens >= 3000
    assert str(error.value.prompt_tokens) in error.value.message
    assert error.value.code == "context_length_exceeded"


async def test_without_a_limit_a_reply_fills_the_context(local):
    reply = await local.complete(chat(max_tokens=None))
    assert reply.usage.total_tokens == CONTEXT
    assert reply.choices[0].finish_reason == "length"


async def test_a_full_queue_is_said(local):
    await until(lambda: not local.stats.active)
    filling = asyncio.create_task(local.complete(chat(n=12, max_tokens=300)))
    await until(lambda: local.stats.active == 4)
    with pytest.raises(OverloadedError) as refused:
        await local.complete(chat(n=2))
    assert refused.value.retry_after >= 1
    filling.cancel()
    await asyncio.gather(filling, return_exceptions=True)
    await until(lambda: not local.stats.active)
    assert (await local.complete(chat())).choices


async def test_cancelling_stops_the_generation(local):
    await until(lambda: not local.stats.active)
    cancelled = local.stats.cancelled
    task = asyncio.create_task(local.complete(chat(max_tokens=400)))
    await until(lambda: local.stats.active == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    dispatches = local.stats.decode_dispatches
    await until(lambda: local.stats.cancelled == cancelled + 1)
    assert local.stats.decode_dispatches - dispatches <= 2


async def test_closing_a_stream_stops_the_generation(local):
    await until(lambda: not local.stats.active)
    cancelled = local.stats.cancelled
    stream = local.stream(chat(max_tokens=400, n=2, stream=True))
    await anext(stream)
    await stream.aclose()
    dispatches = local.stats.decode_dispatches
    await until(lambda: local.stats.cancelled == cancelled + 2)
    assert local.stats.decode_dispatches - dispatches <= 2


async def test_before_it_is_loaded_and_after_it_is_closed(tmp_path, local):
    folder = local._loaded().engine.model.folder
    config = EngineConfig(slots=1, context=256)
    other = LocalCompletion(
        "tiny", home=tmp_path, compile_cache=compile_cache(), config=config, warm_up=False
    )
    assert not other.ready
    with pytest.raises(CompletionUnavailableError, match="still loading"):
        await other.complete(chat())
    await other.aclose()
    with pytest.raises(ModelFileError, match="botkit pull tiny"):
        await other.start()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny").symlink_to(folder)
    await asyncio.gather(other.start(), other.start())
    assert other.ready
    assert (await other.complete(chat())).choices == (await local.complete(chat())).choices
    await other.aclose()
    assert not other.ready
    with pytest.raises(CompletionUnavailableError):
        await other.complete(chat())


async def test_a_reply_that_a_stop_text_ends_tells_what_was_cached(local):
    long = "Which of the ferries to the islands take dogs, bicycles and prams on a Sunday? " * 3
    fields = {"temperature": 0, "max_tokens": 12}
    whole = (await local.complete(chat(long, **fields))).choices[0].message.content
    stopped = await local.complete(chat(long, **fields, stop=[whole[3:6]]))
    assert stopped.choices[0].finish_reason == "stop"
    assert stopped.usage.prompt_tokens_details.cached_tokens >= 128
