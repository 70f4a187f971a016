"""The server that the client tests call.

By default one over a scripted completion. Set ``BOTKIT_TEST_BASE_URL`` (with ``/v1``) and
``BOTKIT_TEST_MODEL`` to run the same tests against any running server, such as one with a real
model; it must have the alias ``text-davinci-002`` for that model, no ``*`` alias, and no API key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from serving import serving

from botkit.completion.script import Reply
from botkit.completion.scripted import ScriptedCompletion, echo
from botkit.server import create_app

OLD_NAME = "text-davinci-002"


@dataclass(frozen=True)
class Target:
    """Where clients find a server, and which model it has."""

    base_url: str
    model: str


def answer(request: object) -> Reply:
    """An echo of the last message; an empty one gets a greeting."""
    return echo(request) or "Hello there, friend!"  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def server() -> Iterator[Target]:
    url = os.environ.get("BOTKIT_TEST_BASE_URL")
    if url:
        yield Target(url, os.environ["BOTKIT_TEST_MODEL"])
        return
    completion = ScriptedCompletion(replies=answer, model="scripted")
    with serving(create_app(completion, aliases={OLD_NAME: "scripted"})) as served:
        yield Target(f"{served.url}/v1", "scripted")


@pytest.fixture
def base_url(server: Target) -> str:
    return server.base_url


@pytest.fixture
def model(server: Target) -> str:
    return server.model
