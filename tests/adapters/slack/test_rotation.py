"""Tokens that live for twelve hours: replaced once, whoever asks, whatever breaks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer
from slack_installs import add, distributed
from waiting import until

from botkit.adapter import Records
from botkit.errors import DeliveryDelayedError, DeliveryRefusedError, StoreError
from botkit.store import open_store
from botkit.testing.slack import SlackSimulator
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.oauth import claim, rotation
from botkit_adapters.slack.oauth.app import App
from botkit_adapters.slack.oauth.claim import Claim
from botkit_adapters.slack.oauth.exchange import Exchange
from botkit_adapters.slack.oauth.installations import Installations

TEAM = "T0SIM"
DUE, FRESH = 3600, 43_200
"""Seconds that a token lives: less than the margin, and more."""


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
async def slack() -> AsyncIterator[SlackSimulator]:
    async with SlackSimulator() as simulator:
        simulator.oauth.rotates = True
        simulator.oauth.redirect_url = "https://bot.example.com/slack/oauth_redirect"
        yield simulator


class OneIntake:
    """Nothing but records, which can be told to fail."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.failing = 0

    @property
    def records(self) -> OneIntake:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    async def put(self, key: str, value: Any, *, expires_in: float | None = None) -> None:
        if self.failing and key.startswith("installation:"):
            self.failing -= 1
            raise StoreError("the disk is full")
        await self._records.put(key, value, expires_in=expires_in)


def app(slack: SlackSimulator) -> App:
    oauth = slack.oauth
    return App(oauth.client_id, oauth.client_secret, slack.api_base_url)


@asynccontextmanager
async def process(
    database: str, slack: SlackSimulator
) -> AsyncIterator[tuple[Installations, OneIntake]]:
    """What another process has: its own memory and its own connection to the database."""
    store = await open_store(database)
    tokens, intake = Installations(app(slack), "key"), OneIntake(store.records("slack"))
    tokens.bind(intake)  # type: ignore[arg-type]
    yield tokens, intake
    await tokens.aclose()
    await store.aclose()


async def install(slack: SlackSimulator, tokens: Installations, lives: int = DUE) -> str:
    """Add the app; the token."""
    slack.oauth.expires_in = lives
    code = slack.oauth.allow(TEAM)
    installation = await Exchange(app(slack)).install(code)
    slack.oauth.expires_in = FRESH
    await tokens.add(installation)
    return str(installation.bot_token)


async def test_a_fresh_token_is_left_alone(database: str, slack: SlackSimulator) -> None:
    async with process(database, slack) as (tokens, _):
        token = await install(slack, tokens, FRESH)
        assert await tokens.bot(TEAM) == token
        assert slack.oauth.refreshes == []


async def test_callers_of_one_process_share_a_refresh(database: str, slack: SlackSimulator) -> None:
    async with process(database, slack) as (tokens, _):
        old = await install(slack, tokens)
        got = await asyncio.gather(*(tokens.bot(TEAM) for _ in range(20)))
        assert len(set(got)) == 1
        assert got[0] != old
        assert len(slack.oauth.refreshes) == 1
        assert not [call for call in slack.calls if call.error]


async def test_processes_on_one_database_share_a_refresh(
    database: str, slack: SlackSimulator
) -> None:
    slack.faults.add("oauth.v2.access", "slow", after=1, seconds=0.5)
    async with (
        process(database, slack) as (first, _),
        process(database, slack) as (second, _),
        process(database, slack) as (third, _),
    ):
        await install(slack, first)
        several = (first, second, third) * 4
        got = await asyncio.gather(*(each.bot(TEAM) for each in several))
        assert len(set(got)) == 1
        assert len(slack.oauth.refreshes) == 1
        assert not [call for call in slack.calls if call.error]


CHILD = """
import asyncio, sys
from botkit.store import open_store
from botkit_adapters.slack.oauth.app import App
from botkit_adapters.slack.oauth.installations import Installations

class Intake:
    def __init__(self, records): self.records = records

async def main(database, base_url, client_id, secret):
    store = await open_store(database)
    tokens = Installations(App(client_id, secret, base_url), "key")
    tokens.bind(Intake(store.records("slack")))
    print(await tokens.bot("T0SIM"))
    await tokens.aclose()
    await store.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_real_processes_share_a_refresh(database: str, slack: SlackSimulator) -> None:
    slack.faults.add("oauth.v2.access", "slow", after=1, seconds=1.0)
    async with process(database, slack) as (tokens, _):
        await install(slack, tokens)
        arguments = (database, slack.api_base_url, slack.oauth.client_id, slack.oauth.client_secret)
        children = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", CHILD, *arguments, stdout=subprocess.PIPE
            )
            for _ in range(3)
        ]
        said = [(await child.communicate())[0].decode().strip() for child in children]
        assert set(said) == {await tokens.bot(TEAM)}
        assert len(slack.oauth.refreshes) == 1


async def test_a_holder_that_died_is_replaced(
    database: str, slack: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "HELD_SECONDS", 0.5)
    monkeypatch.setattr(claim, "GRACE_SECONDS", 0.3)
    async with process(database, slack) as (tokens, intake):
        old = await install(slack, tokens)
        assert await Claim(intake.records, TEAM).take()  # and it never gives it back
        assert await tokens.bot(TEAM) != old
        assert len(slack.oauth.refreshes) == 1


async def test_while_another_process_holds_on_the_old_token_works(
    database: str, slack: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "WAIT_SECONDS", 1.0)
    async with process(database, slack) as (tokens, intake):
        old = await install(slack, tokens)
        assert await Claim(intake.records, TEAM).take()
        assert await tokens.bot(TEAM) == old
        began = time.monotonic()
        assert await tokens.bot(TEAM) == old
        assert time.monotonic() - began < 0.9  # the second does not wait again


async def test_an_expired_token_is_never_used(
    database: str, slack: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "WAIT_SECONDS", 0.3)
    async with process(database, slack) as (tokens, intake):
        await install(slack, tokens, -5)
        held = Claim(intake.records, TEAM)
        assert await held.take()
        with pytest.raises(DeliveryDelayedError):
            await tokens.bot(TEAM)
        await held.give_back()
        async with process(database, slack) as (other, _):
            assert await other.bot(TEAM)


@pytest.mark.parametrize("fault", ["5xx", "429", "drop_before", "slow"])
async def test_a_refresh_that_fails_costs_nothing_while_the_old_token_works(
    tmp_path: Path, slack: SlackSimulator, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botkit_adapters.slack.oauth.exchange.SECONDS", 1)
    async with process(f"sqlite:///{tmp_path / 'bot.db'}", slack) as (tokens, _):
        old = await install(slack, tokens)
        slack.faults.add("oauth.v2.access", fault, seconds=3)
        assert await tokens.bot(TEAM) == old
        monkeypatch.setattr(rotation.Rotation, "_failure", lambda self, team: None)  # a minute on
        assert await tokens.bot(TEAM) != old
        assert len(slack.oauth.refreshes) == 1


async def test_a_lost_answer_leaves_the_old_token_until_it_ends(
    tmp_path: Path,
    slack: SlackSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with process(f"sqlite:///{tmp_path / 'bot.db'}", slack) as (tokens, _):
        old = await install(slack, tokens)
        slack.faults.add("oauth.v2.access", "drop_after")
        assert await tokens.bot(TEAM) == old
        monkeypatch.setattr(rotation.Rotation, "_failure", lambda self, team: None)
        assert await tokens.bot(TEAM) == old
        assert "must be added there again" in caplog.text
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + DUE + 1)
        with pytest.raises(DeliveryRefusedError, match="invalid_refresh_token"):
            await tokens.bot(TEAM)
        monkeypatch.undo()
        new = await install(slack, tokens, FRESH)
        assert await tokens.bot(TEAM) == new


async def test_who_spends_second_reads_what_the_first_has_kept(
    tmp_path: Path, slack: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a freeze: two hold the claim."""

    async def always(self: Claim) -> bool:
        return True

    monkeypatch.setattr(Claim, "take", always)
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with process(database, slack) as (first, _), process(database, slack) as (second, _):
        await install(slack, first)
        slack.faults.add("oauth.v2.access", "slow", seconds=0.5)
        slow = asyncio.create_task(first.bot(TEAM))
        await asyncio.sleep(0.1)
        quick = await second.bot(TEAM)
        assert await slow == quick
        assert [call.error for call in slack.calls] == ["", "", "invalid_refresh_token"]


async def test_a_full_disk_keeps_the_new_token_in_memory_and_then_on_disk(
    tmp_path: Path, slack: SlackSimulator
) -> None:
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with process(database, slack) as (tokens, intake):
        old = await install(slack, tokens)
        intake.failing = 3
        new = await tokens.bot(TEAM)
        assert new != old
        assert await tokens.bot(TEAM) == new
        await until(lambda: intake.failing == 0)
    async with process(database, slack) as (tokens, _):
        assert await tokens.bot(TEAM) == new
    assert len(slack.oauth.refreshes) == 1


async def test_a_caller_that_is_cancelled_takes_no_token_with_it(
    tmp_path: Path, slack: SlackSimulator
) -> None:
    async with process(f"sqlite:///{tmp_path / 'bot.db'}", slack) as (tokens, _):
        old = await install(slack, tokens)
        slack.faults.add("oauth.v2.access", "slow", seconds=0.3)
        impatient = asyncio.create_task(tokens.bot(TEAM))
        await asyncio.sleep(0.1)
        impatient.cancel()
        assert await tokens.bot(TEAM) != old
        assert len(slack.oauth.refreshes) == 1


async def test_closing_waits_for_the_answer(tmp_path: Path, slack: SlackSimulator) -> None:
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with process(database, slack) as (tokens, _):
        old = await install(slack, tokens)
        slack.faults.add("oauth.v2.access", "slow", seconds=0.3)
        impatient = asyncio.create_task(tokens.bot(TEAM))
        await asyncio.sleep(0.1)
        impatient.cancel()
    async with process(database, slack) as (tokens, _):
        assert await tokens.bot(TEAM) != old
    assert len(slack.oauth.refreshes) == 1


async def test_an_installation_during_a_refresh_wins(tmp_path: Path, slack: SlackSimulator) -> None:
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with process(database, slack) as (first, _), process(database, slack) as (second, _):
        await install(slack, first)
        slack.faults.add("oauth.v2.access", "slow", seconds=0.4)
        refreshing = asyncio.create_task(first.bot(TEAM))
        await asyncio.sleep(0.1)
        new = await install(slack, second, FRESH)
        await refreshing
        assert await second.bot(TEAM) == new
    async with process(database, slack) as (third, _):
        assert await third.bot(TEAM) == new


async def test_an_installation_that_did_not_wait_wins_too(
    tmp_path: Path, slack: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botkit_adapters.slack.oauth.installations.SETTLE_SECONDS", 0)
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with process(database, slack) as (first, _), process(database, slack) as (second, _):
        await install(slack, first)
        slack.faults.add("oauth.v2.access", "slow", seconds=0.4)
        refreshing = asyncio.create_task(first.bot(TEAM))
        await asyncio.sleep(0.1)
        new = await install(slack, second, FRESH)
        assert await refreshing == new
    async with process(database, slack) as (third, _):
        assert await third.bot(TEAM) == new


async def test_a_call_goes_on_with_the_token_that_another_process_got(
    tmp_path: Path, slack: SlackSimulator
) -> None:
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with process(database, slack) as (first, _), process(database, slack) as (second, _):
        calls = Calls(second, slack.api_base_url)
        await install(slack, first, FRESH)
        assert (await calls.call(TEAM, "auth.test", {}))["team_id"] == TEAM
        slack.oauth.revoke(TEAM)
        await install(slack, first, FRESH)
        assert (await calls.call(TEAM, "auth.test", {}))["team_id"] == TEAM
        slack.oauth.revoke(TEAM)
        with pytest.raises(DeliveryRefusedError, match="token_revoked"):
            await calls.call(TEAM, "auth.test", {})
        await calls.aclose()


async def test_an_installation_waits_for_a_refresh(tmp_path: Path, slack: SlackSimulator) -> None:
    async with process(f"sqlite:///{tmp_path / 'bot.db'}", slack) as (tokens, intake):
        await install(slack, tokens)
        held = Claim(intake.records, TEAM)
        assert await held.take()
        adding = asyncio.create_task(install(slack, tokens, FRESH))
        await asyncio.sleep(0.4)
        assert not adding.done()
        await held.give_back()
        new = await adding
        assert await tokens.bot(TEAM) == new


async def test_a_removal_during_a_refresh_wins(tmp_path: Path, slack: SlackSimulator) -> None:
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    async with process(database, slack) as (first, _), process(database, slack) as (second, intake):
        await install(slack, first)
        slack.faults.add("oauth.v2.access", "slow", seconds=0.4)
        refreshing = asyncio.create_task(first.bot(TEAM))
        await asyncio.sleep(0.1)
        await second.forget(TEAM, time.time())
        with pytest.raises(DeliveryRefusedError, match="not installed"):
            await refreshing
        assert await intake.records.keys("installation:") == []


async def test_a_workspace_whose_id_begins_alike_is_spared(
    tmp_path: Path, slack: SlackSimulator
) -> None:
    async with process(f"sqlite:///{tmp_path / 'bot.db'}", slack) as (tokens, _):
        token = await install(slack, tokens, FRESH)
        await tokens.forget(TEAM[:-1], 0)
        assert await tokens.bot(TEAM) == token


async def test_a_wrong_clock_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Slack calls the token expired, and this machine does not."""
    async with SlackSimulator(time_scale=0.001) as slack, distributed(tmp_path, slack) as bot:
        slack.oauth.rotates = True
        await add(slack, bot)
        slack.oauth.expire(TEAM)
        ada = slack.user("Ada")
        ada.say("hello")
        (reply,) = await slack.replies(ada.channel, 1)
        assert reply.text == "1: hello"
        assert len(slack.oauth.refreshes) == 1


async def test_a_due_token_is_replaced_on_the_way_of_a_message(tmp_path: Path) -> None:
    async with SlackSimulator(time_scale=0.001) as slack, distributed(tmp_path, slack) as bot:
        slack.oauth.rotates, slack.oauth.expires_in = True, DUE
        await add(slack, bot)
        slack.oauth.expires_in = FRESH
        people = [slack.user(f"P{number}") for number in range(5)]
        for person in people:
            person.say("hello")
        for person in people:
            assert [each.text for each in await slack.replies(person.channel, 1)] == ["1: hello"]
        assert len(slack.oauth.refreshes) == 1
