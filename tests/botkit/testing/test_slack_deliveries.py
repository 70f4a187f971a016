"""How the simulated Slack delivers: its retries and their headers, copies, disorder, sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from waiting import until

from botkit.testing.served import serving
from botkit.testing.slack import SlackSimulator
from botkit.testing.slack.deliveries import PAUSES


@dataclass
class App:
    """Answers what ``answers`` says, one a request and the last for good; 0 hangs."""

    answers: list[int]
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        payload = await request.json()
        retries = (request.headers.get(f"X-Slack-Retry-{name}", "") for name in ("Num", "Reason"))
        self.heard.append((payload["event"]["text"], *retries))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            await asyncio.sleep(60)
        return web.Response(status=status, headers=self.headers)


@contextlib.asynccontextmanager
async def listening(app: App, **settings: Any) -> AsyncIterator[SlackSimulator]:
    server = web.Application()
    server.router.add_post("/slack/events", app.answer)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with SlackSimulator(time_scale=0.001) as slack:
            slack.deliveries.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
            for name, value in settings.items():
                setattr(slack.deliveries, name, value)
            yield slack
    finally:
        await runner.cleanup()


def test_the_pauses_are_slacks() -> None:
    assert PAUSES == (0.0, 60.0, 300.0)


async def test_a_refused_event_comes_three_times_more() -> None:
    app = App([500])
    async with listening(app) as slack:
        slack.user("Ada").say("a")
        await until(lambda: len(slack.deliveries.log) == 4)
        assert app.heard == [("a", "", ""), *(("a", str(n), "http_error") for n in (1, 2, 3))]
        await asyncio.sleep(0.05)
        assert len(app.heard) == 4


async def test_a_late_answer_brings_the_event_again() -> None:
    app = App([0, 200])
    async with listening(app, answer_seconds=0.05) as slack:
        slack.user("Ada").say("a")
        await until(lambda: len(slack.deliveries.log) == 2)
        assert app.heard == [("a", "", ""), ("a", "1", "http_timeout")]


async def test_an_app_that_is_away_is_told_so() -> None:
    app = App([200])
    async with listening(app) as slack:
        url, slack.deliveries.url = slack.deliveries.url, "http://127.0.0.1:9/"
        slack.deliveries.time_scale = 0.01
        slack.user("Ada").say("a")
        await until(lambda: len(slack.deliveries.log) == 2)
        slack.deliveries.url = url
        await until(lambda: bool(app.heard))
        assert app.heard == [("a", "2", "connection_failed")]


async def test_no_retry_is_respected() -> None:
    app = App([500], {"X-Slack-No-Retry": "1"})
    async with listening(app) as slack:
        ada = slack.user("Ada")
        ada.say("a")
        await until(lambda: len(app.heard) == 1)
        await asyncio.sleep(0.05)
        assert app.heard == [("a", "", "")]


async def test_events_come_often_and_in_disorder() -> None:
    app = App([200])
    async with listening(app, hold=3) as slack:
        ada = slack.user("Ada")
        for text in ("a", "b", "c"):
            ada.say(text)
        await until(lambda: len(app.heard) == 3)
        assert [text for text, *_ in app.heard] == ["c", "b", "a"]
        slack.deliveries.hold, slack.deliveries.copies = 0, 3
        ada.say("d")
        await until(lambda: len(app.heard) == 6)
        assert app.heard[3:] == [("d", "", "")] * 3


async def test_a_command_is_not_sent_again() -> None:
    async with SlackSimulator(time_scale=0.001) as slack:
        slack.deliveries.url = "http://127.0.0.1:9/"
        slack.user("Ada").command("/order", "pizza")
        await until(lambda: len(slack.deliveries.log) == 1)
        await asyncio.sleep(0.05)
        assert len(slack.deliveries.log) == 1


async def test_a_socket_gets_again_what_it_did_not_acknowledge() -> None:
    async with SlackSimulator(time_scale=0.001) as slack, aiohttp.ClientSession() as session:
        slack.deliveries.answer_seconds = 0.05
        headers = {"Authorization": f"Bearer {slack.app_token}"}
        url = f"{slack.api_base_url}apps.connections.open"
        async with session.post(url, headers=headers) as response:
            address = (await response.json())["url"]
        async with session.ws_connect(address) as socket:
            assert (await socket.receive_json())["type"] == "hello"
            slack.user("Ada").say("a")
            first, second = await socket.receive_json(), await socket.receive_json()
            assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
            assert first["envelope_id"] == second["envelope_id"]
            await socket.send_json({"envelope_id": first["envelope_id"]})
            with pytest.raises(TimeoutError):
                await socket.receive_json(timeout=0.2)
        with pytest.raises(aiohttp.WSServerHandshakeError):  # an address is good for one socket
            await session.ws_connect(address)


async def test_an_app_that_hears_itself_does_not_answer_itself() -> None:
    async with SlackSimulator(own_messages=True) as slack, serving(slack=slack) as served:
        ada = slack.user("Ada")
        ada.say("hello")
        await until(lambda: len(slack.deliveries.log) == 2)
        own = slack.deliveries.sent[1][1]["event"]
        assert (own["text"], own["bot_id"]) == ("1: hello", slack.state.bot_id)
        assert served.metric('botkit_inbound_total{platform="slack",reason="bot_message"') == 1
        await served.idle()
        assert slack.said(ada.channel) == ["1: hello"]
