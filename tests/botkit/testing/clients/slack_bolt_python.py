"""An app written with Bolt for Python, as its guide shows them: over HTTP or in Socket Mode."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

url, bot_token, app_token, secret, mode = sys.argv[1:]
app = AsyncApp(client=AsyncWebClient(bot_token, url), signing_secret=secret)


@app.message("hello")
async def hello(message: dict[str, Any], say: Any) -> None:
    press = {"type": "plain_text", "text": "Press"}
    accessory = {"type": "button", "text": press, "action_id": "press"}
    text = {"type": "mrkdwn", "text": f"Hey there <@{message['user']}>!"}
    section = {"type": "section", "text": text, "accessory": accessory}
    await say(blocks=[section], text="Hey there!")


@app.action("press")
async def press(body: dict[str, Any], ack: Any, say: Any, respond: Any) -> None:
    await ack()
    await respond("you pressed it", replace_original=True)
    await say(f"<@{body['user']['id']}> pressed")


@app.command("/echo")
async def echo(ack: Any, respond: Any, command: dict[str, Any]) -> None:
    await ack(f"at once: {command['text']}")
    await respond(f"later: {command['text']}")


@app.event("app_mention")
async def mentioned(event: dict[str, Any], say: Any) -> None:
    await say("you called", thread_ts=event["ts"])


@app.event({"type": "message", "subtype": "file_share"})
async def file(event: dict[str, Any], say: Any) -> None:
    headers = {"Authorization": f"Bearer {bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(event["files"][0]["url_private_download"]) as response,
    ):
        await say(f"{len(await response.read())} bytes")


@app.event("message")
async def other() -> None:
    """Everything else is nobody's business."""


async def main() -> None:
    if mode == "socket":
        await AsyncSocketModeHandler(app, app_token).connect_async()
        print("ready", flush=True)
    else:
        runner = web.AppRunner(app.web_app("/slack/events"))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print("ready", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
