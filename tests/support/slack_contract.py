"""Slack's own descriptions and its SDK as a judge of calls and of what is delivered.

The OpenAPI document of 2021 knows the old methods, and slack_sdk's signatures know the newer ones;
an argument may stand in either. What is sent as blocks must come back unchanged from the SDK's
models, which also know Slack's limits.
"""

from __future__ import annotations

import functools
import inspect
import json
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from openai_contract import shared_folder
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.web.async_client import AsyncWebClient

from botkit.testing.slack import SlackSimulator
from botkit.testing.slack.simulator import RESPONSE_URL, Call

WEB, EVENTS = "slack_web_openapi_v2.json", "slack_events_api_async_v1.json"
WRAPPER = "slack_common_event_wrapper_schema.json"
Json = dict[str, Any]

RESPONSE_URL_FIELDS = frozenset(
    {"text", "blocks", "response_type", "replace_original", "delete_original", "thread_ts"}
    | {"attachments", "metadata", "unfurl_links", "unfurl_media", "mrkdwn"}
)
"""https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""


def is_there() -> bool:
    """Whether the descriptions are; a fresh clone has none."""
    return all((shared_folder() / "contracts" / name).exists() for name in (WEB, EVENTS, WRAPPER))


def check_simulator(slack: SlackSimulator) -> None:
    """Assert that all it heard and delivered is as Slack describes it."""
    if not is_there():
        return
    events = [payload for kind, payload in slack.deliveries.sent if kind == "events_api"]
    problems = [
        *(problem for call in slack.calls for problem in call_problems(call)),
        *(problem for event in events for problem in event_problems(event)),
    ]
    assert not problems, "not as Slack says:\n" + "\n".join(problems[:10])


TOKENS = frozenset({"token", "app_token"})
"""Arguments of the SDK that travel in a header."""


ANYWHERE = frozenset({"token", "team_id"})
"""Bolt puts ``team_id`` into every call: it matters for tokens of organisations."""


# Calls


@dataclass(frozen=True)
class Method:
    """The arguments that a method knows, with the SDK's type where it names one."""

    known: Mapping[str, Any]
    required: frozenset[str]


def call_problems(call: Call) -> list[str]:
    """What is wrong with the arguments of a call."""
    return [f"{call.method}: {problem}" for problem in _problems(call)]


def _problems(call: Call) -> Iterator[str]:
    given = {name: value for name, value in call.arguments.items() if name not in ANYWHERE}
    method = _method(call.method)
    if method is None:
        yield "no such method"
        return
    yield from (f"unknown argument {name}" for name in given if name not in method.known)
    yield from (f"{name} is missing" for name in method.required if given.get(name) is None)
    for name, value in given.items():
        if name in method.known and not fits(method.known[name], value):
            yield f"{name} is {value!r:.60}"
    yield from block_problems(given.get("blocks"))


def block_problems(blocks: Any) -> list[str]:
    """What the SDK's models find wrong with blocks."""
    given = json.loads(blocks) if isinstance(blocks, str) else blocks or []
    try:
        parsed = [block for block in Block.parse_all(given) if block is not None]
        for block in parsed:
            block.validate_json()
        shown = [block.to_dict() for block in parsed]
    except (SlackObjectFormationError, TypeError, AttributeError) as error:
        return [f"blocks: {error}"]
    return [] if shown == given else [f"blocks: the SDK reads {shown} where {given} was sent"]


def fits(annotation: Any, value: Any) -> bool:
    """Whether a value is of an SDK's type, or the text by which a form carries it."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(each, value) for each in typing.get_args(annotation))
    if origin is not None:
        annotation = origin
    if annotation in (Any, inspect.Parameter.empty):
        return True
    if annotation is bool:
        return isinstance(value, bool) or value in ("true", "false", "1", "0")
    if annotation is int:
        return type(value) is int or (isinstance(value, str) and value.isdigit())
    return annotation is not type(None) and isinstance(value, annotation)


@functools.cache
def _method(name: str) -> Method | None:
    if name == RESPONSE_URL:
        return Method(dict.fromkeys(RESPONSE_URL_FIELDS, Any), frozenset())
    described = _read(WEB)["paths"].get(f"/{name}")
    function = getattr(AsyncWebClient, name.replace(".", "_"), None)
    if described is None and function is None:
        return None
    old = [each for verb in (described or {}).values() for each in verb["parameters"]]
    known: Json = {each["name"]: Any for each in old}
    required = {each["name"] for each in old if each.get("required")}
    if function is not None:
        hints = typing.get_type_hints(function)
        for each in list(inspect.signature(function).parameters.values())[1:]:
            if each.kind is each.KEYWORD_ONLY:
                known[each.name] = hints.get(each.name, Any)
                required |= {each.name} if each.default is each.empty else set()
    return Method(known, frozenset(required - TOKENS))


# Deliveries


def event_problems(payload: Any) -> list[str]:
    """What is wrong with an event and its wrapper.

    ``authed_users`` of the old schemas is gone: Slack sends ``authorizations`` instead
    (https://docs.slack.dev/changelog/2020-09-15-events-api-truncate-authed-users).
    """
    topic = str(payload.get("event", {}).get("type", "")).replace("_", ".")
    if topic == "message":
        topic = "message.im" if payload["event"].get("channel_type") == "im" else "message.channels"
    schemas = [_read(WRAPPER)]
    if topic in _read(EVENTS)["topics"]:
        schemas.append(_topic(topic))
    return [
        f"{topic} {error.json_path}: {error.message[:300]}"
        for schema in schemas
        for error in jsonschema.Draft7Validator(_modern(schema)).iter_errors(payload)
    ]


def _topic(name: str) -> Json:
    document = _read(EVENTS)
    return {
        **document["topics"][name]["subscribe"]["payload"],
        "components": document["components"],
    }


def _modern(schema: Json) -> Json:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = schema["components"]["schemas"][name]
    wanted = [each for each in schema.get("required", []) if each != "authed_users"]
    return {**schema, "required": [*wanted, "authorizations"]}


@functools.cache
def _read(name: str) -> Any:
    path = shared_folder() / "contracts" / name
    if not path.exists():
        pytest.skip(f"no Slack contract at {path}; set BOTKIT_SHARED")
    return json.loads(path.read_text())
