"""Adding the bot to workspaces, end to end: a browser, a simulated Slack, a real bot."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from postgres_server import PostgresServer
from slack_bot import bot_on_slack
from slack_installs import Distributed, asked, browsing, distributed, returning
from waiting import until
from yarl import URL

from botkit.errors import SettingsError
from botkit.settings import Settings
from botkit.testing.slack import SlackSimulator
from botkit_adapters.slack import slack_adapter
from botkit_adapters.slack.scopes import SCOPES

SECRETS = ("xox", "simulated-client-secret", "SimulatedToken", "SimulatedRefresh")
REFUSED = 'botkit_deliveries_total{outcome="refused"'
REMOVED = 'botkit_inbound_total{platform="slack",reason="",'


async def hello(slack: SlackSimulator, name: str = "Ada") -> str:
    """What the bot answers to a new person."""
    person = slack.user(name)
    person.say("hello")
    (reply,) = await slack.replies(person.channel, 1)
    return reply.text


# Adding


async def test_from_nothing_to_an_answer(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot:
        page = await bot.add()
        assert page.status == 200
        assert "slack://app?team=T0SIM&amp;id=A0SIM" in page.text
        assert "Workspace &lt;T0SIM&gt;" in page.text
        assert await hello(bot.slack) == "1: hello"
        asked_scopes = {token.scopes for token in bot.slack.oauth.tokens.values()}
        assert asked_scopes == {",".join(SCOPES)}


async def test_over_a_socket(tmp_path: Path) -> None:
    async with distributed(tmp_path, socket_mode=True) as bot:
        assert (await bot.add()).status == 200
        assert await hello(bot.slack) == "1: hello"


async def test_on_postgresql(tmp_path: Path, postgres: PostgresServer) -> None:
    async with distributed(tmp_path, database_url=postgres.database()) as bot:
        assert (await bot.add()).status == 200
        assert await hello(bot.slack) == "1: hello"
        bot.slack.user("Bo").uninstall()
        await until(lambda: bot.metric(REMOVED) == 1)
        await refused(bot)


async def test_two_workspaces_have_a_token_each(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot:
        second = bot.slack.workspace("T0TWO")
        await bot.add("T0SIM")
        await bot.add("T0TWO")
        assert len(bot.slack.oauth.tokens) == 2
        ada, bo = bot.slack.user("Ada"), second.user("Bo")
        ada.say("one")
        bo.say("two")
        assert [each.text for each in await bot.slack.replies(ada.channel, 1)] == ["1: one"]
        assert [each.text for each in await second.replies(bo.channel, 1)] == ["1: two"]


async def test_each_workspace_has_its_own_mention(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot:
        second = bot.slack.workspace("T0TWO")
        await bot.add("T0TWO")
        assert second.bot != bot.slack.bot
        general, bo = second.channel("general"), second.user("Bo")
        said = bo.say(f"{second.bot} hello", channel=general)
        (reply,) = await second.replies(general, 1, thread=said.ts)
        assert reply.text == "1: hello"


async def test_an_installation_outlives_the_process(tmp_path: Path) -> None:
    async with SlackSimulator(time_scale=0.001) as slack:
        async with distributed(tmp_path, slack) as bot:
            await bot.add()
        async with distributed(tmp_path, slack):
            assert await hello(slack) == "1: hello"


async def test_what_is_added_in_one_process_works_in_another(tmp_path: Path) -> None:
    async with (
        SlackSimulator(time_scale=0.001) as slack,
        distributed(tmp_path, slack) as other,
        distributed(tmp_path, slack) as first,
    ):
        await first.add()
        slack.deliveries.url = f"{other.address}/slack/events"
        assert await hello(slack) == "1: hello"


async def test_the_redirect_uri_is_named_where_the_public_url_is_known(tmp_path: Path) -> None:
    async with distributed(tmp_path, public_url="https://bot.example.com/b/") as bot:
        bot.slack.oauth.redirect_url = "https://bot.example.com/b/slack/oauth_redirect"
        async with browsing() as browser:
            async with browser.session.get(
                f"{bot.address}/slack/install", allow_redirects=False
            ) as response:
                cookie = response.headers["Set-Cookie"]
                assert response.headers["Cache-Control"] == "no-store"
                url = URL(response.headers["Location"])
            assert all(each in cookie for each in ("Secure", "HttpOnly", "SameSite=Lax"))
            assert url.query["redirect_uri"] == bot.slack.oauth.redirect_url
            # The jar keeps a Secure cookie from plain HTTP: carry it as the proxy's client would.
            origin = URL(bot.slack.api_base_url).origin()
            page = await browser.open(url)
            link = page.text.split('href="')[1].split('"')[0].replace("&amp;", "&")
            back = URL(await browser.turned_to(origin.join(URL(link))))
            assert str(back).startswith(bot.slack.oauth.redirect_url)
            here = URL(f"{bot.address}/slack/oauth_redirect").with_query(back.query)
            headers = {"Cookie": cookie.split(";")[0]}
            async with browser.session.get(here, headers=headers) as response:
                assert response.status == 200


# What is refused


async def test_a_state_works_once(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        back = await returning(bot.slack, bot, browser)
        assert (await browser.open(back)).status == 200
        fresh = URL(back).update_query(code=bot.slack.oauth.allow("T0SIM"))
        again = await browser.open(fresh)
        assert again.status == 400
        assert "was used already, or was opened in another browser" in again.text
        assert len(bot.slack.oauth.tokens) == 1


async def test_a_state_belongs_to_one_browser(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot, browsing() as attacker, browsing() as victim:
        back = await returning(bot.slack, bot, attacker)
        assert (await victim.open(back)).status == 400  # no cookie at all
        back = await returning(bot.slack, bot, attacker)
        await victim.turned_to(f"{bot.address}/slack/install")
        assert (await victim.open(back)).status == 400  # a cookie of its own
        assert not bot.slack.oauth.tokens


async def test_two_tabs_of_one_browser(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        bot.slack.workspace("T0TWO")
        first = await returning(bot.slack, bot, browser, "T0SIM")
        second = await returning(bot.slack, bot, browser, "T0TWO")
        assert (await browser.open(second)).status == 200
        assert (await browser.open(first)).status == 200


async def test_a_state_lasts_ten_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        back = await returning(bot.slack, bot, browser)
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 601)
        page = await browser.open(back)
        assert (page.status, "ten minutes" in page.text) == (400, True)
        monkeypatch.undo()
        back = await returning(bot.slack, bot, browser)
        monkeypatch.setattr(time, "time", lambda: now() + 590)
        assert (await browser.open(back)).status == 200


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"code": "c"},
        {"state": "s", "code": "c"},
        {"state": "A" * 43, "code": "c"},
        {"state": "é\0" * 20, "code": "c"},
        {"state": "x" * 5000, "code": "c"},
        {"error": "<script>alert(1)</script>", "state": "s"},
        {"error": "access_denied"},
    ],
)
async def test_made_up_answers(tmp_path: Path, query: dict[str, str]) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        await browser.turned_to(f"{bot.address}/slack/install")
        page = await browser.open(URL(f"{bot.address}/slack/oauth_redirect").with_query(query))
        assert 400 <= page.status < 500
        assert page.headers["Content-Type"].startswith("text/html")
        assert "<script" not in page.text
        assert 'href="install"' in page.text


@pytest.mark.parametrize(
    "raw", ["state=%ff%fe&code=%ff", "state&code&state", "%00=%00", "state=a&state=b&code=c"]
)
async def test_broken_queries(tmp_path: Path, raw: str) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        url = URL(f"{bot.address}/slack/oauth_redirect?{raw}", encoded=True)
        assert (await browser.open(url)).status == 400


@pytest.mark.parametrize("code", ["", "nonsense", "x" * 600, "é", "a\nb"])
async def test_a_code_that_is_none(tmp_path: Path, code: str) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        back = URL(await returning(bot.slack, bot, browser))
        page = await browser.open(back.update_query(code=code))
        assert page.status == 400
        assert "too old or was used already" in page.text


async def test_a_person_who_declines(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        links = await asked(bot.slack, bot, browser)
        page = await browser.open(await browser.turned_to(links["deny"]))
        assert page.status == 403
        assert "told not to add" in page.text


async def test_another_error_of_slacks_is_named_and_escaped(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot, browsing() as browser:
        state = URL(await browser.turned_to(f"{bot.address}/slack/install")).query["state"]
        where = URL(f"{bot.address}/slack/oauth_redirect")
        named = await browser.open(where.with_query(error="invalid_team", state=state))
        assert (named.status, "invalid_team" in named.text) == (400, True)
        state = URL(await browser.turned_to(f"{bot.address}/slack/install")).query["state"]
        hostile = await browser.open(where.with_query(error="<b>x</b>", state=state))
        assert (hostile.status, "<b>x" in hostile.text) == (400, False)


async def test_an_organisation_is_refused_and_nothing_kept(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot:
        bot.slack.oauth.enterprise = "E0SIM"
        page = await bot.add("E0SIM")
        assert page.status == 400
        assert "whole organisation" in page.text
        assert await kept(bot) == []


@pytest.mark.parametrize(
    ("fault", "reason", "status"),
    [
        ("5xx", "", 503),
        ("429", "", 503),
        ("drop_before", "", 503),
        ("drop_after", "", 503),
        ("error", "bad_client_secret", 503),
        ("error", "invalid_code", 400),
    ],
)
async def test_an_exchange_that_fails(
    tmp_path: Path, fault: Any, reason: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with distributed(tmp_path) as bot:
        bot.slack.faults.add("oauth.v2.access", fault, reason=reason)
        page = await bot.add()
        assert (page.status, 'href="install"' in page.text) == (status, True)
        if reason == "bad_client_secret":
            assert "bad_client_secret" in caplog.text
        assert (await bot.add()).status == 200


# Removal


async def refused(bot: Distributed) -> None:
    """Nothing is said any more."""
    before = bot.metric(REFUSED)
    person = bot.slack.user("Eve")
    person.say("anybody?")
    await until(lambda: bot.metric(REFUSED) == before + 1, within=20)
    assert bot.slack.said(person.channel) == []


async def kept(bot: Distributed) -> list[str]:
    return await bot.application.store.records("slack").keys("installation:")


@pytest.mark.parametrize("how", ["uninstall", "revoke"])
async def test_removal_and_a_second_installation(tmp_path: Path, how: str) -> None:
    async with distributed(tmp_path) as bot:
        bot.slack.workspace("T0SIMILAR")
        await bot.add()
        await bot.add("T0SIMILAR")
        person = bot.slack.user("Bo")
        if how == "uninstall":
            person.uninstall()
        else:
            person.revoke_tokens(bot=True)
        await until(lambda: bot.metric(REMOVED) == 1)
        assert await kept(bot) == ["installation:T0SIMILAR"]
        await refused(bot)
        await bot.add()
        assert await hello(bot.slack) == "1: hello"


async def test_a_persons_token_takes_nothing_away(tmp_path: Path) -> None:
    async with distributed(tmp_path) as bot:
        await bot.add()
        bot.slack.user("Bo").revoke_tokens(bot=False)
        ignored = 'botkit_inbound_total{platform="slack",reason="user_tokens_revoked"'
        await until(lambda: bot.metric(ignored) == 1)
        assert await hello(bot.slack) == "1: hello"


async def test_a_removal_that_comes_late_spares_the_new_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with distributed(tmp_path) as bot:
        now = time.time
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: now() - 60)
            event = {"type": "app_uninstalled", "event_ts": "1.1"}
            late = {"event": event, "event_time": int(time.time()), "event_id": "Ev1"}
        await bot.add()
        bot.slack.deliveries.send(
            "events_api", {"type": "event_callback", "team_id": "T0SIM", **late}
        )
        await until(lambda: bot.metric(REMOVED) == 1)
        assert await hello(bot.slack) == "1: hello"


async def test_another_process_notices_removal_and_reinstallation(tmp_path: Path) -> None:
    async with (
        SlackSimulator(time_scale=0.001) as slack,
        distributed(tmp_path, slack) as other,
        distributed(tmp_path, slack) as first,
    ):
        await first.add()
        slack.deliveries.url = f"{other.address}/slack/events"
        assert await hello(slack) == "1: hello"  # the other has read the token
        slack.oauth.revoke("T0SIM")
        await first.add()
        assert await hello(slack, "Bo") == "1: hello"  # and reads the new one


@pytest.mark.parametrize("code", ["token_revoked", "invalid_auth", "account_inactive"])
async def test_a_token_that_slack_refuses_is_a_refused_delivery(tmp_path: Path, code: str) -> None:
    async with distributed(tmp_path) as bot:
        await bot.add()
        bot.slack.oauth.revoke("T0SIM", code)
        await refused(bot)


async def test_one_token_works_again_after_a_removal(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        running.slack.user("Bo").uninstall()
        await until(lambda: running.metric(REMOVED) == 1)
        running.slack.revoked = False
        assert await hello(running.slack) == "1: hello"


# Secrets


async def test_no_token_is_kept_logged_or_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pages = []
    async with distributed(tmp_path) as bot:
        bot.slack.oauth.rotates = True
        bot.slack.oauth.expires_in = 3600  # due at once
        pages.append(await bot.add())
        bot.slack.oauth.expires_in = 43_200
        assert await hello(bot.slack) == "1: hello"
        bot.slack.faults.add("oauth.v2.access", "error", reason="bad_client_secret")
        pages.append(await bot.add())
        files = [(tmp_path / name).read_bytes() for name in ("botkit.db", "botkit.db-wal")]
        assert any(b"installation:T0SIM" in data for data in files)
        assert bot.slack.oauth.refreshes
        for secret in SECRETS:
            assert all(secret.encode() not in data for data in files), secret
    said = "\n".join(page.text + json.dumps(page.headers) for page in pages)
    for secret in SECRETS:
        assert secret not in caplog.text, secret
        assert secret not in said, secret


async def test_another_secret_key_is_an_error_and_no_crash(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with SlackSimulator(time_scale=0.001) as slack:
        async with distributed(tmp_path, slack) as bot:
            await bot.add()
        async with distributed(tmp_path, slack, secret_key="another key") as bot:
            await refused(bot)
            assert "BOTKIT_SECRET_KEY has changed" in caplog.text
            await bot.add()
            assert await hello(slack) == "1: hello"
            slack.user("Bo").uninstall()
            await until(lambda: bot.metric(REMOVED) == 1)


async def test_a_removal_needs_no_key(tmp_path: Path) -> None:
    async with SlackSimulator(time_scale=0.001) as slack:
        async with distributed(tmp_path, slack) as bot:
            await bot.add()
        async with distributed(tmp_path, slack, secret_key="another key") as bot:
            slack.user("Bo").uninstall()
            await until(lambda: bot.metric(REMOVED) == 1)
            assert await kept(bot) == []


# Settings

CLIENT = {"slack_client_id": "1.2", "slack_client_secret": "s"}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"slack_client_id": "1.2"}, "SLACK_CLIENT_SECRET"),
        ({"slack_client_secret": "s"}, "SLACK_CLIENT_ID"),
        ({**CLIENT, "slack_signing_secret": "x"}, "BOTKIT_SECRET_KEY"),
        ({**CLIENT, "secret_key": "k"}, "SLACK_SIGNING_SECRET"),
        ({"slack_signing_secret": "x"}, "SLACK_BOT_TOKEN"),
        ({"slack_bot_token": "xoxb-1"}, "SLACK_SIGNING_SECRET"),
    ],
)
def test_half_set(tmp_path: Path, given: dict[str, Any], missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        slack_adapter(Settings.load(home=tmp_path, **given))


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"slack_bot_token": "xoxb-1"}, ["/slack/events"]),
        ({"slack_bot_token": "xoxb-1", **CLIENT}, ["/slack/events"]),
        (
            {**CLIENT, "secret_key": "k"},
            ["/slack/events", "/slack/install", "/slack/oauth_redirect"],
        ),
    ],
)
def test_what_is_served(tmp_path: Path, given: dict[str, Any], paths: list[str]) -> None:
    loaded = Settings.load(home=tmp_path, slack_signing_secret="x", **given)
    adapter = slack_adapter(loaded)
    assert adapter is not None
    assert [route.path for route in adapter.routes(None)] == paths  # type: ignore[arg-type]


def test_an_event_is_acknowledged_without_the_sdk() -> None:
    code = (
        "import sys; from botkit.settings import Settings; "
        "from botkit_adapters.slack import slack_adapter; "
        "adapter = slack_adapter(Settings.load(slack_client_id='1', slack_client_secret='s', "
        "secret_key='k', slack_signing_secret='x')); adapter.routes(None); "
        "from botkit_adapters.slack.inbound import parse; "
        "parse({'type': 'event_callback', 'team_id': 'T', 'event': {'type': 'x'}}, "
        "adapter._tokens.bot_user); "
        "print({name.split('.')[0] for name in sys.modules} & {'slack_sdk', 'cryptography'})"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
