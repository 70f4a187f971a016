"""Fixtures that tests of several packages share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from local_model import ALIAS, MODEL, LocalServer, local_home, serving_local
from postgres_server import PostgresServer
from redis_server import RedisServer

# A shell that runs tests in the background has them ignore Ctrl-C, and what they start inherits
# that; the tests of Ctrl-C press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests run on busy machines: how long an example takes says nothing. The same examples each time:
# what turns red is what was changed. `make soak` looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None)
settings.load_profile(os.environ.get("BOTKIT_SOAK_EXAMPLES", "same"))

CONTEXT = "512"
"""Tokens: bounds the replies of old calls that cannot say how long theirs may be."""


@pytest.fixture(scope="session")
def local_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """`botkit serve` with the real default model, one for all tests; skips where it is not pulled.

    It answers to the alias ``text-davinci-002`` too.
    """
    home = local_home()
    log = tmp_path_factory.mktemp("local-server") / "log"
    variables = {"BOTKIT_MODEL_ALIASES": f"{ALIAS}={MODEL}", "BOTKIT_CONTEXT": CONTEXT}
    with serving_local(home, log, **variables) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL server, one for all tests."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis_server(_redis_server: RedisServer) -> Iterator[RedisServer]:
    """An empty Redis server; a test may freeze or kill it."""
    _redis_server.flush()
    yield _redis_server
    if _redis_server.running():
        _redis_server.thaw()
    else:
        _redis_server.start()
