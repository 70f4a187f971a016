"""`botkit telegram set-webhook|info|delete` against a simulated Telegram."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from botkit.testing.telegram import TelegramSimulator

SECRET = "s3cret-word"
TOKEN = "123456:ANOTHER-token"
Command = Callable[..., Awaitable[subprocess.CompletedProcess[bytes]]]


@pytest.fixture
async def simulator() -> AsyncIterator[TelegramSimulator]:
    async with TelegramSimulator() as telegram:
        yield telegram


@pytest.fixture
def command(botkit_command, simulator: TelegramSimulator) -> Command:
    """Run `botkit telegram ...` for the simulator's bot; no output holds a token or a secret."""

    async def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
        given = {
            "TELEGRAM_BOT_TOKEN": simulator.bot_token,
            "TELEGRAM_API_BASE_URL": simulator.api_base_url,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            **variables,
        }
        done = await asyncio.to_thread(botkit_command.run, "telegram", *arguments, **given)
        for hidden in (simulator.bot_token, TOKEN, SECRET):
            assert hidden.encode() not in done.stdout + done.stderr
        return done

    return run


def refused(done: subprocess.CompletedProcess[bytes], reason: str) -> None:
    """One line, and no success."""
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"botkit: {reason}")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://bot.example.com",
        "https://bot.example.com/",
        "https://bot.example.com/telegram/webhook",
    ],
)
async def test_set_info_delete(command: Command, simulator: TelegramSimulator, url: str) -> None:
    whole = "https://bot.example.com/telegram/webhook"
    done = await command("set-webhook", url)
    assert (done.returncode, done.stdout.decode()) == (0, f"Telegram sends to {whole}\n")
    hook = simulator.deliveries.webhook
    assert hook is not None
    assert (hook.url, hook.secret) == (whole, SECRET)
    (called,) = await simulator.called("setWebhook")
    assert "callback_query" in called.arguments["allowed_updates"]

    assert json.loads((await command("info")).stdout)["url"] == whole

    assert (await command("delete")).stdout == b"the webhook is deleted\n"
    assert simulator.deliveries.webhook is None
    assert json.loads((await command("info")).stdout)["url"] == ""


@pytest.mark.parametrize("url", ["http://bot.example.com", "bot.example.com", "nonsense"])
async def test_telegram_takes_https_only(command: Command, simulator, url: str) -> None:
    done = await command("set-webhook", url)
    refused(done, "Telegram refuses: Bad webhook: an https url must be provided")
    assert simulator.deliveries.webhook is None


async def test_a_secret_is_needed_and_must_be_one(command: Command, simulator) -> None:
    done = await command("set-webhook", "https://a.example", TELEGRAM_WEBHOOK_SECRET="")
    refused(done, "set TELEGRAM_WEBHOOK_SECRET, here and where the bot runs")
    done = await command("set-webhook", "https://a.example", TELEGRAM_WEBHOOK_SECRET="not one!")
    assert b"not one!" not in done.stderr
    refused(done, "Telegram refuses: Secret token contains unallowed characters")
    assert simulator.deliveries.webhook is None


@pytest.mark.parametrize(
    "arguments", [("info",), ("delete",), ("set-webhook", "https://a.example")]
)
async def test_a_wrong_token(command: Command, arguments: tuple[str, ...]) -> None:
    done = await command(*arguments, TELEGRAM_BOT_TOKEN=TOKEN)
    refused(done, "Telegram refuses: the bot token is refused; @BotFather shows it")
    done = await command(*arguments, TELEGRAM_BOT_TOKEN="")
    refused(done, "set TELEGRAM_BOT_TOKEN: @BotFather gives it")


@pytest.mark.parametrize("token", ["nonsense", "123/../x:y", "1:a b", "1:a?x=y"])
async def test_what_is_no_token_is_not_sent(command: Command, simulator, token: str) -> None:
    done = await command("info", TELEGRAM_BOT_TOKEN=token)
    refused(done, "TELEGRAM_BOT_TOKEN: a token looks like 123456:ABC-DEF...")
    assert token.encode() not in done.stderr
    assert simulator.calls == []


@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-host.invalid"])
async def test_an_api_that_is_not_there(command: Command, host: str) -> None:
    done = await command("info", TELEGRAM_API_BASE_URL=f"http://user:{TOKEN}@{host}/bot")
    refused(done, f"{host} does not answer: no connection; try again, or see TELEGRAM_API_BASE_URL")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("drop_before", "127.0.0.1:"),
        ("5xx", "127.0.0.1:"),
        ("429", "Telegram is busy: too many requests; try again in 7 s"),
    ],
)
async def test_an_api_in_trouble(command: Command, simulator, kind, reason: str) -> None:
    simulator.faults.add("getWebhookInfo", kind, seconds=7)
    refused(await command("info"), reason)
    assert (await command("info")).returncode == 0


async def test_an_answer_that_is_no_answer(command: Command) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=f"<html>{request.path}</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/bot"
    done = await command("info", TELEGRAM_API_BASE_URL=base)
    await runner.cleanup()
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)


def test_the_manifest_is_printed_as_json(botkit_command) -> None:
    done = botkit_command.run("slack", "manifest", "--name", "Tea", "--command", "order")
    assert (done.returncode, done.stderr) == (0, b"")
    made = json.loads(done.stdout)
    assert made["display_information"]["name"] == "Tea"
    assert made["features"]["slash_commands"][0]["command"] == "/order"
    assert made["settings"]["socket_mode_enabled"] is True
