"""What people say, and what the bot is trusted with, stays where it belongs.

Canaries are sent in by every way into the bot, through handlers, a model and a store that fail and
quote them. Then they are looked for in the log, the metrics, the traces, the HTTP errors and, where
that is asked for, the database.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, FormData
from canaries import (
    CANARIES,
    EMAIL,
    KEY,
    PERSONAL,
    PHONE,
    PHRASE,
    SAID,
    Watch,
    around,
    database_bytes,
    held,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from seen_spans import Seen
from waiting import until

from botkit import Bot, Button, Reply, Turn
from botkit.completion.messages import message_text
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import InvalidRequestError, StoreError
from botkit.otel import OtelTracer
from botkit.server.routes import ROUTES
from botkit.store import Accepted
from botkit.testing.served import SECRET, SECRET_KEY, ServedBot, serving
from botkit.testing.slack import SlackSimulator
from botkit.testing.telegram import TelegramSimulator
from botkit.types import Event


@pytest.fixture
def watch() -> Iterator[Watch]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    watching = Watch()
    watching.listen()
    yield watching
    root.handlers[:], root.level = handlers, level
    sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """The spans of every bot in the test."""
    exporter = InMemorySpanExporter()
    tracer = OtelTracer(exporter, "private-bot")
    monkeypatch.setattr("botkit.app.make_tracer", lambda settings: tracer)
    return Seen(tracer, exporter)


def talkative() -> Bot:
    """A bot whose handlers fail, quoting what they heard."""
    bot = Bot()
    log = logging.getLogger("botkit_handlers.talkative")

    @bot.message("handler fails")
    async def fails(turn: Turn, text: str) -> str:
        try:
            raise ValueError(f"invalid literal: {text!r}")
        except ValueError as error:
            raise ExceptionGroup(text, [error, KeyError(text)]) from error

    @bot.message("stream fails")
    async def breaks(text: str) -> AsyncIterator[str]:
        yield "Well, "
        raise LookupError(text)

    @bot.message("task fails")
    async def forgets(text: str) -> str:
        async def background() -> None:
            raise RuntimeError(text)

        asyncio.get_running_loop().call_soon(int, text)
        asyncio.create_task(background())  # noqa: RUF006 - nobody retrieves it, that is the point
        log.info("noted %s", KEY, extra={"who": EMAIL, "platform": "any"})
        return "noted"

    @bot.message("choose")
    async def choose() -> Reply:
        return Reply("Which?", buttons=(Button("This", "chosen", PHRASE),))

    @bot.action("chosen")
    async def chosen(value: str) -> str:
        raise RuntimeError(f"chose {value}")

    @bot.command("tell")
    async def tell(text: str) -> str:
        raise OSError(text)

    return bot


def quoting() -> ScriptedCompletion:
    """A model that says how much it heard, or fails quoting it; ``heard`` keeps every prompt."""
    prompts: list[str] = []

    def reply(request: Any) -> str:
        said = "\n".join(message_text(each) for each in getattr(request, "messages", ()))
        prompts.append(said or str(getattr(request, "prompt", "")))
        if "model refuses" in prompts[-1].splitlines()[-1]:
            raise InvalidRequestError(f"cannot take {said}")
        if "model fails" in prompts[-1].splitlines()[-1]:
            raise RuntimeError(f"the model choked on {said}")
        return f"I heard {len(said)} characters."

    completion = ScriptedCompletion(reply)
    completion.heard = prompts  # type: ignore[attr-defined]
    return completion


LINES = [SAID, *(f"{SAID}, {what}" for what in ("handler fails", "stream fails", "task fails"))]
LINES += [f"{SAID}, model refuses", f"{SAID}, model fails"]


async def on_slack(slack: SlackSimulator) -> None:
    """Say it in every way that Slack has."""
    for number, line in enumerate(LINES):
        slack.user(f"Number {number}").say(line)
    carol = slack.user("Carol")
    channel = slack.channel("general")
    carol.say(f"{slack.bot} {SAID}", channel=channel)
    await slack.replies(channel, 1)
    carol.command("/tell", SAID, channel=channel)
    erin = slack.user("Erin")
    erin.upload(f"{EMAIL} {PHRASE}.txt", SAID.encode(), "text/plain", SAID)
    asked = carol.say("choose")
    await until(lambda: any("This" in each.buttons for each in carol.channel.posted), 60)
    choice = next(each for each in carol.channel.posted if "This" in each.buttons)
    choice.buttons["This"]["value"] = SAID
    carol.click(choice, "This")
    old = {"text": SAID, "ts": asked.ts, "user": carol.id, "type": "message"}
    changed = {"subtype": "message_changed", "message": {**old, "text": SAID * 2}}
    event = {"type": "message", "channel": carol.channel.id, "ts": asked.ts, "channel_type": "im"}
    carol._event({**event, **changed, "previous_message": old})
    carol._event({"type": PHRASE, "text": SAID})
    carol._event({"type": "message", "text": SAID})  # without a channel


async def on_telegram(telegram: TelegramSimulator) -> None:
    """Say it in every way that Telegram has."""
    for number, line in enumerate([*LINES, f"/tell {SAID}"]):
        telegram.user(f"Number {number}").send(line)
    dave, fay = telegram.user("Dave"), telegram.user("Fay")
    fay.send_document(f"{EMAIL} {PHRASE}.txt", SAID.encode(), "text/plain", SAID)
    fay.send_photo(b"x", SAID)
    said = dave.send("choose")
    await until(lambda: any("This" in each.buttons for each in dave.chat.messages), 60)
    choice = next(each for each in dave.chat.messages if "This" in each.buttons)
    choice.buttons["This"]["callback_data"] = f"chosen|{PHONE}"
    dave.click(choice, "This")
    edited = {**said.data, "text": SAID, "edit_date": said.data["date"] + 1}
    for kind in ("edited_message", PHRASE, "message"):
        broken = edited if kind == "edited_message" else {"text": SAID}
        telegram.deliveries.send(dave.chat.id, {kind: broken})


class Flaw:
    """A store that at first does not take what it is given, and quotes it."""

    def __init__(self, served: ServedBot, monkeypatch: pytest.MonkeyPatch) -> None:
        self._accept = served.application.store.accept
        self._left = 2
        monkeypatch.setattr(served.application.store, "accept", self._take)

    async def _take(self, events: Sequence[Event], **options: Any) -> Accepted:
        self._left -= 1
        if self._left == 1:
            raise RuntimeError(f"cannot keep {events}")
        if self._left == 0:
            raise StoreError("the disk is full") from ValueError(str(events))
        return await self._accept(events, **options)


async def on_every_route(served: ServedBot, watch: Watch) -> set[int]:
    """Send every route what it does not want; the statuses."""
    paths = {(route.method, route.path) for route in ROUTES}
    bot = served.application
    paths |= {(route.method, route.path) for route in (*bot.open_routes, *bot.routes)}
    paths |= {("POST", f"/nowhere/{KEY}/{EMAIL}"), ("GET", f"/v1/models/{KEY}")}
    bodies: list[dict[str, Any]] = [
        {"data": SAID.encode()},
        {"json": SAID},
        {"json": {"messages": SAID, "prompt": {"a": SAID}, "input": [SAID, 1], "text": SAID}},
        {"json": {"model": "scripted", "messages": [{"role": SAID, "content": SAID}]}},
        {"json": {"model": "scripted", "messages": [{"role": "user", "content": [SAID]}]}},
        {"json": {"update_id": SAID, "message": {"text": SAID}, "conversation": SAID}},
        {"json": {"type": "event_callback", "event": SAID, "team_id": SAID}},
        {"data": FormData({"payload": SAID, "command": SAID})},
        {"data": b"\xff" + SAID.encode(), "headers": {"Content-Type": "application/json"}},
    ]
    headers = {
        "X-Request-Id": KEY,
        "Authorization": f"Bearer {KEY}",
        "X-Slack-Signature": f"v0={KEY}",
        "X-Slack-Request-Timestamp": PHONE,
        "X-Telegram-Bot-Api-Secret-Token": EMAIL,
        "X-Botkit-Signature": f"t=1,v1={KEY}",
        "Cookie": f"session={KEY}",
    }
    statuses = set()
    async with ClientSession(served.address) as client:
        for declared, path in sorted(paths):
            url = re.sub(r"\{\w+(:[^}]*)?\}", "scripted", path)
            for body in bodies:
                for method in {declared, "POST", "PUT"}:
                    sent = {**headers, **body.get("headers", {})}
                    async with client.request(method, url, **{**body, "headers": sent}) as answer:
                        statuses.add(await watch.heard(answer))
    return statuses


async def over_the_api(served: ServedBot, watch: Watch) -> None:
    """Ask as an OpenAI client does; the model fails for some."""
    async with ClientSession(served.address) as client:
        for line in (SAID, f"{SAID}, model fails"):
            chat = {"model": "scripted", "messages": [{"role": "user", "content": line}]}
            for body in (chat, {**chat, "stream": True}):
                async with client.post("/v1/chat/completions", json=body) as answer:
                    await watch.heard(answer)
                    watch.answers.append(await answer.text())
            async with client.post(
                "/v1/completions", json={"model": "scripted", "prompt": line}
            ) as a:
                await watch.heard(a)


async def arrived(served: ServedBot) -> None:
    """Return when everything that is for the bot was taken and answered."""
    events = len(LINES) + len(["the command", "the file", "the choice", "the button", "one more"])
    for platform in ("slack", "telegram"):
        await served.reached(f'botkit_events_accepted_total{{platform="{platform}"}}', events)
    await served.idle()


async def scrape(served: ServedBot, watch: Watch) -> None:
    async with ClientSession(served.address) as client, client.get("/metrics") as answer:
        watch.scrapes.append(await answer.text())


async def quiet(served: ServedBot, watch: Watch, seen: Seen, secrets: Sequence[str]) -> None:
    """Nothing got out."""
    await served.idle()
    await scrape(served, watch)
    words = (*CANARIES, *secrets)
    assert held(watch.log.getvalue(), words) == []
    assert held("\n".join(watch.scrapes), words) == []
    assert held("\n".join(watch.answers), (*CANARIES, *secrets)) == []
    assert held(await seen.text(), words) == []


def heard_by(served: ServedBot) -> str:
    return "\n".join(served.completion.heard)  # type: ignore[attr-defined]


@pytest.mark.parametrize("pushed", [True, False], ids=["http", "sockets"])
async def test_nothing_private_gets_out(
    tmp_path: Path, watch: Watch, seen: Seen, monkeypatch: pytest.MonkeyPatch, pushed: bool
) -> None:
    async with (
        SlackSimulator(time_scale=0.001) as slack,
        TelegramSimulator(time_scale=0.01) as telegram,
        serving(
            talkative(),
            slack=slack,
            telegram=telegram,
            socket_mode=not pushed,
            polling=not pushed,
            completion=quoting(),
            home=tmp_path,
            turn_attempts=2,
            secret_key=SECRET_KEY,
        ) as served,
    ):
        if pushed:
            Flaw(served, monkeypatch)
        await asyncio.gather(on_slack(slack), on_telegram(telegram))
        await arrived(served)
        if pushed:
            await over_the_api(served, watch)
            statuses = await on_every_route(served, watch)
            assert {400, 401, 404, 405, 415} <= statuses
            assert 500 in statuses or any(line.startswith("500") for line in watch.answers)
        secrets = [slack.bot_token, slack.app_token, slack.signing_secret]
        secrets += [telegram.bot_token, SECRET, SECRET_KEY]
        await quiet(served, watch, seen, secrets)
        # And yet all of it went through: the model was asked, the log tells of what failed.
        for word in CANARIES:
            assert word in heard_by(served)
            assert word.encode() in database_bytes(tmp_path)
        log = watch.log.getvalue()
        for kind in ("ExceptionGroup", "KeyError", "LookupError", "OSError", "Task exception was"):
            assert kind in log
        assert "became a dead letter" in log
        assert any(line.get("who") == "[email]" for line in watch.json_lines())
        assert "botkit_turns_total" in watch.scrapes[-1]
        assert "middleware" in await seen.text()


@pytest.mark.parametrize("pushed", [True, False], ids=["http", "sockets"])
async def test_redacted_the_database_holds_nothing_personal(
    tmp_path: Path, watch: Watch, seen: Seen, pushed: bool
) -> None:
    async with (
        SlackSimulator(time_scale=0.001) as slack,
        TelegramSimulator(time_scale=0.01) as telegram,
        serving(
            talkative(),
            slack=slack,
            telegram=telegram,
            socket_mode=not pushed,
            polling=not pushed,
            completion=quoting(),
            home=tmp_path,
            turn_attempts=1,
            redact=True,
        ) as served,
    ):
        await asyncio.gather(on_slack(slack), on_telegram(telegram))
        await arrived(served)
        await served.idle()
        letters = await served.application.store.dead_letters()
        assert letters
        for letter in letters:
            await served.application.store.retry_dead_letter(letter.id)
        await served.idle()
        kept = database_bytes(tmp_path)
        heard = heard_by(served)
    kept += database_bytes(tmp_path)
    for word in PERSONAL:
        assert not around(kept, word)
        assert word not in heard
    assert PHRASE.encode() in kept
    for mark in ("[email]", "[phone]", "[card]", "[key]"):
        assert mark.encode() in kept
        assert mark in heard
