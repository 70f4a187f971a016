"""The real model over thirty turns: what was told first is known last, and can be erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from local_model import LocalServer
from redis_server import RedisServer

from botkit.completion import ChatCompletionRequest, Completion
from botkit.completion.remote import remote_completion
from botkit.memory.summary import Summary
from botkit.settings import Settings
from botkit.testing.served import ServedBot, serving
from botkit.testing.telegram import TelegramSimulator
from botkit.testing.telegram.people import Person

BUDGET = 240
BESIDE = 90
"""Tokens of the prompt besides the history: instructions, what is said now, and the template."""

FACTS = ("My name is Ada and I live in Lisbon.", "My dog is called Rex.")
QUESTIONS = (
    "what is the capital of France?",
    "what do bees eat?",
    "why is the sky blue?",
    "what is bread made of?",
    "how do I boil an egg?",
)


class Listening:
    """A completion that notes what the model was shown, and has it answer in one sentence."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self.shown: list[str] = []
        self.prompt_tokens: list[int] = []
        self.summaries = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._completion, name)

    async def stream(self, request: ChatCompletionRequest) -> AsyncIterator[Any]:
        text = "\n".join(f"{each.role}: {each.content}" for each in request.messages)
        summing_up = "Sum up this conversation" in text
        self.summaries += summing_up
        if not summing_up:
            self.shown.append(text)
            request = request.model_copy(update={"stop": [".", "\n"], "max_tokens": 40})
        async for chunk in self._completion.stream(request):
            if chunk.usage is not None and not summing_up:
                self.prompt_tokens.append(chunk.usage.prompt_tokens)
            yield chunk


@pytest.fixture
async def model(local_server: LocalServer) -> AsyncIterator[Listening]:
    settings = Settings.load(
        completion="openai", openai_base_url=f"{local_server.url}/v1", openai_api_key="none"
    )
    completion = Listening(remote_completion(settings))
    yield completion
    await completion.aclose()


async def converse(bot: ServedBot, telegram: TelegramSimulator, ada: Person, turns: int) -> None:
    for number in range(turns):
        said = FACTS[number] if number < len(FACTS) else QUESTIONS[number % len(QUESTIONS)]
        ada.send(said)
        await telegram.replies(ada.chat, 1, within=120)
        await bot.application.kit.idle()


async def test_thirty_turns_and_then_nothing(
    tmp_path: Path, model: Listening, redis_server: RedisServer
) -> None:
    async with (
        TelegramSimulator() as telegram,
        serving(
            telegram=telegram,
            completion=model,  # type: ignore[arg-type]
            home=tmp_path,
            history_tokens=BUDGET,
            redis_url=redis_server.url,
            quality_attempts=1,
        ) as bot,
    ):
        ada = telegram.user("Ada")
        ada.send("/memory on")
        await telegram.replies(ada.chat, 1)
        await converse(bot, telegram, ada, 30)
        for fact in FACTS:
            assert fact in model.shown[-1], "told in the first turns"
        assert model.summaries >= 3
        assert max(model.prompt_tokens) <= BUDGET + BESIDE
        (kept,) = await bot.application.store.conversations()
        export = await bot.application.store.export(kept.conversation)
        assert export is not None
        assert not Summary.from_json(export["summary"]).empty

        ada.send("/reset")
        await telegram.replies(ada.chat, 1)
        ada.send("hello")
        await telegram.replies(ada.chat, 1, within=120)
        assert "capital of France" not in model.shown[-1]
        assert FACTS[0] in model.shown[-1], "the profile is the person's, not the conversation's"

        assert _holding(tmp_path), "the search below could not fail"
        assert _in_redis(redis_server)
        ada.send("/forget")
        await telegram.replies(ada.chat, 1)
        await bot.idle()
        assert await bot.application.store.conversations() == [], "gone with the farewell"
        assert _holding(tmp_path) == []
        assert not _in_redis(redis_server)
        ada.send("who am I?")
        await telegram.replies(ada.chat, 1, within=120)
        assert "Lisbon" not in model.shown[-1]


def _holding(folder: Path) -> list[str]:
    """The database's files, its write-ahead log among them, that hold what Ada said."""
    files = [each for each in folder.iterdir() if each.is_file()]
    return [each.name for each in files if b"Lisbon" in each.read_bytes()]


def _in_redis(server: RedisServer) -> list[bytes]:
    """Keys whose values hold anything that was asked or answered."""
    read = {
        b"string": server.client.get,
        b"hash": server.client.hgetall,
        b"set": server.client.smembers,
        b"zset": lambda key: server.client.zrange(key, 0, -1),
    }
    words = ("Lisbon", "bees", "Paris", "France", "egg")
    found = []
    for key in server.client.keys("*"):
        text = str(read[server.client.type(key)](key))
        if any(word in text for word in words):
            found.append(key)
    return found
