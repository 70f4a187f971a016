"""The Slack adapter, end to end: people on a simulated Slack, a real bot behind it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bot import bot_on_slack
from waiting import until

from botkit.adapter import PERSON
from botkit.bot import Bot
from botkit.replies import Button, File, Reply
from botkit.turn import Turn
from botkit.types import Sender
from botkit_adapters.slack.adapter import SlackAdapter

LONG = " ".join(f"word{number}" for number in range(60))


@pytest.mark.parametrize("socket", [False, True])
async def test_a_direct_message_is_answered_and_remembered(tmp_path: Path, socket: bool) -> None:
    async with bot_on_slack(tmp_path, socket=socket) as running:
        ada = running.slack.user("Ada")
        ada.say("my name is Ada &amp; co")
        (reply,) = await running.slack.replies(ada.channel, 1)
        assert (reply.text, reply.thread) == ("1: my name is Ada & co", "")
        ada.say("again")
        assert (await running.slack.replies(ada.channel, 1))[0].text == "3: again"


async def test_a_mention_starts_a_thread_that_goes_on_without_one(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        ada, general = slack.user("Ada"), slack.channel("general")
        ada.say("nobody in particular", channel=general)
        asked = ada.say(f"{slack.bot} what is up?", channel=general)
        (reply,) = await slack.replies(general, 1, thread=asked.ts)
        assert (reply.text, reply.thread) == ("1: what is up?", asked.ts)
        ada.say("and now?", channel=general, thread=asked.ts)
        assert (await slack.replies(general, 1, thread=asked.ts))[0].text == "3: and now?"
        other = ada.say("a thread of people", channel=general)
        ada.say("among us", channel=general, thread=other.ts)
        await until(lambda: running.metric('botkit_events_accepted_total{platform="slack"') >= 2)
        await asyncio.sleep(0.2)
        assert slack.said(general) == ["1: what is up?", "3: and now?"]


async def test_a_reply_streams_into_its_thread(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path, replies=[LONG]) as running:
        running.completion.delay = 0.03
        slack = running.slack
        ada, general = slack.user("Ada"), slack.channel("general")
        asked = ada.say(f"{slack.bot} go", channel=general)
        (reply,) = await slack.replies(general, 1, thread=asked.ts)
        assert reply.text == LONG
        assert len(reply.versions) > 2
        assert not slack._done("chat.postMessage")


async def test_a_direct_message_is_edited_while_it_is_written(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path, replies=[LONG]) as running:
        running.completion.delay = 0.05
        ada = running.slack.user("Ada")
        ada.say("go")
        await until(lambda: running.slack.said(ada.channel) == [LONG], within=30)
        (reply,) = await running.slack.replies(ada.channel, 1)
        assert len(reply.versions) >= 2


async def test_a_stream_that_dies_leaves_the_whole_reply(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path, replies=[LONG]) as running:
        running.completion.delay = 0.03
        slack = running.slack
        slack.state.stream_seconds = 0.2
        ada, general = slack.user("Ada"), slack.channel("general")
        asked = ada.say(f"{slack.bot} go", channel=general)
        await until(lambda: slack.said(general) == [LONG], within=30)
        assert len(await slack.replies(general, 1, thread=asked.ts)) == 1


async def test_the_assistant_shows_that_it_thinks(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        ada = slack.user("Ada")
        root = ada.open_assistant()
        (greeting,) = (await slack.replies(ada.channel, 2, thread=root))[1:]
        assert greeting.text == "Hello! Ask me anything."
        ada.say("hello", thread=root)
        (reply,) = await slack.replies(ada.channel, 1, thread=root)
        assert reply.text.endswith(": hello")
        await until(lambda: slack.state.statuses == ["is thinking…"])
        await until(lambda: slack.state.titles == ["hello"])
        ada.say("and again", thread=root)
        await slack.replies(ada.channel, 1, thread=root)
        await running.idle()
        assert slack.state.titles == ["hello"]


async def test_the_assistant_stops_thinking_where_no_reply_comes(tmp_path: Path) -> None:
    bot = Bot()

    @bot.default
    async def answer(turn: Turn) -> str | None:
        return None if turn.text == "hush" else "yes"

    async with bot_on_slack(tmp_path, bot) as running:
        slack = running.slack
        ada = slack.user("Ada")
        root = ada.open_assistant()
        ada.say("hush", thread=root)
        await until(lambda: slack.state.statuses == ["is thinking…", ""])
        ada.say("hello", thread=root)
        await slack.replies(ada.channel, 1, thread=root)
        await asyncio.sleep(2.5)
        assert slack.state.statuses == ["is thinking…", "", "is thinking…"]


async def test_a_status_that_comes_after_the_reply_is_cleared(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        slack.faults.add("assistant.threads.setStatus", "slow", seconds=1)
        ada = slack.user("Ada")
        root = ada.open_assistant()
        ada.say("hello", thread=root)
        await slack.replies(ada.channel, 1, thread=root)
        assert slack.state.statuses == []
        await until(lambda: slack.state.statuses == ["is thinking…", ""])


@pytest.mark.parametrize("count", [1, 4, 5])
async def test_the_assistant_suggests_prompts(tmp_path: Path, count: int) -> None:
    bot = Bot()
    texts = tuple(f"prompt {number}" for number in range(count))

    @bot.started
    async def greet() -> Reply:
        return Reply("Hello!", suggestions=texts)

    async with bot_on_slack(tmp_path, bot) as running:
        slack = running.slack
        ada = slack.user("Ada")
        root = ada.open_assistant()
        greeting = (await slack.replies(ada.channel, 2, thread=root))[-1]
        await running.idle()
        prompts = [each["message"] for each in slack.state.prompts]
        assert prompts == (list(texts) if count <= 4 else [])
        assert list(greeting.buttons) == ([] if count <= 4 else list(texts))


async def test_an_assistant_that_takes_no_title_still_answers(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        slack.faults.add("assistant.threads.setTitle", "error", reason="missing_scope")
        ada = slack.user("Ada")
        root = ada.open_assistant()
        ada.say("hello", thread=root)
        await until(lambda: "1: hello" in slack.said(ada.channel))
        await running.idle()
        assert (await running.application.store.stats()).dead == 0


async def test_commands_buttons_files_and_feedback(tmp_path: Path) -> None:
    bot = Bot()
    heard: list[tuple[str, str]] = []

    @bot.command("order")
    async def order(turn: Turn, item: str) -> str:
        turn.state["item"] = item
        return f"{item} comes"

    @bot.message("menu")
    async def menu() -> Reply:
        buttons = (Button("Pizza", "eat", "pizza", style="primary"), Button("Soup", "eat", "soup"))
        return Reply("**Menu**", buttons=buttons, feedback=True)

    @bot.action("eat")
    async def eat(value: str) -> Reply:
        return Reply(f"enjoy your {value}", files=(File("bill.txt", b"12 EUR"),))

    @bot.feedback
    async def feedback(turn: Turn, value: str) -> None:
        heard.append((turn.event.message_id, value))

    async with bot_on_slack(tmp_path, bot) as running:
        slack = running.slack
        ada = slack.user("Ada")
        ada.command("/order", "pizza")
        (answer,) = await slack.replies(ada.channel, 1)
        assert (answer.text, answer.seen_by) == ("pizza comes", "")
        ada.say("the menu please")
        (shown,) = await slack.replies(ada.channel, 1)
        ada.click(shown, "Soup")
        await until(lambda: "enjoy your soup" in slack.said(ada.channel))
        await slack.called("files.completeUploadExternal")
        ada.click(shown, "negative")
        await until(lambda: heard == [(shown.ts, "negative")])


async def test_a_handler_gets_profile_and_file(tmp_path: Path) -> None:
    bot = Bot()

    @bot.default
    async def describe(turn: Turn, user: Sender) -> str:
        data = await turn.fetch(turn.attachments[0])
        return f"{user.name} {user.locale} {user.timezone}: {data!r}"

    async with bot_on_slack(tmp_path, bot) as running:
        ada = running.slack.user("Ada", locale="pt-PT")
        ada.upload("a.png", b"png", "image/png", "look")
        (reply,) = await running.slack.replies(ada.channel, 1)
        assert reply.text == "Ada pt-PT Europe/Lisbon: b'png'"
        slack = running.application.adapters["slack"]
        assert isinstance(slack, SlackAdapter)
        assert slack._intake is not None
        kept = await slack._intake.records.keys(f"{PERSON}{ada.id}:")
        assert kept == [f"{PERSON}{ada.id}:{running.slack.state.team}:profile"]


async def test_a_lost_answer_is_found_and_not_sent_again(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        running.slack.faults.add("chat.postMessage", "drop_after")
        ada = running.slack.user("Ada")
        ada.say("hello")
        found = 'botkit_uncertain_sends_total{platform="slack",policy="found"}'
        await until(lambda: running.metric(found) == 1, within=20)
        assert running.slack.said(ada.channel) == ["1: hello"]


@pytest.mark.parametrize("kind", ["429", "5xx", "drop_before"])
async def test_a_fault_before_sending_costs_no_reply(tmp_path: Path, kind: str) -> None:
    async with bot_on_slack(tmp_path) as running:
        running.slack.faults.add("chat.postMessage", kind, seconds=1)  # type: ignore[arg-type]
        ada = running.slack.user("Ada")
        ada.say("hello")
        await running.slack.replies(ada.channel, 1)
        assert running.slack.said(ada.channel) == ["1: hello"]


async def test_a_revoked_token_leaves_a_dead_letter(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        ada = running.slack.user("Ada")
        ada.say("hello")
        await running.slack.replies(ada.channel, 1)
        ada.uninstall()
        await until(lambda: running.metric('botkit_inbound_total{platform="slack",reason="",') == 1)
        ada.say("still there?")
        await until(lambda: running.metric('botkit_deliveries_total{outcome="refused"') == 1)


async def test_copies_and_a_first_attempt_that_was_lost(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        slack.deliveries.copies, slack.deliveries.first_retry = 5, 1
        ada = slack.user("Ada")
        ada.say("hello")
        await slack.replies(ada.channel, 1)
        await until(lambda: len(slack.deliveries.log) == 5)
        assert {each.retry for each in slack.deliveries.log} == {1}
        assert slack.said(ada.channel) == ["1: hello"]


@pytest.mark.parametrize("length", [1, 3_501, 12_001, 40_001])
async def test_long_replies_arrive_whole(tmp_path: Path, length: int) -> None:
    text = ("é😀 word " * (length // 8 + 1))[: length - 1] + "."
    async with bot_on_slack(tmp_path, replies=lambda request: text) as running:
        ada = running.slack.user("Ada")
        ada.say("go")
        await until(lambda: "".join(running.slack.said(ada.channel)) == text, within=40)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {}, 401),
        (b"{}", {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=1"}, 401),
        (b"{}", {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=\xe9"}, 401),
        (b"{", None, 400),
        (b"\xff\xfe", None, 400),
        (b"[1]", None, 400),
        (b'{"type": "event_callback"}', None, 400),
        (b'{"type": "event_callback", "event_id": "E", "event": {"type": "new_kind"}}', None, 200),
        (b"x" * (5 << 20), None, 413),
    ],
)
async def test_bad_requests_are_refused(
    tmp_path: Path, body: bytes, headers: dict[str, str] | None, status: int
) -> None:
    async with bot_on_slack(tmp_path) as running, aiohttp.ClientSession() as session:
        shown = running.slack.deliveries.signed(body) if headers is None else headers
        url = f"{running.address}/slack/events"
        async with session.post(url, data=body, headers=shown) as response:
            assert response.status == status


async def test_a_stale_request_and_a_challenge(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running, aiohttp.ClientSession() as session:
        body = json.dumps({"type": "url_verification", "challenge": "c"}).encode()
        url = f"{running.address}/slack/events"
        stale = running.slack.deliveries.signed(body, time.time() - 301)
        async with session.post(url, data=body, headers=stale) as response:
            assert response.status == 401
        fresh = running.slack.deliveries.signed(body)
        async with session.post(url, data=body, headers=fresh) as response:
            assert await response.json() == {"challenge": "c"}
        form = urlencode({"something": "else"}).encode()
        headers = running.slack.deliveries.signed(form)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        async with session.post(url, data=form, headers=headers) as response:
            assert response.status == 200
