"""Typed checks of what a request carries as plain JSON: tools, formats, extensions.

Such fields stay plain in :class:`~botkit.completion.chat.ChatCompletionRequest`, so that a remote
endpoint gets them as they were sent; whoever obeys them checks them first.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from botkit.completion.parse import invalid_request
from botkit.errors import InvalidRequestError

KindT = TypeVar("KindT", bound=BaseModel)


def checked(kind: type[KindT], value: Any, param: str) -> KindT:
    """``value`` as a ``kind``.

    Raises:
        InvalidRequestError: It is none; ``param``, with the way to the place, is named.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise invalid_request(error, within=param) from None


def invalid_value(param: str, problem: str) -> InvalidRequestError:
    """The error for a value that is of the right type and wrong all the same."""
    return InvalidRequestError(
        f"Invalid value for '{param}': {problem}", param=param, code="invalid_value"
    )
