"""Legacy text completions, embeddings and scores over a tiny random model."""

import base64

import numpy as np
import pytest
from tiny_models import CONTEXT
from waiting import until

from botkit.completion import ChatCompletionRequest, EmbeddingRequest, TextCompletionRequest
from botkit.errors import (
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    UnsupportedParameterError,
)


def text(prompt="the rain", **fields):
    fields = {"max_tokens": 12, "seed": 3, "model": "tiny", **fields}
    return TextCompletionRequest(prompt=prompt, **fields)


async def streamed(local, request):
    """Text and finish reason per index, offsets and tokens per index, and the usage."""
    texts, reasons, tokens, counted = {}, {}, {}, None
    async for chunk in local.stream_text(request):
        counted = chunk.usage or counted
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
            if choice.logprobs:
                found = tokens.setdefault(choice.index, [])
                parts = choice.logprobs
                found += zip(parts.tokens, parts.token_logprobs, parts.text_offset, strict=True)
            if choice.finish_reason:
                assert choice.index not in reasons
                reasons[choice.index] = choice.finish_reason
    return texts, reasons, tokens, counted


async def test_a_continuation(local):
    reply = await local.complete_text(text())
    (choice,) = reply.choices
    assert choice.text
    assert choice.logprobs is None
    assert choice.finish_reason == "length"
    assert reply.usage.completion_tokens == 12
    assert (await local.complete_text(text())).choices == reply.choices


async def test_echo(local):
    plain = (await local.complete_text(text())).choices[0].text
    assert (await local.complete_text(text(echo=True))).choices[0].text == "the rain" + plain
    only = (await local.complete_text(text(echo=True, max_tokens=0))).choices[0]
    assert (only.text, only.finish_reason) == ("the rain", "length")


async def test_echo_with_logprobs_and_no_reply_scores_the_prompt(local):
    """The way that harnesses score a text; the sum agrees with :meth:`score`."""
    whole = "the rain in the"
    choice = (await local.complete_text(text(whole, echo=True, logprobs=2, max_tokens=0))).choices[
        0
    ]
    parts = choice.logprobs
    assert "".join(parts.tokens) == whole == choice.text
    assert parts.token_logprobs[0] is None
    assert parts.top_logprobs[0] is None
    assert all(logprob < 0 for logprob in parts.token_logprobs[1:])
    assert all(len(top) <= 2 for top in parts.top_logprobs[1:])
    assert [
        whole[offset:].startswith(token)
        for token, offset in zip(parts.tokens, parts.text_offset, strict=True)
    ] == [True] * len(parts.tokens)
    count = len(local._loaded().tokenizer.encode(" in the"))
    (score,) = await local.likelihoods("tiny", [("the rain", " in the")])
    assert score == pytest.approx(np.mean(parts.token_logprobs[-count:]), abs=1e-4)


async def test_logprobs_of_prompt_and_reply_are_one_row(local):
    scored = (await local.complete_text(text(echo=True, logprobs=1))).choices[0].logprobs
    plain = (await local.complete_text(text(logprobs=1))).choices[0].logprobs
    count = len(plain.tokens)
    assert count == 12
    assert scored.tokens[-count:] == plain.tokens
    assert scored.token_logprobs[-count:] == plain.token_logprobs
    offset = len("the rain")
    assert scored.text_offset[-count:] == [offset + place for place in plain.text_offset]


@pytest.mark.parametrize(
    "prompt", [["the", "a dog", "in on"], [[10, 11, 12], [90, 91]], [30, 40, 50]], ids=str
)
@pytest.mark.parametrize("n", [1, 2])
async def test_several_prompts_are_numbered_prompt_by_prompt(local, prompt, n):
    reply = await local.complete_text(text(prompt, n=n))
    many = prompt if not isinstance(prompt[0], int) else [prompt]
    assert [choice.index for choice in reply.choices] == list(range(len(many) * n))
    for place, one in enumerate(many):
        alone = await local.complete_text(text(one, n=n))
        mine = reply.choices[place * n : (place + 1) * n]
        assert [choice.text for choice in mine] == [choice.text for choice in alone.choices]


async def test_token_prompts_mean_their_text(local):
    ids = local._loaded().tokenizer.encode("the rain")
    by_ids = await local.complete_text(text(ids, echo=True))
    assert by_ids.choices == (await local.complete_text(text(echo=True))).choices
    assert by_ids.usage.prompt_tokens == len(ids)


async def test_best_of_is_the_best_mean_logprob(local):
    every = await local.complete_text(text(n=4, logprobs=0))
    means = [np.mean(choice.logprobs.token_logprobs) for choice in every.choices]
    best = await local.complete_text(text(n=2, best_of=4))
    order = sorted(range(4), key=lambda place: -means[place])[:2]
    assert [choice.text for choice in best.choices] == [every.choices[one].text for one in order]
    assert [choice.index for choice in best.choices] == [0, 1]
    assert best.choices[0].logprobs is None
    assert best.usage.completion_tokens == 48


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"n": 2, "prompt": ["the", "a dog"]},
        {"echo": True},
        {"echo": True, "logprobs": 2},
        {"logprobs": 0},
        {"max_tokens": 0},
        {"max_tokens": 0, "echo": True, "logprobs": 1},
        {"stop": ["a", "t"], "logprobs": 1},
    ],
    ids=str,
)
async def test_a_stream_joins_to_the_whole(local, fields):
    whole = await local.complete_text(text(**fields))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    texts, reasons, tokens, counted = await streamed(local, text(**fields, **options))
    assert counted == whole.usage
    for choice in whole.choices:
        assert texts[choice.index] == choice.text
        assert reasons[choice.index] == choice.finish_reason
        if choice.logprobs:
            found = tokens.get(choice.index, [])
            assert [one[0] for one in found] == choice.logprobs.tokens
            assert [one[1] for one in found] == choice.logprobs.token_logprobs


async def test_an_empty_prompt_is_continued(local):
    reply = await local.complete_text(text(""))
    assert reply.usage.prompt_tokens == 1
    assert reply.choices[0].text


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"model": "other"}, ModelNotFoundError, "model"),
        ({"suffix": "end"}, UnsupportedParameterError, "suffix"),
        ({"prompt": [272]}, InvalidRequestError, "prompt"),
        ({"prompt": "x" * 600}, ContextLengthError, "prompt"),
        ({"prompt": "x" * 600, "max_tokens": 0, "echo": True}, ContextLengthError, "prompt"),
        ({"prompt": "x" * 500, "max_tokens": 13}, ContextLengthError, "prompt"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_cannot_be_obeyed_is_refused_by_name(local, fields, error, param):
    with pytest.raises(error) as refused:
        await local.complete_text(text(**fields))
    assert refused.value.param == param
    with pytest.raises(error):
        async for _ in local.stream_text(text(**fields)):
            pass


async def test_closing_a_text_stream_stops_the_generation(local):
    await until(lambda: not local.stats.active)
    cancelled = local.stats.cancelled
    stream = local.stream_text(text(max_tokens=400, stream=True))
    await anext(stream)
    await stream.aclose()
    await until(lambda: local.stats.cancelled == cancelled + 1)


# --- embeddings


def embedding(given, **fields):
    return EmbeddingRequest(model=fields.pop("model", "tiny"), input=given, **fields)


async def test_vectors_have_length_one_and_tell_texts_apart(local):
    reply = await local.embed(embedding(["the rain", "a dog in the sun", "the rain"]))
    vectors = np.array([one.embedding for one in reply.data])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert vectors[0] @ vectors[1] < 0.9999
    assert [one.index for one in reply.data] == [0, 1, 2]
    tokenizer = local._loaded().tokenizer
    count = 2 * len(tokenizer.encode("the rain")) + len(tokenizer.encode("a dog in the sun"))
    assert reply.usage.prompt_tokens == reply.usage.total_tokens == count
    ids = tokenizer.encode("the rain")
    assert (await local.embed(embedding(ids))).data[0].embedding == reply.data[0].embedding


async def test_dimensions_keep_the_first_and_scale_again(local):
    whole = np.array((await local.embed(embedding("the rain"))).data[0].embedding)
    short = np.array((await local.embed(embedding("the rain", dimensions=5))).data[0].embedding)
    assert len(whole) == 32
    np.testing.assert_allclose(short, whole[:5] / np.linalg.norm(whole[:5]), atol=1e-6)
    with pytest.raises(InvalidRequestError) as refused:
        await local.embed(embedding("the rain", dimensions=33))
    assert refused.value.param == "dimensions"


async def test_base64_is_the_same_floats(local):
    plain = (await local.embed(embedding("the rain"))).data[0].embedding
    coded = (await local.embed(embedding("the rain", encoding_format="base64"))).data[0].embedding
    decoded = np.frombuffer(base64.b64decode(coded), "<f4")
    np.testing.assert_array_equal(decoded, np.array(plain, np.float32))


@pytest.mark.parametrize(
    ("given", "error"),
    [("x" * (CONTEXT + 1), ContextLengthError), ([999], InvalidRequestError)],
    ids=["long", "id"],
)
async def test_inputs_that_do_not_fit_are_refused(local, given, error):
    with pytest.raises(error) as refused:
        await local.embed(embedding(given))
    assert refused.value.param == "input"


async def test_a_text_is_read_once_however_often_it_is_asked_for(local):
    given = [f"once {place}" for place in range(3)] * 2
    before = local.stats.started
    first = await local.embed(embedding(given))
    assert local.stats.started == before + 3
    again = await local.embed(embedding([*given[:1], "once more"]))
    assert local.stats.started == before + 4
    assert again.data[0].embedding == first.data[0].embedding == first.data[3].embedding
    tokenizer = local._loaded().tokenizer
    assert first.usage.prompt_tokens == sum(len(tokenizer.encode(text)) for text in given)


async def test_more_inputs_than_slots_and_queue(local):
    given = [f"the {place}" for place in range(30)]
    reply = await local.embed(embedding(given))
    assert len(reply.data) == 30
    alone = await local.embed(embedding(given[17]))
    assert alone.data[0].embedding == reply.data[17].embedding


# --- scores


async def test_the_reply_of_the_model_scores_above_a_stranger(local):
    """A greedy continuation is likelier than the same tokens in another order."""
    greedy = await local.complete_text(text(temperature=0.0, max_tokens=8, logprobs=0))
    ids = local._loaded().tokenizer.encode("the rain")
    written = greedy.choices[0].logprobs.token_logprobs
    unlikely, likely = await local.likelihoods("tiny", [("the rain", "qzqzqzqz"), ("the rain", "")])
    assert likely == 0.0
    assert unlikely < np.mean(written)
    assert len(ids) > 1
    with pytest.raises(ModelNotFoundError):
        await local.likelihoods("other", [("a", "b")])


async def test_scores_are_in_the_order_of_the_pairs(local):
    pairs = [("the", f" dog {place}") for place in range(9)]
    together = await local.likelihoods("tiny", pairs)
    alone = [(await local.likelihoods("tiny", [pair]))[0] for pair in pairs]
    assert together == alone
    assert len(set(alone)) > 1


@pytest.mark.parametrize("word", ["dog", "the rain", "q"])
async def test_a_reply_is_scored_as_if_it_was_written(local, word):
    """Held to the word's first token, the model tells the log-probability that scoring tells."""
    messages = [{"role": "user", "content": "the rain"}]
    first, *_ = local._loaded().tokenizer.encode(word)
    request = ChatCompletionRequest(
        model="tiny", messages=messages, max_tokens=1, logprobs=True, logit_bias={str(first): 100}
    )
    (choice,) = (await local.complete(request)).choices
    (written,) = choice.logprobs.content
    scored = await local.score("tiny", request.messages, word)
    assert scored[0].token == written.token
    assert scored[0].logprob == pytest.approx(written.logprob, abs=1e-3)
    assert "".join(one.token for one in scored) == word


async def test_every_token_is_scored_after_those_before_it(local):
    """As in a plain text, which is scored in another way."""
    request = ChatCompletionRequest(model="tiny", messages=[{"role": "user", "content": "hi"}])
    scored = await local.score("tiny", request.messages, "the dog in the rain")
    runtime = local._loaded()
    ids = runtime.prompts.of_chat(request.messages)
    (tokens,) = await runtime.engine.score(
        [[*ids, *runtime.tokenizer.encode("the dog in the rain")]]
    )
    assert [one.logprob for one in scored] == pytest.approx(
        [one.logprob for one in tokens[-len(scored) :]]
    )
    assert await local.score("tiny", request.messages, "") == []
    with pytest.raises(ContextLengthError):
        await local.score("tiny", request.messages, "x" * CONTEXT)


async def test_scores_are_read_once(local):
    pairs = [("the once", " dog"), ("the once", " cat"), ("the once", " dog")]
    before = local.stats.started
    scores = await local.likelihoods("tiny", pairs)
    assert scores[0] == scores[2] != scores[1]
    assert await local.likelihoods("tiny", pairs[:2]) == scores[:2]
    assert local.stats.started == before + 2
