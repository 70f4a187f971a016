"""Plain ``requests``, as scripts of 2022 call a server."""

from __future__ import annotations

import requests


def test_completions_by_post(base_url: str) -> None:
    reply = requests.post(
        f"{base_url}/completions",
        json={"model": "text-davinci-002", "prompt": "Say this is a test", "max_tokens": 3},
        timeout=60,
    )
    assert reply.status_code == 200
    assert reply.headers["x-request-id"]
    body = reply.json()
    assert body["object"] == "text_completion"
    assert body["choices"][0]["text"]
    assert body["choices"][0]["finish_reason"] in ("stop", "length")


def test_a_stream_is_read_line_by_line(base_url: str, model: str) -> None:
    with requests.post(
        f"{base_url}/chat/completions",
        json={
            "model": model,
            "messages": [{"role": "user", "content": "hello you"}],
            "max_tokens": 4,
            "stream": True,
        },
        stream=True,
        timeout=60,
    ) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in reply.iter_lines(decode_unicode=True) if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"


def test_legacy_search_scores_every_document(base_url: str) -> None:
    reply = requests.post(
        f"{base_url}/engines/text-davinci-002/search",
        json={"documents": ["White House", "hospital", "school"], "query": "the White House"},
        timeout=60,
    )
    body = reply.json()
    assert body["object"] == "list"
    assert [entry["document"] for entry in body["data"]] == [0, 1, 2]
    assert {entry["object"] for entry in body["data"]} == {"search_result"}
    scores = [entry["score"] for entry in body["data"]]
    assert max(scores) == scores[0]


def test_too_many_documents_are_refused(base_url: str) -> None:
    reply = requests.post(
        f"{base_url}/engines/text-davinci-002/search",
        json={"documents": ["x"] * 201, "query": "x"},
        timeout=60,
    )
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "documents"
