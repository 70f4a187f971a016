"""Every recorded payload, sent to a running bot as its platform would send it: no 5xx, ever."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from slack_bot import bot_on_slack
from telegram_bot import SECRET, bot_on_telegram

SHARED = Path(os.environ.get("BOTKIT_SHARED", Path(__file__).parents[3] / "shared"))
SLACK = sorted(p for p in (SHARED / "samples/slack").glob("*/*") if p.is_file())
TELEGRAM = sorted((SHARED / "samples/telegram").glob("**/*.json"))
NOWHERE = b"127.0.0.1:9"
"""Answers to the commands among them go no further than this machine."""

NEEDS_SAMPLES = pytest.mark.skipif(not SLACK, reason="the recorded samples are not here")


@NEEDS_SAMPLES
async def test_slack(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running, aiohttp.ClientSession() as session:
        statuses: dict[str, int] = {}
        for path in SLACK:
            body = path.read_bytes().replace(b"hooks.slack.com", NOWHERE)
            form = path.suffix == ".urlencoded"
            kind = "application/x-www-form-urlencoded" if form else "application/json"
            headers = {**running.slack.deliveries.signed(body), "Content-Type": kind}
            url = f"{running.address}/slack/events"
            async with session.post(url, data=body, headers=headers) as response:
                statuses[path.name] = response.status
        assert len(statuses) > 60
        payloads = {name: status for name, status in statuses.items() if name[:8] == "payload_"}
        assert set(payloads.values()) == {200}
        # What Slack answers and what it shows is nothing that it sends.
        assert set(statuses.values()) <= {200, 400}


@NEEDS_SAMPLES
async def test_telegram(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running, aiohttp.ClientSession() as session:
        statuses: dict[str, int] = {}
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
        for path in TELEGRAM:
            url = f"{running.address}/telegram/webhook"
            async with session.post(url, data=path.read_bytes(), headers=headers) as response:
                statuses[f"{path.parent.name}/{path.stem}"] = response.status
        updates = Counter(status for name, status in statuses.items() if name[:8] == "Updates/")
        assert updates[200] > 90
        assert set(updates) == {200}
        assert set(statuses.values()) <= {200, 400}
