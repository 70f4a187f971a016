"""Bots that repeat what they hear, behind a webhook: botkit, and chat-sdk beside it.

The network to Telegram is stubbed in both, so that what remains is the framework: HTTP, parsing,
whatever it keeps, the handler, and rendering.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web
from loopback import loopback
from telegram_stub import SECRET, TOKEN, Sends

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.plugins import load_adapters
from botkit.server import create_app
from botkit.server.listen import listening
from botkit.settings import Settings
from botkit_adapters.telegram.calls import Calls


@contextlib.asynccontextmanager
async def botkit(
    database: str,
    home: Path,
    sends: Sends,
    bot: Bot | None = None,
    completion: Any = None,
    **settings: Any,
) -> AsyncIterator[str]:
    """botkit with its store in ``database``; where its webhook is. ``completion`` answers, or a
    scripted one that repeats what was said."""
    loaded = Settings.load(
        home=home,
        database_url=database,
        completion="echo",
        telegram_bot_token=TOKEN,
        telegram_webhook_secret=SECRET,
        **settings,
    )
    Calls.call = lambda self, *given, **named: sends.call(*given, **named)  # type: ignore[method-assign, assignment]
    completion = completion or ScriptedCompletion(lambda request: str(request.messages[-1].content))
    application = (bot or Bot()).application(loaded, completion, load_adapters(loaded))
    # The pace that Telegram asks for is not what is measured.
    application.adapters["telegram"].pace = _at_once  # type: ignore[method-assign]
    await completion.start()
    await application.open()
    app = create_app(completion, open_routes=application.open_routes, routes=application.routes)
    try:
        async with listening(app, companion=application) as address:
            await application.start()
            application.ready()
            yield f"{address}/telegram/webhook"
    finally:
        await application.aclose()


async def _at_once(outgoing: Any) -> None:
    return None


def has_chat_sdk() -> bool:
    """Whether ``pip install chat-sdk`` was run here."""
    return importlib.util.find_spec("chat_sdk") is not None


@contextlib.asynccontextmanager
async def chat_sdk(sends: Sends) -> AsyncIterator[str]:
    """chat-sdk with its state in memory; where its webhook is."""
    from chat_sdk import Chat, MemoryStateAdapter
    from chat_sdk.adapters.telegram import create_telegram_adapter
    from chat_sdk.adapters.telegram.types import TelegramAdapterConfig

    config = TelegramAdapterConfig(bot_token=TOKEN, secret_token=SECRET, mode="webhook")
    adapter = create_telegram_adapter(config)
    adapter.telegram_fetch = sends.call
    chat = Chat(adapters={"telegram": adapter}, state=MemoryStateAdapter(), user_name="bench_bot")

    @chat.on_direct_message
    async def repeat(thread: Any, message: Any, *rest: Any) -> None:
        await thread.post(message.text)

    await chat.initialize()

    async def webhook(request: web.Request) -> web.Response:
        answer = await adapter.handle_webhook(request)
        return web.Response(status=answer["status"], text=answer["body"])

    app = web.Application()
    app.router.add_post("/telegram/webhook", webhook)
    async with loopback(app) as root:
        yield f"{root}/telegram/webhook"
