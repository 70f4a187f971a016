"""Asking a completion from the terminal: one conversation, one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import click

from botkit.cli.conversation import Conversation
from botkit.completion import ChatCompletionRequest, Completion, Model
from botkit.completion.defaults import sampling
from botkit.completion.parse import invalid_request
from botkit.errors import CompletionError, CompletionUnavailableError

# A reply must not be able to move the cursor, set the title or write to the clipboard.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Outcome:
    """How a reply ended: its text so far, whether Ctrl-C stopped it, and whether it was cut."""

    text: str
    stopped: bool = False
    cut: bool = False


class Talk:
    """Streams replies to stdout. Use as a context manager: it starts and closes the completion.

    The loop runs only while something is awaited, so that reading a line may block; Ctrl-C
    cancels the reply being written, and with it the generation.

    Args:
        completion: Who answers; it is started here.
        model: The model to name in requests, or None for the first that the completion lists.
        options: Parameters that the user chose, by wire name; :mod:`botkit.completion.defaults`.
    """

    def __init__(
        self, completion: Completion, model: str | None, options: Mapping[str, Any]
    ) -> None:
        self._completion = completion
        self._model = model
        self._served: Model | None = None
        self._options = dict(options)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        try:
            with _notice("waking the model ..."):
                self._runner.run(self._open())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def model(self) -> str:
        """The model that answers."""
        return self._model or ""

    def reply(self, conversation: Conversation, *, again: bool = False) -> Outcome:
        """Stream the reply to what the conversation holds; Ctrl-C ends it early.

        Args:
            conversation: Ends with the question.
            again: Another reply than before is wanted.

        Raises:
            CompletionError: The request failed; text may have been printed before.
        """
        parts: list[str] = []
        try:
            reason = self._runner.run(self._stream(conversation, parts, again))
        except KeyboardInterrupt:
            return Outcome("".join(parts), stopped=True)
        finally:
            if parts and not parts[-1].endswith("\n"):
                click.echo()
        return Outcome("".join(parts), cut=reason == "length")

    async def _open(self) -> None:
        await self._completion.start()
        if self._model is None:
            served = await self._completion.models()
            if not served:
                raise CompletionUnavailableError("the endpoint lists no model; name one: --model")
            self._served, self._model = served[0], served[0].id
            return
        # An endpoint need not list its models to answer for one.
        with contextlib.suppress(CompletionError):
            listed = {model.id: model for model in await self._completion.models()}
            self._served = listed.get(self._model)

    def _close(self) -> None:
        try:
            self._runner.run(self._completion.aclose())
        finally:
            self._runner.close()

    async def _stream(
        self, conversation: Conversation, parts: list[str], again: bool
    ) -> str | None:
        """Print and collect the reply's text; returns the finish reason."""
        while True:
            try:
                return await self._stream_once(self._request(conversation, again), parts)
            except CompletionError as error:
                full = error.code == "context_length_exceeded" and not parts
                if not (full and conversation.forget_oldest()):
                    raise

    async def _stream_once(self, request: ChatCompletionRequest, parts: list[str]) -> str | None:
        reason: str | None = None
        async for chunk in self._completion.stream(request):
            for choice in chunk.choices:
                reason = choice.finish_reason or reason
                if choice.delta.content:
                    parts.append(choice.delta.content)
                    click.echo(printable(choice.delta.content), nl=False)
        return reason

    def _request(self, conversation: Conversation, again: bool) -> ChatCompletionRequest:
        from pydantic import ValidationError

        try:
            return ChatCompletionRequest(
                model=self.model,
                messages=conversation.messages(),
                stream=True,
                **sampling(self._options, self._served, again=again),
            )
        except ValidationError as error:
            raise invalid_request(error) from None


def printable(text: str) -> str:
    """On a terminal, the text without control characters; into a file or pipe, as it is."""
    return _CONTROL.sub("", text) if sys.stdout.isatty() else text


class _notice:  # noqa: N801 - reads as a function at its use
    """A line on the terminal's stderr that goes away when the block ends."""

    def __init__(self, text: str) -> None:
        self._text = text if sys.stderr.isatty() else ""

    def __enter__(self) -> None:
        if self._text:
            click.echo(self._text, nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        if self._text:
            click.echo("\r" + " " * len(self._text) + "\r", nl=False, err=True)
