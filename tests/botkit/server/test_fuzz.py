"""schemathesis and property tests over our own OpenAPI document, and bytes that are nothing."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import Served, serving
from side_environments import python_with

from botkit.completion.scripted import ScriptedCompletion
from botkit.server import create_app
from botkit.server.openapi import openapi_document
from botkit.server.routes import ROUTES

DOCUMENT = openapi_document(ROUTES)
POSTS = [path for path, methods in DOCUMENT["paths"].items() if "post" in methods]
JSON = {"content-type": "application/json"}
quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def inline(node: Any) -> Any:
    """The schema with every reference replaced by what it refers to."""
    if isinstance(node, list):
        return [inline(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return inline(DOCUMENT["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]])
    return {key: inline(value) for key, value in node.items() if key != "discriminator"}


def request_schema(path: str) -> Any:
    body = DOCUMENT["paths"][path]["post"]["requestBody"]
    return inline(body["content"]["application/json"]["schema"])


def response_schema(path: str, status: int) -> Any:
    responses = DOCUMENT["paths"][path]["post"]["responses"]
    answer = responses["200" if status == 200 else "default"]
    return inline(answer["content"]["application/json"]["schema"])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    app = create_app(ScriptedCompletion(["a b"]), aliases={"*": "scripted"})
    with serving(app) as served:
        yield served


def post(served: Served, path: str, body: bytes, **headers: str) -> requests.Response:
    url = served.url + path.replace("{engine}", "any")
    return requests.post(url, data=body, headers={**JSON, **headers}, timeout=20)


def judge(reply: requests.Response, path: str) -> None:
    assert reply.status_code in (200, 400), reply.text
    assert reply.headers["x-request-id"]
    if reply.headers["content-type"].startswith("application/json"):
        jsonschema.validate(reply.json(), response_schema(path, reply.status_code))
    else:
        assert reply.text.endswith("data: [DONE]\n\n")


def test_schemathesis_finds_nothing(served: Served, tmp_path: Path) -> None:
    # An environment of its own: its pins are not ours.
    python = python_with("schemathesis", "schemathesis>=4,<5")
    checks = "not_a_server_error,response_schema_conformance,content_type_conformance"
    done = subprocess.run(
        [
            str(python.with_name("schemathesis")),
            "run",
            f"{served.url}/openapi.json",
            f"--checks={checks}",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=15",
            "--seed=1",
            "--no-color",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,  # it leaves a folder with what it found
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"Tested: {len(ROUTES)}" in done.stdout


@pytest.mark.parametrize("path", POSTS)
def test_one_field_of_any_kind_is_answered_or_refused(served: Served, path: str) -> None:
    schema = request_schema(path)

    @quick
    @given(st.sampled_from(sorted(schema["properties"])), anything)
    def ask(field: str, value: Any) -> None:
        body = {**SMALLEST[path.rsplit("/", 1)[1]], field: value}
        judge(post(served, path, json.dumps(body).encode()), path)

    ask()


SMALLEST: dict[str, dict[str, Any]] = {
    "completions": {"model": "m", "prompt": "x", "messages": [{"role": "user", "content": "x"}]},
    "embeddings": {"model": "m", "input": "x"},
    "edits": {"model": "m", "instruction": "x"},
    "search": {"model": "m", "documents": ["x"], "query": "x"},
}


@quick
@given(body=st.binary(max_size=200), path=st.sampled_from(POSTS))
def test_bytes_are_refused(served: Served, body: bytes, path: str) -> None:
    reply = post(served, path, body)
    assert reply.status_code == 400
    judge(reply, path)


CHAT = '{"model": "m", "messages": [{"role": "user", "content": %s}]%s}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe\x00",
        (CHAT % ('"x"', "")).encode() + b"garbage",
        (CHAT % ('"x"', "")).encode("utf-16"),
        b"\xef\xbb\xbf" + (CHAT % ('"x"', "")).encode(),
        (CHAT % ('"\\ud800"', "")).encode(),
        b'{"model": "m", "messages": [{"role": "user", "content": "\xc3\x28"}]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        (CHAT % ('"x"', ', "temperature": NaN')).encode(),
        (CHAT % ('"x"', ', "temperature": 1e999')).encode(),
        (CHAT % ('"x"', ', "top_p": -Infinity')).encode(),
        (CHAT % ('"x"', ', "seed": ' + "9" * 5000)).encode(),
        (CHAT % ('"x"', ', "n": ' + "9" * 30)).encode(),
        (CHAT % ('"x"', ', "max_tokens": 1e400')).encode(),
        (CHAT % ('"x"', ', "stop": [' + '"a",' * 9 + '"a"]')).encode(),
        (CHAT % ('"x"', ', "logit_bias": {"1": NaN}')).encode(),
        (CHAT % ('"x"', ', "n": true')).encode(),
        (CHAT % ('"x"', ', "temperature": "1"')).encode(),
        (CHAT % ("[" * 5000 + "]" * 5000, "")).encode(),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/engines/{engine}/chat/completions"])
def test_hostile_bodies_are_400(served: Served, body: bytes, path: str) -> None:
    reply = post(served, path, body)
    assert reply.status_code == 400, reply.text
    judge(reply, path)
    assert len(reply.content) < 2000


@pytest.mark.parametrize("keep", [0, 1, 9, 10, 15, 30])
def test_truncated_gzip_is_400(served: Served, keep: int) -> None:
    body = gzip.compress((CHAT % ('"x"', "")).encode())[:keep]
    reply = post(served, "/v1/chat/completions", body, **{"content-encoding": "gzip"})
    assert reply.status_code == 400, reply.text
    judge(reply, "/v1/chat/completions")


def test_the_document_is_openapi_3_1(served: Served) -> None:
    document = requests.get(f"{served.url}/openapi.json", timeout=10).json()
    assert document == json.loads(json.dumps(DOCUMENT))
    assert document["openapi"] == "3.1.0"
    operations = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    assert len(operations) == len(set(operations)) == len(ROUTES)
    for path, methods in document["paths"].items():
        named = {entry["name"] for entry in next(iter(methods.values())).get("parameters", [])}
        assert all(f"{{{name}}}" in path for name in named)
        assert path.count("{") == len(named)
