"""Reading what a page sends, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from botkit.server import SERVICE
from botkit_adapters.web.refusals import RefusalError, invalid

Id = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""What something is called: no control characters, which no database would find either."""

BodyT = TypeVar("BodyT", bound=BaseModel)

JSON_BYTES = 64 << 10
"""For everything that is no text of the visitor's."""

ESCAPED_BYTES = 12
"""A character in JSON at most: two escaped halves."""


async def read_body(
    request: web.Request, limit: int, too_large: Callable[[], RefusalError]
) -> bytes:
    """The body, of at most ``limit`` bytes; of a larger one no more than that is read.

    Raises:
        RefusalError: It is too large, too slow, or cut short.
    """
    if (request.content_length or 0) > limit:
        raise too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(request.app[SERVICE].limits.body_seconds):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > limit:
                    raise too_large()
    except TimeoutError:
        message = "That took too long to arrive. Please try again."
        raise RefusalError(408, "invalid_request", message, close=True) from None
    except web.RequestPayloadError:
        raise invalid("That did not arrive whole. Please try again.") from None
    return bytes(body)


async def read_json(request: web.Request, kind: type[BodyT], characters: int = 0) -> BodyT:
    """The body, as ``kind``; an empty one is an object without fields.

    Args:
        request: What was sent.
        kind: The model.
        characters: How long a text in it may be.

    Raises:
        RefusalError: It is something else.
    """

    def too_large() -> RefusalError:
        return too_long(characters)

    body = await read_body(request, JSON_BYTES + ESCAPED_BYTES * characters, too_large)
    try:
        return kind.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise invalid(f"{where}: {first['msg']}" if where else first["msg"]) from None


def too_long(characters: int) -> RefusalError:
    """More was said at once than is answered."""
    message = f"That is too long. Could you say it in {characters:,} characters at most?"
    return RefusalError(413, "message_too_long", message, close=True, limit=characters)
