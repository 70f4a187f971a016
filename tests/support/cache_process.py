"""A process of its own with a reply cache: asks what its standard input tells.

``ask TEXT`` asks, ``hold`` and ``go`` stop and free the model, ``forget`` forgets the person who
asks. Lines of JSON say what happened.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import aclosing

from botkit.cache import Asker, MemoryReplies, Outcome, ReplyCache, SharedReplies, person
from botkit.completion.cached import CachedCompletion
from botkit.completion.chat import ChatCompletionRequest
from botkit.completion.messages import message_text
from botkit.completion.scripted import ScriptedCompletion
from botkit.metrics import Metrics
from botkit.redis_link import RedisLink

PLATFORM, SENDER = "stage", "u1"
SECONDS = 60.0
LOCK_SECONDS = 1.0
PATIENCE = 2.0
"""Seconds: a Redis on a slow machine is not away."""


def answer(text: str) -> str:
    """What the model says to a text."""
    return f"the answer to {text}"


def question(text: str) -> ChatCompletionRequest:
    return ChatCompletionRequest.model_validate(
        {
            "model": "scripted",
            "messages": [{"role": "user", "content": text}],
            "temperature": 0.0,
            "stream": True,
        }
    )


class CacheUser:
    """One cache and its model."""

    def __init__(self, url: str, *, lock_seconds: float = LOCK_SECONDS) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.model = ScriptedCompletion(
            lambda request: answer(message_text(request.messages[-1])),  # type: ignore[union-attr]
            gate=self.gate,
        )
        self.link = RedisLink(url, Metrics(), patience=PATIENCE)
        self.memory = MemoryReplies(1 << 20)
        shared = SharedReplies(self.link, SECONDS, lock_seconds=lock_seconds)
        self.cache = ReplyCache(self.memory, shared, Metrics(), SECONDS)

    async def ask(self, text: str, who: str = SENDER, scope: str = "") -> tuple[str, str]:
        """The answer, and where it came from."""
        outcomes: list[Outcome] = []
        asker = Asker(scope, (person(PLATFORM, who),))
        cached = CachedCompletion(self.model, self.cache, lambda: asker, outcomes.append)
        said = ""
        async with aclosing(cached.stream(question(text))) as chunks:
            async for chunk in chunks:
                said += "".join(choice.delta.content or "" for choice in chunk.choices)
        return said, outcomes[0]

    async def settle(self) -> None:
        """Wait until nothing goes on in the background."""
        while tasks := self.cache._background:
            await asyncio.wait(set(tasks))

    async def aclose(self) -> None:
        await self.cache.aclose()
        await self.link.aclose()


async def main(url: str) -> None:
    user = CacheUser(url)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()

    async def ask(text: str) -> None:
        said, outcome = await user.ask(text)
        await user.settle()
        tell(text=said, outcome=outcome, started=user.model.counts.started)

    tell(ready=True)
    while line := (await reader.readline()).decode().strip():
        word, _, text = line.partition(" ")
        if word == "ask":
            tasks.add(asyncio.create_task(ask(text)))
        elif word == "hold":
            user.gate.clear()
            tell(held=True)
        elif word == "running":
            while not user.model.counts.running:  # noqa: ASYNC110 - counts signal nobody
                await asyncio.sleep(0.005)
            tell(running=user.model.counts.running)
        elif word == "go":
            user.gate.set()
        elif word == "forget":
            await user.cache.forget(PLATFORM, SENDER)
            tell(forgotten=True)
    await user.aclose()


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
