"""Requests as AWS documents them, good and broken, through the function in this process."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from botkit.adapter import AdapterRoute
from botkit.app import BotApplication
from botkit.errors import BotkitError, MissingExtraError
from botkit.functions import invoke
from botkit.functions.aws_lambda import LambdaFunction
from botkit.functions.http_events import (
    LARGEST_ANSWER,
    BadEventError,
    is_http,
    read_call,
    write_answer,
)

MB = 1 << 20

API_GATEWAY: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/my/path",
    "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=a%20b",
    "cookies": ["cookie1=one", "cookie2=two"],
    "headers": {"header1": "value1", "header2": "value1,value2", "content-type": "text/plain"},
    "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "a b"},
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "api-id",
        "domainName": "id.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "id",
        "http": {
            "method": "POST",
            "path": "/my/path",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "agent",
        },
        "requestId": "id",
        "routeKey": "$default",
        "stage": "$default",
        "time": "12/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    },
    "body": "Hello from Lambda",
    "pathParameters": {"parameter1": "value1"},
    "isBase64Encoded": False,
    "stageVariables": {"stageVariable1": "value1"},
}
FUNCTION_URL: dict[str, Any] = {
    **API_GATEWAY,
    "requestContext": {
        **API_GATEWAY["requestContext"],
        "apiId": "<urlid>",
        "authentication": None,
        "authorizer": None,
        "domainName": "<url-id>.lambda-url.us-west-2.on.aws",
    },
    "pathParameters": None,
    "stageVariables": None,
}
REST_API: dict[str, Any] = {
    "resource": "/my/path",
    "path": "/my/path",
    "httpMethod": "GET",
    "headers": {"header1": "value1"},
    "multiValueHeaders": {"header1": ["value1"]},
    "requestContext": {"stage": "$default", "httpMethod": "GET", "path": "/my/path"},
    "body": None,
    "isBase64Encoded": False,
}


@dataclass
class Context:
    seconds: float = 60.0
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:bot"

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * self.seconds)


async def echo(request: web.Request) -> web.StreamResponse:
    if "binary" in request.query:
        return web.Response(body=await request.read(), content_type="image/png")
    if "large" in request.query:
        return web.Response(text="x" * int(request.query["large"]))
    if "slow" in request.query:
        await asyncio.sleep(30)
    said = {
        "method": request.method,
        "path": request.path,
        "query": list(request.query.items()),
        "headers": dict(request.headers),
        "cookies": dict(request.cookies),
        "body": (await request.read()).decode(),
    }
    answer = web.json_response(said)
    answer.headers.add("Vary", "Origin")
    answer.headers.add("Vary", "Accept")
    answer.set_cookie("a", "1")
    answer.set_cookie("b", "2")
    return answer


Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Call]:
    """A function whose application has one more route, which says what arrived."""
    for name, value in {
        "BOTKIT_COMPLETION": "echo",
        "BOTKIT_HOME": str(tmp_path),
        "BOTKIT_DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}",
    }.items():
        monkeypatch.setenv(name, value)
    routes = [AdapterRoute("*", "/my/path", echo)]
    monkeypatch.setattr(BotApplication, "open_routes", property(lambda self: routes))
    function = LambdaFunction()
    yield lambda event, **context: function(event, Context(**context))
    function.close()


def changed(event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**event, **fields}


@pytest.mark.parametrize("event", [API_GATEWAY, FUNCTION_URL])
def test_a_request_and_its_answer_pass_whole(call: Call, event: dict[str, Any]) -> None:
    answer = call(event)
    said = json.loads(answer["body"])
    assert answer["statusCode"] == 200
    assert answer["headers"]["vary"] == "Origin, Accept"
    assert answer["headers"]["content-type"] == "application/json; charset=utf-8"
    assert [cookie.split(";")[0] for cookie in answer["cookies"]] == ["a=1", "b=2"]
    assert not answer["isBase64Encoded"]
    assert said["method"] == "POST"
    assert said["path"] == "/my/path"
    assert said["query"] == [
        ["parameter1", "value1"],
        ["parameter1", "value2"],
        ["parameter2", "a b"],
    ]
    assert said["headers"]["header2"] == "value1,value2"
    assert said["cookies"] == {"cookie1": "one", "cookie2": "two"}
    assert said["body"] == "Hello from Lambda"


def test_bodies_may_be_binary_both_ways(call: Call) -> None:
    body = bytes(range(256))
    event = changed(
        API_GATEWAY,
        rawQueryString="binary",
        body=base64.b64encode(body).decode(),
        isBase64Encoded=True,
    )
    answer = call(event)
    assert answer["isBase64Encoded"]
    assert base64.b64decode(answer["body"]) == body


def test_a_stage_is_no_part_of_the_path(call: Call) -> None:
    context = {**API_GATEWAY["requestContext"], "stage": "live"}
    event = changed(API_GATEWAY, rawPath="/live/my/path", requestContext=context)
    assert json.loads(call(event)["body"])["path"] == "/my/path"


@pytest.mark.parametrize(
    ("event", "status", "says"),
    [
        (REST_API, 400, "payload format 2.0"),
        (changed(API_GATEWAY, requestContext=None), 400, "requestContext is missing"),
        (changed(API_GATEWAY, requestContext={"http": {}}), 400, "method is missing"),
        (changed(API_GATEWAY, rawPath="my/path"), 400, "rawPath is missing"),
        (changed(API_GATEWAY, body="*", isBase64Encoded=True), 400, "not base64"),
        (changed(API_GATEWAY, body={"a": 1}), 400, "the body is no text"),
        (changed(API_GATEWAY, headers=["a"]), 400, "headers are no object"),
        (changed(API_GATEWAY, headers={"a": "b\r\nc: d"}), 400, "a header"),
        (changed(API_GATEWAY, headers={"a b": "c"}), 400, "a header"),
        (changed(API_GATEWAY, headers={"a": "\ud800"}), 400, "a header"),
        (changed(API_GATEWAY, cookies="a=b"), 400, "cookies are no array"),
        (changed(API_GATEWAY, rawPath="/\ud800 \n"), 404, ""),
        (changed(API_GATEWAY, rawPath="/nothing"), 404, ""),
        (changed(API_GATEWAY, rawQueryString="large=7000000"), 500, "6 MB"),
    ],
)
def test_what_is_wrong_is_said(call: Call, event: dict[str, Any], status: int, says: str) -> None:
    answer = call(event)
    assert answer["statusCode"] == status
    assert says in json.loads(answer["body"])["error"]["message"]


def test_the_servers_own_limits_hold(call: Call) -> None:
    """API Gateway takes 10 MB; the settings are what counts, as with ``botkit serve``."""
    assert call(changed(API_GATEWAY, body="x" * 3 * MB))["statusCode"] == 200
    for body, encoded in (("x" * 10 * MB, False), ("eHh4" * (10 * MB // 4), True)):
        refused = call(changed(API_GATEWAY, body=body, isBase64Encoded=encoded))
        assert refused["statusCode"] == 413
        assert "error" in json.loads(refused["body"])
    long = changed(API_GATEWAY, headers={"long": "x" * 9000})
    assert call(long)["statusCode"] == 431


def test_a_client_hears_when_the_time_is_over(call: Call) -> None:
    call(API_GATEWAY)
    answer = call(changed(API_GATEWAY, rawQueryString="slow"), seconds=1.2)
    assert answer["statusCode"] == 504
    assert call(API_GATEWAY)["statusCode"] == 200


def test_without_a_database_nothing_is_accepted(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BOTKIT_DATABASE_URL")
    assert call(API_GATEWAY)["statusCode"] == 503
    with pytest.raises(BotkitError, match="BOTKIT_DATABASE_URL"):
        call({"botkit": {"conversation": None}})
    monkeypatch.setenv("BOTKIT_DATABASE_URL", "sqlite:///:memory:")
    assert call(API_GATEWAY)["statusCode"] == 200


def test_without_boto3_the_extra_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"botkit\[aws\]"):
        call({"botkit": {"conversation": None}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = ("version", "rawPath", "rawQueryString", "cookies", "headers", "requestContext", "body")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, "isBase64Encoded"), JSON)))
def test_any_event_is_read_or_refused(fields: dict[str, Any]) -> None:
    for event in (fields, API_GATEWAY | fields):
        if is_http(event):
            try:
                read = read_call(event)
            except BadEventError:
                continue
            assert read.target.isascii()
            assert read.target.startswith("/")


@given(st.binary(max_size=400))
def test_any_body_comes_back(body: bytes) -> None:
    answer = write_answer(200, [("content-type", "image/png")], body)
    shown = answer["body"]
    assert (base64.b64decode(shown) if answer["isBase64Encoded"] else shown.encode()) == body


def test_an_answer_that_escapes_to_more_than_the_limit_is_refused() -> None:
    answer = write_answer(200, [], b"\x00" * (LARGEST_ANSWER // 5))
    assert answer["statusCode"] == 500
