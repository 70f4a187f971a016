"""What a request says about sampling when the user says nothing, or a part."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from botkit.completion import ChatCompletionRequest, Model
from botkit.completion.defaults import LIKELIEST, VARIED
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.text import TextCompletionRequest


class Foreign(ScriptedCompletion):
    """An endpoint whose models botkit knows nothing about."""

    async def models(self) -> Sequence[Model]:
        return [model.model_copy(update={"owned_by": "else"}) for model in await super().models()]


class Asked:
    """Replies, and keeps what every request said about sampling."""

    def __init__(self) -> None:
        self.fields: list[dict[str, float]] = []

    def __call__(self, request: ChatCompletionRequest | TextCompletionRequest) -> str:
        said = request.model_dump(exclude_unset=True)
        names = ("temperature", "top_p", "frequency_penalty", "seed")
        self.fields.append({name: said[name] for name in names if name in said})
        return "ok"


@pytest.mark.parametrize("named", [[], ["--model", "scripted"]])
@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ([], LIKELIEST),
        (["--seed", "7"], {**VARIED, "seed": 7}),
        (["--temperature", "1"], {"temperature": 1}),
    ],
)
def test_a_model_in_botkit_is_asked_for_the_likeliest(
    botkit_command, serve, named: list[str], options: list[str], sent: dict[str, float]
) -> None:
    asked = Asked()
    address = serve(ScriptedCompletion(replies=asked))
    done = botkit_command.run("chat", "--url", address, *named, *options, "hello")
    assert done.returncode == 0
    assert asked.fields == [sent]


def test_other_models_are_told_nothing(botkit_command, serve) -> None:
    asked = Asked()
    address = serve(Foreign(replies=asked))
    assert botkit_command.run("chat", "--url", address, "hello").returncode == 0
    assert asked.fields == [{}]


def test_an_answer_again_is_another(botkit_command, serve) -> None:
    asked = Asked()
    address = serve(ScriptedCompletion(replies=asked))
    terminal = botkit_command.terminal("chat", "--url", address)
    for line in ("hello", "/retry", "more"):
        terminal.expect_exact("> ")
        terminal.sendline(line)
        terminal.expect_exact("ok")
    terminal.close()
    assert asked.fields == [LIKELIEST, VARIED, LIKELIEST]
