"""Everything the server says with the real model is valid under OpenAI's own document."""

from __future__ import annotations

import json
import math
import re
import struct
from base64 import b64decode
from typing import Any

import pytest
import requests
from local_model import MODEL, LocalServer
from openai_contract import check

QUESTION: Any = [
    {"role": "system", "content": "Answer in one word."},
    {"role": "user", "content": [{"type": "text", "text": "Which colour has the sky? 🌈"}]},
]
CHAT_FIELDS: list[dict[str, Any]] = [
    {},
    {"n": 3, "seed": 1},
    {"logprobs": True},
    {"logprobs": True, "top_logprobs": 20, "n": 2},
    {"stop": [" "], "temperature": 0},
    {"logit_bias": {"100": 100}, "frequency_penalty": -2, "presence_penalty": 2, "top_p": 0},
]
TEXT_FIELDS: list[dict[str, Any]] = [
    {},
    {"prompt": ["a b", "c"], "n": 2},
    {"prompt": [1, 2, 3]},
    {"prompt": [[1, 2], [3]], "logprobs": 1},
    {"prompt": "🌈 über", "logprobs": 5, "echo": True},
    {"prompt": "a b", "logprobs": 2, "echo": True, "max_tokens": 0},
    {"best_of": 3, "n": 2},
]


def post(server: LocalServer, path: str, body: dict[str, Any]) -> requests.Response:
    reply = requests.post(f"{server.url}/v1/{path}", json={"model": MODEL, **body}, timeout=120)
    assert reply.status_code == 200, reply.text
    return reply


def events(reply: requests.Response) -> list[Any]:
    blocks = [block for block in reply.content.decode().split("\n\n") if block]
    assert blocks[-1] == "data: [DONE]"
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-1]]


def as_documented(choice: dict[str, Any], *, streamed: bool) -> None:
    """Fill in two nulls that OpenAI sends and its document forgets: a finish reason before the
    end of a stream, and the log-probability of a text's first token, which follows nothing."""
    if streamed:
        choice["finish_reason"] = choice["finish_reason"] or "stop"
    logprobs = choice["logprobs"]
    if logprobs and logprobs["text_offset"][:1] == [0] and logprobs["token_logprobs"][0] is None:
        logprobs["token_logprobs"][0] = 0.0
        if logprobs["top_logprobs"]:
            logprobs["top_logprobs"][0] = {}


@pytest.mark.parametrize("fields", CHAT_FIELDS)
def test_chat(local_server: LocalServer, fields: dict[str, Any]) -> None:
    asked = {"messages": QUESTION, "max_completion_tokens": 6, **fields}
    reply = post(local_server, "chat/completions", asked).json()
    check("CreateChatCompletionResponse", reply)
    assert reply["model"] == MODEL
    assert [choice["index"] for choice in reply["choices"]] == list(range(fields.get("n", 1)))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = events(post(local_server, "chat/completions", {**asked, **options}))
    for chunk in chunks:
        check("CreateChatCompletionStreamResponse", chunk)
    assert chunks[-1]["usage"]["prompt_tokens"] == reply["usage"]["prompt_tokens"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fields", TEXT_FIELDS)
def test_text(local_server: LocalServer, fields: dict[str, Any], stream: bool) -> None:
    asked = {"prompt": "Once upon a time", "max_tokens": 5, **fields, "stream": stream}
    if stream:
        asked.pop("best_of", None)
    reply = post(local_server, "completions", asked)
    for answer in events(reply) if stream else [reply.json()]:
        for choice in answer["choices"]:
            as_documented(choice, streamed=stream)
        check("CreateCompletionResponse", answer)


def test_scored_text_is_the_text_that_was_sent(local_server: LocalServer) -> None:
    asked = {"prompt": "The capital of France is Paris", "echo": True, "max_tokens": 0}
    choice = post(local_server, "completions", {**asked, "logprobs": 1}).json()["choices"][0]
    assert choice["text"] == asked["prompt"]
    logprobs = choice["logprobs"]
    assert "".join(logprobs["tokens"]) == asked["prompt"]
    assert logprobs["token_logprobs"][0] is None
    assert all(value <= 0 for value in logprobs["token_logprobs"][1:])
    assert logprobs["token_logprobs"][-1] > math.log(0.2)  # what else would follow?
    assert logprobs["text_offset"][1] == len(logprobs["tokens"][0])


def test_embeddings(local_server: LocalServer) -> None:
    asked = {"input": ["a cat", "a kitten", "quarterly tax returns"]}
    floats = post(local_server, "embeddings", {**asked, "encoding_format": "float"}).json()
    check("CreateEmbeddingResponse", floats)
    coded = post(local_server, "embeddings", {**asked, "encoding_format": "base64"}).json()
    vectors = [entry["embedding"] for entry in floats["data"]]
    for vector, entry in zip(vectors, coded["data"], strict=True):
        assert struct.unpack(f"<{len(vector)}f", b64decode(entry["embedding"])) == pytest.approx(
            vector, abs=1e-6
        )
    cat, kitten, tax = vectors
    assert dot(cat, kitten) > dot(cat, tax)


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_edits_and_search(local_server: LocalServer) -> None:
    # Both have left OpenAI's document; their form is that of its last version that had them.
    body = {"input": "helo wrld", "instruction": "Fix it.", "temperature": 0, "n": 2}
    edit = post(local_server, "edits", body).json()
    assert (edit["object"], [choice["index"] for choice in edit["choices"]]) == ("edit", [0, 1])
    assert edit["choices"][0]["text"] == edit["choices"][1]["text"] != ""
    check("CompletionUsage", edit["usage"])
    documents = {"documents": ["White House", "hospital", "school"], "query": "the President"}
    found = post(local_server, f"engines/{MODEL}/search", documents).json()
    scores = [entry["score"] for entry in found["data"]]
    assert max(scores) == scores[0]


def test_models(local_server: LocalServer) -> None:
    listed = requests.get(f"{local_server.url}/v1/models", timeout=10).json()
    check("ListModelsResponse", listed)
    check("Model", requests.get(f"{local_server.url}/v1/models/{MODEL}", timeout=10).json())


def test_a_prompt_that_is_too_long_is_told_both_numbers(local_server: LocalServer) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "word " * 600}]}
    reply = requests.post(f"{local_server.url}/v1/chat/completions", json=body, timeout=60)
    assert reply.status_code == 400
    error = reply.json()["error"]
    check("ErrorResponse", reply.json())
    assert (error["param"], error["code"]) == ("messages", "context_length_exceeded")
    said = [int(number) for number in re.findall(r"\d+", error["message"])]
    assert said[0] == 512
    assert 600 <= said[2] <= 700
