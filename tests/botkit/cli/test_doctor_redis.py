"""`botkit doctor` about Redis."""

from __future__ import annotations

import json
from typing import Any

from redis_server import RedisServer


def redis_check(botkit_command: Any, **variables: str) -> tuple[dict[str, str], str]:
    done = botkit_command.run("doctor", "--json", **variables)
    (found,) = [each for each in json.loads(done.stdout)["checks"] if each["name"] == "Redis"]
    return found, done.stdout + done.stderr if isinstance(done.stdout, str) else str(done)


def test_one_that_answers(botkit_command: Any, redis_server: RedisServer) -> None:
    found, _ = redis_check(botkit_command, BOTKIT_REDIS_URL=redis_server.url)
    assert found["status"] == "ok"
    assert found["found"].endswith("answers")


def test_one_that_does_not(botkit_command: Any) -> None:
    found, everything = redis_check(
        botkit_command, BOTKIT_REDIS_URL="redis://:hush-hush@127.0.0.1:1/0"
    )
    assert found["status"] == "warn"
    assert "without it" in found["found"]
    assert found["advice"]
    assert "hush-hush" not in everything


def test_a_wrong_url(botkit_command: Any) -> None:
    found, everything = redis_check(botkit_command, BOTKIT_REDIS_URL="redis://:hush-hush@host:x")
    assert found["status"] == "fail"
    assert "redis://host:6379/0" in found["advice"]
    assert "hush-hush" not in everything


def test_none(botkit_command: Any) -> None:
    found, _ = redis_check(botkit_command)
    assert found["status"] == "ok"
