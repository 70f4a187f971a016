"""What the usual middleware adds to a turn, and whether a long conversation makes turns dearer."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from telegram_stub import HEADERS, Sends, update
from webhook_bots import botkit

from botkit.bot import Bot
from botkit.completion import ChatCompletionChunk, ChatCompletionRequest, ChunkChoice, Delta
from botkit.completion.model import Model
from botkit.completion.usage import usage
from botkit.middleware import tidy

TURNS = 200
UNLIMITED = {"limit_user": "off"}


class Stub:
    """Answers at once, and notes how long its prompts were; costs the same for every prompt."""

    def __init__(self) -> None:
        self.prompts: list[int] = []
        self.ready = True

    async def start(self) -> None:
        """Nothing to start."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def models(self) -> Sequence[Model]:
        """The one model."""
        return [Model(id="stub", created=1, owned_by="botkit")]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A token is four characters."""
        return [len(text) // 4 for text in texts]

    async def stream(self, request: ChatCompletionRequest) -> AsyncIterator[ChatCompletionChunk]:
        """The last message, in one piece."""
        self.prompts.append(len(request.messages))
        text = str(request.messages[-1].content)
        chunk = ChatCompletionChunk(id="c", created=1, model="stub", choices=[])
        for delta, reason in ((Delta(role="assistant", content=text), None), (Delta(), "stop")):
            choice = ChunkChoice(index=0, delta=delta, finish_reason=reason)  # type: ignore[arg-type]
            yield chunk.model_copy(update={"choices": [choice]})
        if request.include_usage:
            yield chunk.model_copy(update={"usage": usage(10, 10)})


async def turns(
    home: Path, count: int, chats: int, bot: Bot | None = None, **settings: Any
) -> list[float]:
    """Milliseconds from webhook to send, of ``count`` turns in ``chats`` conversations in turn."""
    sends, found = Sends(), []
    served = botkit(
        "sqlite:///:memory:", home, sends, bot, completion=Stub(), **UNLIMITED, **settings
    )
    async with served as url, aiohttp.ClientSession() as session:
        for number in range(1, count + 1):
            said = update(number, number % chats + 1)
            text = f"Where is my order number {number}, please? It should be here by now."
            said["message"]["text"] = text
            began = time.perf_counter()
            async with session.post(url, json=said, headers=HEADERS):
                pass
            async with asyncio.timeout(10):
                found.append(1e3 * (await sends.sent(text) - began))
            await asyncio.sleep(0.001)
    return found


def added(home: Path, rounds: int, redis_url: str | None) -> tuple[list[float], list[float]]:
    """Milliseconds of turns with next to no middleware, and with the usual one."""
    bare: list[float] = []
    usual: list[float] = []
    for _ in range(rounds):
        bare += asyncio.run(turns(home, 200, 20, Bot(middleware=[tidy])))[50:]
        usual += asyncio.run(turns(home, 200, 20, redis_url=redis_url))[50:]
    return bare, usual


def long_conversation(home: Path, rounds: int) -> tuple[float, float]:
    """Median milliseconds of turn 20 and of turn 200, with their neighbours."""
    early: list[float] = []
    late: list[float] = []
    for _ in range(rounds):
        times = asyncio.run(turns(home, TURNS + 5, 1))
        early += times[15:25]
        late += times[TURNS - 5 : TURNS + 5]
    return statistics.median(early), statistics.median(late)
