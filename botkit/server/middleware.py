"""What every request passes, outermost first: see :func:`middlewares`."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Iterable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from botkit.errors import AuthenticationError, CompletionError, InvalidRequestError
from botkit.server.connection import Connection
from botkit.server.failures import unexpected
from botkit.server.replies import error_reply, from_http_exception, http_error
from botkit.server.request_id import begin, elapsed_ms, request_id
from botkit.server.service import SERVICE

logger = logging.getLogger(__name__)

PUBLIC = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
"""Routes that need no key. Everything else does, unknown paths too."""


def middlewares(api_keys: Iterable[str]) -> list[Middleware]:
    """The whole order."""
    return [observe, answer_errors, authenticate(api_keys), limit_body]


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count, time and log each request: method, route, status and id, never its content."""
    begin(request)
    stats = request.app[SERVICE].stats
    stats.enter()
    connection = request.protocol
    if isinstance(connection, Connection):
        connection.head_arrived()
    status: int | str = "gone"
    try:
        response = await handler(request)
        status = response.status
        stats.served += 1
        return response
    except (asyncio.CancelledError, ConnectionError):
        stats.cancelled += 1
        raise
    finally:
        stats.leave()
        if isinstance(connection, Connection):
            connection.answered()
        logger.info(
            "%s %s %s %d ms %s",
            request.method,
            _path(request) or "an unknown path",
            status,
            elapsed_ms(request),
            request_id(request),
        )


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as OpenAI's JSON."""
    try:
        return await handler(request)
    except CompletionError as error:
        return error_reply(error)
    except web.HTTPException as error:
        return from_http_exception(request, error)
    except Exception as error:
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError("the client has gone") from error
        return error_reply(unexpected(request, error))


def authenticate(api_keys: Iterable[str]) -> Middleware:
    """Ask for one of ``api_keys`` as a bearer token; with none, let everyone in."""
    digests = [_digest(key) for key in api_keys]

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not digests or _is_public(request):
            return await handler(request)
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise AuthenticationError(
                "You didn't provide an API key. Send it in the Authorization header as "
                "'Authorization: Bearer YOUR_KEY'.",
            )
        shown = _digest(key.strip())
        # Every key is compared, in constant time: the time taken says nothing about any of them.
        matches = [hmac.compare_digest(shown, digest) for digest in digests]
        if not any(matches):
            raise AuthenticationError("Incorrect API key provided.")
        return await handler(request)

    return check


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _is_public(request: web.Request) -> bool:
    return _path(request) in PUBLIC or _is_open(request)


def _is_open(request: web.Request) -> bool:
    """Whether the handler itself finds out who is calling."""
    return _path(request) in request.app[SERVICE].open_paths


def _path(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


@web.middleware
async def limit_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the body, bounded in kind, size and time; handlers then find it in memory."""
    if request.match_info.http_exception is not None or request.method != hdrs.METH_POST:
        return await handler(request)
    if _path(request) in request.app[SERVICE].raw_paths:
        return await handler(request)
    limits = request.app[SERVICE].limits
    if (request.content_length or 0) > limits.body_bytes:
        return http_error(413, _too_large(limits.body_bytes), code="request_too_large", close=True)
    if not _is_open(request) and (refused := _refused_kind(request)) is not None:
        return refused
    try:
        async with asyncio.timeout(limits.body_seconds):
            await request.read()
    except TimeoutError:
        message = f"The request body did not arrive within {limits.body_seconds:g} s."
        return http_error(408, message, code="request_timeout", close=True)
    except web.HTTPRequestEntityTooLarge:
        return http_error(413, _too_large(limits.body_bytes), code="request_too_large", close=True)
    except web.RequestPayloadError:
        raise InvalidRequestError(
            "The request body could not be read: it is cut short or not encoded as its "
            "headers say.",
            code="invalid_body",
        ) from None
    return await handler(request)


def _too_large(limit: int) -> str:
    return f"The request body is larger than {limit} bytes."


_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


def _refused_kind(request: web.Request) -> web.Response | None:
    """A 415 when the body is neither JSON nor of an encoding understood here.

    Asking for a JSON content type also keeps other sites' pages out: a browser sends such a
    request across origins only after a permission that this server never gives.
    """
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
    if encoding not in _ENCODINGS:
        message = "Unsupported content encoding; send the body as it is, or as gzip or deflate."
        return http_error(415, message, code="unsupported_content_encoding", close=True)
    declared = hdrs.CONTENT_TYPE in request.headers
    kind = request.content_type
    if declared and kind != "application/json" and not kind.endswith("+json"):
        message = "Unsupported content type; this API accepts 'application/json'."
        return http_error(415, message, code="unsupported_content_type", close=True)
    return None
