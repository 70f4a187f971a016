"""A Redis that is away, slow, or none costs little and breaks nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from redis_server import RedisServer

from botkit.errors import SettingsError
from botkit.metrics import Metrics
from botkit.redis_link import FIRST_PAUSE, RedisLink


async def ping(redis: Any) -> str:
    await redis.ping()
    return "pong"


@pytest.mark.parametrize(
    "url", ["redis://:hush@host:port/0", "redis://:hush@host?no_such=1", "http://:hush@host"]
)
def test_a_wrong_url_is_an_error_at_the_start_and_names_no_password(url: str) -> None:
    with pytest.raises(SettingsError, match="BOTKIT_REDIS_URL") as caught:
        RedisLink(url, Metrics())
    assert "hush" not in str(caught.value)


async def test_a_frozen_redis_is_waited_for_once(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = 0.0
    metrics = Metrics()
    link = RedisLink(redis_server.url, metrics, clock=lambda: now)
    assert await link.call(ping, "away") == "pong"
    assert not link.away

    tried = 0

    async def trial(redis: Any) -> str:
        nonlocal tried
        tried += 1
        return await ping(redis)

    redis_server.freeze()
    assert await asyncio.gather(*(link.call(trial, "away") for _ in range(20))) == ["away"] * 20
    assert tried == 20
    for _ in range(100):
        assert await link.call(trial, "away") == "away"
    assert tried == 20, "nobody waits for it again"
    assert link.away
    assert "botkit_redis_up 0.0" in metrics.text().decode()

    now += FIRST_PAUSE
    assert await asyncio.gather(*(link.call(trial, "away") for _ in range(5))) == ["away"] * 5
    assert tried == 21, "one of them tries"

    redis_server.thaw()
    now += FIRST_PAUSE
    assert await link.call(ping, "away") == "away"  # the pause has grown
    now += FIRST_PAUSE
    assert await link.call(ping, "away") == "pong"
    assert not link.away
    assert "botkit_redis_up 1.0" in metrics.text().decode()
    said = [each.message for each in caplog.records if each.name == "botkit.redis_link"]
    assert len(said) == 2, said
    await link.aclose()
    assert await link.call(ping, "away") == "away"


async def test_a_killed_redis_comes_back(redis_server: RedisServer) -> None:
    now = 0.0
    link = RedisLink(redis_server.url, Metrics(), clock=lambda: now)
    assert await link.call(ping, "away") == "pong"
    redis_server.kill()
    assert await link.call(ping, "away") == "away"
    redis_server.start()
    now += FIRST_PAUSE
    assert await link.call(ping, "away") == "pong"
    redis_server.kill()
    redis_server.start()  # while nobody asked: its old connections are dead
    await asyncio.sleep(0.05)
    assert await link.call(ping, "away") == "pong"
    await link.aclose()


async def test_nobody_at_the_address_is_no_error_at_the_start() -> None:
    link = RedisLink("redis://127.0.0.1:1/0", Metrics())
    assert await link.call(ping, "away") == "away"
    await link.aclose()


async def test_a_server_of_another_kind_is_no_error() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n:x\r\n*\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(rude, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        link = RedisLink(f"redis://127.0.0.1:{port}/0", Metrics())
        assert await link.call(ping, "away") == "away"
        await link.aclose()


async def test_what_is_refused_is_not_away(redis_server: RedisServer) -> None:
    metrics = Metrics()
    link = RedisLink(redis_server.url, metrics)

    async def wrong(redis: Any) -> str:
        await redis.execute_command("NO_SUCH_COMMAND")
        return "done"

    assert await link.call(wrong, "refused") == "refused"
    assert not link.away
    assert await link.call(ping, "away") == "pong"
    assert "botkit_redis_errors_total 1.0" in metrics.text().decode()
    await link.aclose()


async def test_being_cancelled_leaves_the_connection_whole(redis_server: RedisServer) -> None:
    link = RedisLink(redis_server.url, Metrics())

    async def echo(redis: Any, text: bytes) -> Any:
        return await redis.echo(text)

    for number in range(50):
        task = asyncio.create_task(link.call(lambda redis: echo(redis, b"lost"), b"away"))
        for _ in range(number % 10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await link.call(lambda redis: echo(redis, b"mine"), b"away") == b"mine"
    await link.aclose()
