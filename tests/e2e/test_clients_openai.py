"""The current ``openai`` Python SDK against a running server."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

QUESTION: Any = [{"role": "user", "content": "one two three four five six"}]


@pytest.fixture
def client(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        yield client


def test_chat(client: openai.OpenAI, model: str) -> None:
    reply = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=8)
    assert reply.object == "chat.completion"
    assert reply.model == model
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].message.content
    assert reply.choices[0].finish_reason in ("stop", "length")
    assert reply.usage
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply._request_id


def test_a_stream_says_what_the_whole_reply_says_and_ends_with_usage(
    client: openai.OpenAI, model: str
) -> None:
    asked: dict[str, Any] = {
        "model": model,
        "messages": QUESTION,
        "max_tokens": 6,
        "temperature": 0,
    }
    whole = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert whole.usage
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_without_options_carries_no_usage(client: openai.OpenAI, model: str) -> None:
    chunks = list(
        client.chat.completions.create(model=model, messages=QUESTION, max_tokens=3, stream=True)
    )
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_logprobs(client: openai.OpenAI, model: str) -> None:
    reply = client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=3, temperature=0, logprobs=True, top_logprobs=2
    )
    logprobs = reply.choices[0].logprobs
    assert logprobs
    assert logprobs.content
    for entry in logprobs.content:
        assert entry.logprob <= 0
        assert len(entry.top_logprobs) == 2
        assert entry.top_logprobs[0].token == entry.token
        assert entry.top_logprobs[0].logprob >= entry.top_logprobs[1].logprob


def test_choices(client: openai.OpenAI, model: str) -> None:
    reply = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=3, n=3)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]


def test_a_stop_text_ends_the_reply_and_is_not_in_it(client: openai.OpenAI, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "messages": QUESTION, "temperature": 0}
    whole = client.chat.completions.create(**asked, max_tokens=12).choices[0].message.content or ""
    stop = whole[2:5]
    cut = client.chat.completions.create(**asked, max_tokens=12, stop=[stop]).choices[0]
    assert cut.message.content == whole[: whole.index(stop)]
    assert cut.finish_reason == "stop"


def test_a_seed_gives_the_same_reply_alone_and_among_others(
    client: openai.OpenAI, model: str
) -> None:
    def ask(seed: int) -> str | None:
        reply = client.chat.completions.create(
            model=model, messages=QUESTION, max_tokens=8, temperature=1, seed=seed
        )
        return reply.choices[0].message.content

    alone = ask(7)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(ask, [7, 8, 7, 9]))
    assert together[0] == together[2] == alone


def test_max_tokens(client: openai.OpenAI, model: str) -> None:
    reply = client.chat.completions.create(
        model=model, messages=QUESTION, max_completion_tokens=2, temperature=0
    )
    assert reply.usage
    assert reply.usage.completion_tokens == 2
    assert reply.choices[0].finish_reason == "length"


def test_models(client: openai.OpenAI, model: str) -> None:
    assert model in [entry.id for entry in client.models.list()]
    assert client.models.retrieve(model).id == model


def test_an_alias_means_the_real_model(client: openai.OpenAI, model: str) -> None:
    reply = client.chat.completions.create(
        model="text-davinci-002", messages=QUESTION, max_tokens=2
    )
    assert reply.model == model


def test_embeddings_are_the_same_in_either_encoding(client: openai.OpenAI, model: str) -> None:
    texts = ["a cat sat", "the stock market"]
    # Left to itself, the SDK asks for base64 and decodes it.
    decoded = client.embeddings.create(model=model, input=texts)
    floats = client.embeddings.create(model=model, input=texts, encoding_format="float")
    assert [entry.index for entry in decoded.data] == [0, 1]
    for one, other in zip(decoded.data, floats.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert math.hypot(*other.embedding) == pytest.approx(1, abs=1e-4)
    assert decoded.usage.prompt_tokens > 0


def test_fewer_dimensions_are_still_of_unit_length(client: openai.OpenAI, model: str) -> None:
    reply = client.embeddings.create(
        model=model, input="a cat", dimensions=8, encoding_format="float"
    )
    assert len(reply.data[0].embedding) == 8
    assert math.hypot(*reply.data[0].embedding) == pytest.approx(1, abs=1e-4)


def test_text_completions(client: openai.OpenAI, model: str) -> None:
    reply = client.completions.create(
        model=model, prompt=["once upon", "a time"], n=2, max_tokens=2, logprobs=1
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    assert all(choice.text for choice in reply.choices)
    logprobs = reply.choices[0].logprobs
    assert logprobs
    assert logprobs.tokens
    assert "".join(logprobs.tokens) == reply.choices[0].text


def test_text_completions_stream(client: openai.OpenAI, model: str) -> None:
    asked: dict[str, Any] = {
        "model": model,
        "prompt": "one two three",
        "max_tokens": 4,
        "temperature": 0,
    }
    whole = client.completions.create(**asked).choices[0].text
    parts = list(client.completions.create(**asked, stream=True))
    assert "".join(part.choices[0].text for part in parts) == whole
    assert parts[-1].choices[0].finish_reason in ("stop", "length")


def test_echo_puts_the_prompt_first(client: openai.OpenAI, model: str) -> None:
    reply = client.completions.create(model=model, prompt="say it", echo=True, max_tokens=1)
    assert reply.choices[0].text.startswith("say it")


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-99", messages=QUESTION)
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 1_000_000}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"logit_bias": {"abc": 1}}, "logit_bias"),
        ({"extra_body": {"no_such_thing": 1}}, "no_such_thing"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "yaml"}}, "response_format"),
        ({"audio": {"voice": "x", "format": "wav"}}, "audio"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    client: openai.OpenAI, model: str, fields: dict[str, Any], param: str
) -> None:
    asked = {"model": model, "messages": QUESTION, **fields}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**asked)
    assert (caught.value.param or "").startswith(param)
    assert caught.value.type == "invalid_request_error"


def test_an_image_is_refused_by_its_place(client: openai.OpenAI, model: str) -> None:
    parts: Any = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
    assert caught.value.param == "messages[0].content[1]"


def test_twenty_streams_at_once_all_finish(client: openai.OpenAI, model: str) -> None:
    def ask(seed: int) -> str | None:
        last = None
        for chunk in client.chat.completions.create(
            model=model, messages=QUESTION, max_tokens=6, seed=seed, stream=True
        ):
            last = chunk.choices[0].finish_reason
        return last

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(ask, range(20))) <= {"stop", "length"}
