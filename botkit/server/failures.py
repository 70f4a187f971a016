"""Errors that nobody foresaw."""

from __future__ import annotations

import logging
import traceback

from aiohttp import web

from botkit.errors import CompletionError
from botkit.server.request_id import request_id

logger = logging.getLogger(__name__)


def unexpected(request: web.Request, error: Exception) -> CompletionError:
    """Log where ``error`` arose; what the client gets to know is the request's id.

    The error's own text may quote a message and is not logged.
    """
    logger.error(
        "request %s failed: %s\n%s",
        request_id(request),
        type(error).__name__,
        "".join(traceback.format_tb(error.__traceback__)),
    )
    return CompletionError(
        "The server had an error while processing your request. "
        f"(request id: {request_id(request)})",
        code="internal_error",
    )
