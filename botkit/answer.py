"""``turn.ask()``: the model's answer, awaited whole or iterated as it is written."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import Any

from botkit.completion import ChatCompletionRequest, Completion, Message
from botkit.errors import ContextLengthError


class Asking:
    """How a bot asks its completion.

    Args:
        completion: Who answers.
        ready: Returns once it can.
        defaults: Request fields by wire name, as ``temperature``.
        model: The model to name; None for the first that the completion lists.
    """

    def __init__(
        self,
        completion: Completion,
        ready: Callable[[], Awaitable[None]],
        defaults: Callable[[Any], Mapping[str, Any]],
        model: str | None = None,
    ) -> None:
        self._completion = completion
        self._ready = ready
        self._defaults = defaults
        self._model = model

    async def stream(
        self, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> AsyncIterator[str]:
        """The reply to ``messages`` in pieces.

        While it does not fit the model's context, the oldest messages that are not instructions
        are left out, a half at a time.

        Raises:
            CompletionError: The request failed.
        """
        await self._ready()
        kept = list(messages)
        while True:
            request = await self._request(kept, options)
            try:
                async with aclosing(_closable(self._completion.stream(request))) as chunks:
                    async for piece in chunks:
                        yield piece
                return
            except ContextLengthError:
                shorter = without_oldest(kept)
                if len(shorter) == len(kept):
                    raise
                kept = shorter

    async def _request(
        self, messages: list[Message], options: Mapping[str, Any]
    ) -> ChatCompletionRequest:
        served = await self._completion.models()
        model = next((each for each in served if each.id == self._model), None)
        if model is None and self._model is None and served:
            model = served[0]
        name = model.id if model is not None else self._model or "default"
        fields = {**self._defaults(model), **options}
        return ChatCompletionRequest(model=name, messages=messages, stream=True, **fields)


async def _closable(chunks: AsyncIterator[Any]) -> AsyncGenerator[str, None]:
    """The text of a stream; closing it closes the stream, and with it the generation."""
    try:
        async for chunk in chunks:
            for choice in chunk.choices:
                if choice.delta.content:
                    yield choice.delta.content
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


def without_oldest(messages: Sequence[Message]) -> list[Message]:
    """Half of the messages before the last one, instructions kept; the same when none can go."""
    fixed = [each for each in messages[:-1] if each.role in ("system", "developer")]
    rest = [each for each in messages[:-1] if each.role not in ("system", "developer")]
    return [*fixed, *rest[(len(rest) + 1) // 2 :], messages[-1]]


class Answer:
    """Await it for the whole text, or iterate it for pieces; either asks the model once."""

    def __init__(self, pieces: Callable[[], AsyncIterator[str]]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[str]:
        return self._pieces()

    def __await__(self) -> Generator[Any, None, str]:
        return self._whole().__await__()

    async def _whole(self) -> str:
        return "".join([piece async for piece in self._pieces()])
