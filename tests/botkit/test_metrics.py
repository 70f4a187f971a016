"""What ``/metrics`` shows: by the conventions, as the README says, and whatever goes wrong."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_lint import exposed_name, families, problems
from stage import StageAdapter, on_stage

from botkit import Bot
from botkit.completion import Completion
from botkit.completion.load import Load
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import DeliveryDelayedError, StoreError
from botkit.metrics import Metrics
from botkit.registry import metrics_table
from botkit.scrape import Scrape
from botkit.store import StoreStats
from botkit.testing.served import serving
from botkit.testing.telegram import TelegramSimulator

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_every_metric() -> None:
    table = re.search(r"<!-- metrics -->\n(.*?)\n<!-- /metrics -->", README.read_text(), re.DOTALL)
    assert table is not None
    assert table[1] == metrics_table(Metrics().registry.described)


def every_series(metrics: Metrics) -> str:
    """The page with one series of each metric, so that its labels are seen."""
    for value in vars(metrics).values():
        names = getattr(value, "_labelnames", ())
        if names:
            value.labels(*("x" for _ in names))
    return metrics.text().decode()


def test_every_metric_is_named_by_the_conventions() -> None:
    metrics = Metrics()
    text = every_series(metrics)
    assert problems(text) == []
    told = {each.name: each for each in metrics.registry.described}
    shown = {exposed_name(family): family for family in families(text)}
    assert shown.keys() == told.keys()
    for name, family in shown.items():
        assert family.type == told[name].kind
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert labels == set(told[name].labels), name


def test_the_checker_sees_what_promtool_sees() -> None:
    wrong = """
# HELP botkit_wait Time.
# TYPE botkit_wait gauge
botkit_wait 1
# HELP botkit_lag_ms Time.
# TYPE botkit_lag_ms gauge
botkit_lag_ms 1
# HELP botkit_sent_seconds_more Time.
# TYPE botkit_sent_seconds_more gauge
botkit_sent_seconds_more 1
# HELP botkit_size_kilobytes Size.
# TYPE botkit_size_kilobytes gauge
botkit_size_kilobytes 1
# HELP botkit_old_total Old.
# TYPE botkit_old_total gauge
botkit_old_total 1
# TYPE botkit_gauge gauge
botkit_gauge 1
"""
    found = "\n".join(problems(wrong))
    for name in ("wait", "lag_ms", "sent_seconds_more", "size_kilobytes", "old_total", "gauge"):
        assert f"botkit_{name}:" in found


async def test_what_happens_in_a_bot_is_counted(tmp_path: Path) -> None:
    bot = Bot()

    @bot.command("order")
    async def order(item: str) -> str:
        return f"no {item}"

    adapter = StageAdapter(failures=[None, DeliveryDelayedError("ratelimited", 0.01)])
    completion = ScriptedCompletion(["Paris is the capital of France."])
    async with on_stage(tmp_path, bot, completion=completion, adapter=adapter) as stage:
        await stage.say("what is the capital of France?")
        await stage.replies(1)
        await stage.say("tea", kind="command", name="order")
        await stage.replies(2)
        await stage.idle()
        counted = {
            name: stage.counted(name, **labels)
            for name, labels in (
                ("botkit_turns_total", {"outcome": "answered"}),
                ("botkit_turn_duration_seconds_count", {}),
                ("botkit_queue_wait_seconds_count", {}),
                ("botkit_reply_latency_seconds_count", {}),
                ("botkit_deliveries_total", {"outcome": "sent"}),
                ("botkit_delivery_duration_seconds_count", {}),
                ("botkit_model_requests_total", {"outcome": "ok"}),
                ("botkit_model_first_token_seconds_count", {}),
                ("botkit_tokens_total", {"direction": "output"}),
                ("botkit_reply_attempts_total", {"reason": "passed"}),
            )
        }
        delayed = stage.counted("botkit_deliveries_total", outcome="delayed")
        text = stage.application.metrics.text().decode()
    assert counted == {
        "botkit_turns_total": 2,
        "botkit_turn_duration_seconds_count": 2,
        "botkit_queue_wait_seconds_count": 2,
        "botkit_reply_latency_seconds_count": 1,
        "botkit_deliveries_total": 2,
        "botkit_delivery_duration_seconds_count": 3,
        "botkit_model_requests_total": 1,
        "botkit_model_first_token_seconds_count": 1,
        "botkit_tokens_total": 6,
        "botkit_reply_attempts_total": 1,
    }
    assert delayed == 1
    assert problems(text) == []


async def test_nothing_that_a_person_chooses_becomes_a_label(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage:
        for number in range(5):
            await stage.say(
                f"text-{number}", channel=f"c{number}", kind="command", name=f"name-{number}"
            )
            await stage.replies(1, channel=f"c{number}")
        await stage.idle()
        text = stage.application.metrics.text().decode()
    assert not re.search(r"name-\d|text-\d|\"c\d|Ada|u1", text)
    series = [line for line in text.splitlines() if line.startswith("botkit_turns_total")]
    assert len(series) == 4


def test_a_reason_that_is_not_a_word_is_other() -> None:
    metrics = Metrics()
    for reason in ("", "repeats", "Ada said so", "x" * 80):
        metrics.judged(reason)
    text = metrics.text().decode()
    assert set(re.findall(r'reason="(.*?)"', text)) == {"passed", "repeats", "other"}


class Waiting:
    """A store of which only :meth:`stats` is asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def stats(self) -> StoreStats:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await asyncio.sleep(3600)
        assert isinstance(answer, StoreStats)
        return answer


def made_up_scrape(store: Waiting, completion: Completion | None = None) -> Scrape:
    of_it: Any = store
    return Scrape(lambda: of_it, Metrics(), completion or ScriptedCompletion())


async def shown(scrape: Scrape) -> dict[str, float]:
    response: Any = await scrape.show(make_mocked_request("GET", "/metrics"))
    lines = [line.rsplit(" ", 1) for line in response.body.decode().splitlines()]
    return {name: float(value) for name, value in lines if not name.startswith("#") and value}


async def test_a_scrape_shows_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botkit.scrape.FRESH_SECONDS", 0.5)
    store = Waiting(StoreStats(3, 2, 1, 7.5), StoreStats())
    scrape = made_up_scrape(store)
    pages = await asyncio.gather(*(shown(scrape) for _ in range(20)))
    assert store.asked == 1
    assert pages[-1]["botkit_inbox_events"] == 3
    assert pages[-1]["botkit_outbox_payloads"] == 2
    assert pages[-1]["botkit_dead_letters"] == 1
    assert pages[-1]["botkit_inbox_oldest_age_seconds"] == 7.5
    assert pages[-1]["botkit_store_up"] == 1
    await asyncio.sleep(0.5)
    assert (await shown(scrape))["botkit_inbox_events"] == 0


@pytest.mark.parametrize("answer", [StoreError("away"), None])
async def test_a_store_that_is_away_is_told_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, answer: Exception | None
) -> None:
    monkeypatch.setattr("botkit.scrape.PATIENCE", 0.05)
    store = Waiting(answer)
    page = await shown(made_up_scrape(store))
    assert page["botkit_store_up"] == 0
    assert page["botkit_inbox_events"] != page["botkit_inbox_events"]  # NaN


class Engine(ScriptedCompletion):
    """A completion that says what an engine has to do."""

    state: Load | None = None

    def load(self) -> Load | None:
        return self.state


async def test_a_scrape_shows_what_the_engine_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botkit.scrape.FRESH_SECONDS", 0.0)
    engine = Engine()
    store = Waiting(*[StoreStats()] * 4)
    scrape = made_up_scrape(store, engine)
    page = await shown(scrape)
    assert page["botkit_engine_slots"] != page["botkit_engine_slots"]  # NaN: it is being loaded
    engine.state = Load(8, 3, 2, 1, 0.25, 100, 70, 12)
    await shown(scrape)
    engine.state = Load(8, 0, 0, 0, 0.0, 110, 75, 12)
    page = await shown(scrape)
    assert page["botkit_engine_slots"] == 8
    assert page["botkit_engine_running_requests"] == 0
    assert page['botkit_engine_waiting_requests{priority="batch"}'] == 0
    assert page["botkit_engine_cache_used_ratio"] == 0
    assert page['botkit_engine_draft_tokens_total{outcome="accepted"}'] == 75
    assert page['botkit_engine_draft_tokens_total{outcome="rejected"}'] == 35
    assert page["botkit_engine_compilations_total"] == 12


async def test_a_served_bot_shows_it_all_over_http() -> None:
    async with TelegramSimulator() as telegram, serving(telegram=telegram) as running:
        alice = telegram.user("Alice")
        alice.send("hello")
        await telegram.replies(alice.chat, 1)
        await running.idle()
        url = f"{running.address}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            text = await response.text()
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert problems(text) == []
    assert 'botkit_turns_total{outcome="answered",platform="telegram"} 1.0' in text
    assert "botkit_inbox_events 0.0" in text
    assert "botkit_redis_up NaN" in text
    assert 'botkit_build_info{python="' in text
