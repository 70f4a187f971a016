"""Server-sent events as OpenAI sends them.

Source: WHATWG HTML, "Server-sent events"; OpenAI API reference, "Streaming responses".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from aiohttp import web

from botkit.completion import ChatCompletionChunk, TextCompletion
from botkit.completion.closing import close
from botkit.completion.deadline import in_time
from botkit.errors import CompletionError
from botkit.server.failures import unexpected
from botkit.server.replies import error_body
from botkit.server.service import SERVICE

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    # A buffering proxy (nginx) would hold the events back until the reply is whole.
    "X-Accel-Buffering": "no",
}
DONE = "[DONE]"


async def send_events(
    request: web.Request,
    chunks: AsyncIterator[ChatCompletionChunk] | AsyncIterator[TextCompletion],
    *,
    include_usage: bool,
    deadline: float | None = None,
) -> web.StreamResponse:
    """Send each chunk as it comes, then ``[DONE]``.

    The status goes out with the first chunk, so that an error before it is an ordinary HTTP error.
    A later error is sent as an event and ends the stream; that ``deadline`` seconds are over is
    one. The iterator is closed in any case, at once when the client has gone.
    """
    began = asyncio.get_running_loop().time()
    async with aclosing(_events(chunks, include_usage)) as events:
        async with in_time(deadline, began):
            first = await anext(events, DONE)
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await _send(request, response, first)
        if first == DONE:
            return response
        try:
            async with in_time(deadline, began):
                async for event in events:
                    await _send(request, response, event)
        except CompletionError as error:
            await _send(request, response, error_body(error))
        except ConnectionError:
            raise
        except Exception as error:
            await _send(request, response, error_body(unexpected(request, error)))
        else:
            await _send(request, response, DONE)
    return response


async def _events(
    chunks: AsyncIterator[ChatCompletionChunk] | AsyncIterator[TextCompletion],
    include_usage: bool,
) -> AsyncGenerator[str, None]:
    """Chunks as JSON; with ``include_usage`` every chunk but the last says ``"usage": null``."""
    try:
        async for chunk in chunks:
            if include_usage and chunk.usage is None:
                yield chunk.model_copy(update={"usage": None}).to_json()
            else:
                yield chunk.to_json()
    finally:
        await close(chunks)


async def _send(request: web.Request, response: web.StreamResponse, data: str) -> None:
    await write(request, response, f"data: {data}\n\n".encode())


async def write(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Send; a client that takes nothing for long is let go.

    Raises:
        ConnectionResetError: It was, or has gone.
    """
    limit = request.app[SERVICE].limits.write_seconds
    try:
        async with asyncio.timeout(limit):
            await response.write(data)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError(f"the client took nothing for {limit} s") from None
