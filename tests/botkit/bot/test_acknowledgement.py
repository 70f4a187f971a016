"""Received means on disk: a platform hears nothing else."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from slack_bot import bot_on_slack
from telegram_bot import bot_on_telegram
from waiting import until

from botkit.store import Store
from botkit.store.statement import Script, Statement


async def limit_pages(store: Store, pages: int | None) -> None:
    """Let the database grow no further than it is, or as it likes: a full disk, and room again."""

    def script() -> Script[None]:
        rows = yield Statement("PRAGMA page_count")
        limit = rows[0][0] if pages is None else pages
        yield Statement(f"PRAGMA max_page_count = {limit}")

    await store._driver.run(script)


async def test_a_full_disk_is_a_5xx_and_telegram_sends_again(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram, store = running.telegram, running.application.store
        alice = telegram.user("Alice")
        await limit_pages(store, None)
        for number in range(40):
            telegram.user(f"P{number}").send("x" * 3000)
        alice.send("hello")
        await until(lambda: any(each.status == 503 for each in telegram.deliveries.log), within=30)
        await limit_pages(store, 1_000_000)
        await until(lambda: telegram.said(alice.chat) == ["1: hello"], within=60)


async def test_a_full_disk_is_a_5xx_and_slack_sends_again(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack, store = running.slack, running.application.store
        slack.deliveries.time_scale = 0.1  # the second retry comes after six seconds
        people = [slack.user(f"P{number}") for number in range(40)]
        await limit_pages(store, None)
        for person in people:
            person.say("x" * 3000)
        await until(lambda: any(each.status == 503 for each in slack.deliveries.log), within=30)
        await limit_pages(store, 1_000_000)
        await until(lambda: all(slack.said(each.channel) for each in people), within=60)


@pytest.mark.parametrize("kind", ["slack", "telegram"])
async def test_what_is_not_known_is_acknowledged_and_counted(tmp_path: Path, kind: str) -> None:
    if kind == "telegram":
        async with bot_on_telegram(tmp_path) as running, aiohttp.ClientSession() as session:
            headers = {"X-Telegram-Bot-Api-Secret-Token": "simulated-webhook-secret"}
            body = b'{"update_id": 5, "never_heard_of": {}}'
            url = f"{running.address}/telegram/webhook"
            async with session.post(url, data=body, headers=headers) as response:
                assert response.status == 200
            counted = 'botkit_inbound_total{platform="telegram",reason="unknown",what="ignored"}'
            assert running.metric(counted) == 1
        return
    async with bot_on_slack(tmp_path) as running, aiohttp.ClientSession() as session:
        body = (
            b'{"type": "event_callback", "team_id": "T", "event_id": "E", "event": {"type": "x"}}'
        )
        headers = running.slack.deliveries.signed(body)
        url = f"{running.address}/slack/events"
        async with session.post(url, data=body, headers=headers) as response:
            assert response.status == 200
        counted = 'botkit_inbound_total{platform="slack",reason="unknown",what="ignored"}'
        assert running.metric(counted) == 1
