"""Exceptions of the ``openai`` SDK as :mod:`botkit.errors`, keeping what a client needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botkit.errors import (
    AuthenticationError,
    CompletionError,
    CompletionUnavailableError,
    DeadlineExceededError,
    InvalidRequestError,
    OverloadedError,
)

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAIError

UNREACHABLE = "The endpoint cannot be reached, or the connection to it broke."


class RemoteError(CompletionError):
    """An endpoint's error of a status that has no class of its own."""

    def __init__(
        self, message: str, *, status: int, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, param=param, code=code)
        self.status = status
        self.type = "server_error" if status >= 500 else "invalid_request_error"


def from_sdk(error: OpenAIError) -> CompletionError:
    """The same failure in our words: status, ``param``, ``code`` and ``Retry-After`` are kept."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return _from_status(error)
    if isinstance(error, openai.APITimeoutError):
        return DeadlineExceededError("The endpoint did not answer in time.")
    if isinstance(error, openai.APIConnectionError):
        return CompletionUnavailableError(UNREACHABLE)
    if isinstance(error, openai.APIError):
        # An error event in the middle of a stream.
        return _from_event(error)
    return RemoteError("The endpoint's answer could not be read.", status=502)


def _from_status(error: APIStatusError) -> CompletionError:
    status, message = error.status_code, _message(error)
    param, code = _text(error.param), _text(error.code)
    if status in (400, 413, 422):
        return InvalidRequestError(message, param=param, code=code)
    if status == AuthenticationError.status:
        # The endpoint's own text may quote a part of the key.
        return AuthenticationError("The endpoint refused the API key it was given.", code=code)
    if status == OverloadedError.status:
        return OverloadedError(message, retry_after=_retry_after(error), code=code)
    if status == CompletionUnavailableError.status:
        return CompletionUnavailableError(message, retry_after=_retry_after(error), code=code)
    if status == DeadlineExceededError.status:
        return DeadlineExceededError(message, code=code)
    return RemoteError(message, status=status, param=param, code=code)


def _from_event(error: Any) -> CompletionError:
    message, code = _message(error), _text(error.code)
    if error.type == OverloadedError.type:
        return OverloadedError(message, retry_after=None, code=code)
    if error.type == InvalidRequestError.type:
        return InvalidRequestError(message, param=_text(error.param), code=code)
    return RemoteError(message, status=502, param=_text(error.param), code=code)


def _message(error: Any) -> str:
    """The endpoint's message, without the SDK's ``Error code: 400 - {...}`` around it."""
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return message if isinstance(message, str) else "The endpoint answered with an error."


def _retry_after(error: APIStatusError) -> float | None:
    """Seconds from ``Retry-After`` (RFC 9110, 10.2.3); its date form is not used by such APIs."""
    value = error.response.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86400 else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
