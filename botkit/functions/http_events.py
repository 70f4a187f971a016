"""HTTP as API Gateway and function URLs hand it to a function (payload format 2.0), and back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

LARGEST_ANSWER = 6_000_000
"""Bytes; Lambda takes 6 MB (6,291,556 bytes of JSON) from a function and answers 502 beyond."""

_NOT_FORWARDED = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""Said anew on each line of the way, or by whoever sends the body on."""

_PATH = "/%:@!$&'()*+,;=-._~"
_QUERY = _PATH + "?"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_VALUE = re.compile(r"[\r\n\0\ud800-\udfff]")


class BadEventError(ValueError):
    """An event that is meant as an HTTP request and is none; the message is for its sender."""


@dataclass(frozen=True)
class HttpCall:
    """A request.

    Fields:
        method: In capitals.
        target: Path and query, percent-encoded.
        headers: Without those that are about the connection.
        body: As it came, decoded from base64.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


def is_http(event: Mapping[str, Any]) -> bool:
    """Whether an event is meant as an HTTP request, of whatever payload format."""
    return not event.keys().isdisjoint({"rawPath", "requestContext", "httpMethod", "routeKey"})


def read_call(event: Mapping[str, Any]) -> HttpCall:
    """The request of an event.

    Raises:
        BadEventError: It is none of payload format 2.0.
    """
    if event.get("version") != "2.0":
        raise BadEventError("the event is not of payload format 2.0; choose it in the integration")
    http = _mapping(_mapping(event, "requestContext"), "http")
    method, path = http.get("method"), event.get("rawPath", http.get("path"))
    if not (isinstance(method, str) and method.isalpha()):
        raise BadEventError("requestContext.http.method is missing")
    if not (isinstance(path, str) and path.startswith("/")):
        raise BadEventError("rawPath is missing")
    target = quote(_without_stage(path, event["requestContext"]), safe=_PATH, errors="replace")
    if query := event.get("rawQueryString"):
        target += "?" + quote(str(query), safe=_QUERY, errors="replace")
    return HttpCall(method.upper(), target, _headers(event), _body(event))


def write_answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """What a function returns for a response.

    Headers that repeat are joined; cookies go beside them. A body that is no text is base64.
    """
    joined: dict[str, str] = {}
    cookies = []
    for name, value in headers:
        key = name.lower()
        if key == "set-cookie":
            cookies.append(value)
        elif key not in _NOT_FORWARDED:
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
    text = None if "content-encoding" in joined else _text(body)
    shown = base64.b64encode(body).decode() if text is None else text
    answer = {
        "statusCode": status,
        "headers": joined,
        "body": shown,
        "isBase64Encoded": text is None,
        **({"cookies": cookies} if cookies else {}),
    }
    if len(json.dumps(answer)) > LARGEST_ANSWER:
        return write_error(500, "the answer is larger than the 6 MB that Lambda takes")
    return answer


def write_error(status: int, message: str) -> dict[str, Any]:
    """A refusal in OpenAI's shape, as the server's own are."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": None}
    headers = {"content-type": "application/json"} | ({"retry-after": "5"} if status == 503 else {})
    body = json.dumps({"error": error})
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def _mapping(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name)
    if not isinstance(value, Mapping):
        raise BadEventError(f"{name} is missing")
    return value


def _without_stage(path: str, context: Mapping[str, Any]) -> str:
    """A stage other than ``$default`` is the first part of the path."""
    prefix = f"/{context.get('stage', '$default')}"
    return path[len(prefix) :] if path.startswith(f"{prefix}/") else path


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    given = event.get("headers") or {}
    if not isinstance(given, Mapping):
        raise BadEventError("headers are no object")
    headers = {
        str(name): str(value)
        for name, value in given.items()
        if str(name).lower() not in _NOT_FORWARDED
    }
    cookies = event.get("cookies") or []
    if not isinstance(cookies, list):
        raise BadEventError("cookies are no array")
    if cookies:
        headers["cookie"] = "; ".join(str(cookie) for cookie in cookies)
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or _NO_VALUE.search(value):
            raise BadEventError("a header's name or value is none")
    return headers


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise BadEventError("the body is no text")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BadEventError("the body is not base64, as isBase64Encoded says") from None


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
