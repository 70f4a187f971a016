"""The real model on simulated platforms: answered, streamed, with memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from local_model import LocalServer

from botkit.completion import ChatCompletionRequest, Completion
from botkit.completion.remote import remote_completion
from botkit.settings import Settings
from botkit.testing.served import serving
from botkit.testing.slack import SlackSimulator
from botkit.testing.telegram import TelegramSimulator


class Listening:
    """A completion that notes what the model was shown."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self.shown: list[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._completion, name)

    async def stream(self, request: ChatCompletionRequest) -> AsyncIterator[Any]:
        short = request.model_copy(update={"max_tokens": 64})
        self.shown.append([f"{each.role}: {each.content}" for each in request.messages])
        async for chunk in self._completion.stream(short):
            yield chunk


@pytest.fixture
async def model(local_server: LocalServer) -> AsyncIterator[Listening]:
    settings = Settings.load(
        completion="openai", openai_base_url=f"{local_server.url}/v1", openai_api_key="none"
    )
    completion = Listening(remote_completion(settings))
    yield completion
    await completion.aclose()


def remembers(model: Listening, answer: str) -> None:
    """The second question came with the first and its answer."""
    assert model.shown[-1] == [
        "user: my name is Ada",
        f"assistant: {answer}",
        "user: what is my name?",
    ]


@pytest.mark.parametrize("socket_mode", [False, True])
async def test_slack(tmp_path: Path, model: Listening, socket_mode: bool) -> None:
    async with (
        SlackSimulator() as slack,
        serving(slack=slack, socket_mode=socket_mode, completion=model, home=tmp_path),  # type: ignore[arg-type]
    ):
        ada, general = slack.user("Ada"), slack.channel("general")
        ada.say("my name is Ada")
        (first,) = await slack.replies(ada.channel, 1, within=120)
        ada.say("what is my name?")
        await slack.replies(ada.channel, 1, within=120)
        remembers(model, first.text)
        asked = ada.say(f"{slack.bot} my name is Ada", channel=general)
        (second,) = await slack.replies(general, 1, thread=asked.ts, within=120)
        assert second.text == first.text
        ada.say("what is my name?", channel=general, thread=asked.ts)
        await slack.replies(general, 1, thread=asked.ts, within=120)
        remembers(model, second.text)
        assert await slack.called("chat.startStream")


@pytest.mark.parametrize("polling", [False, True])
async def test_telegram(tmp_path: Path, model: Listening, polling: bool) -> None:
    async with (
        TelegramSimulator() as telegram,
        serving(telegram=telegram, polling=polling, completion=model, home=tmp_path),  # type: ignore[arg-type]
    ):
        ada, group = telegram.user("Ada"), telegram.group("Team")
        ada.send("my name is Ada")
        await telegram.replies(ada.chat, 1, within=120)
        ada.send("what is my name?")
        await telegram.replies(ada.chat, 1, within=120)
        remembers(model, model.shown[-1][1].removeprefix("assistant: "))
        ada.send("@test_bot my name is Ada", chat=group)
        await telegram.replies(group, 1, within=120)
        ada.send("@test_bot what is my name?", chat=group)
        await telegram.replies(group, 1, within=120)
        remembers(model, model.shown[-1][1].removeprefix("assistant: "))
        assert ada.chat.drafts
