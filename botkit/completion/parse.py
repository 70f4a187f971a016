"""Bytes from a client to a validated request, or an OpenAI-shaped error naming the field."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from botkit.errors import InvalidRequestError

RequestT = TypeVar("RequestT", bound=BaseModel)


def parse_request(kind: type[RequestT], body: bytes) -> RequestT:
    """Validate a JSON body.

    Raises:
        InvalidRequestError: The body is not JSON, or a field is unknown, missing, of the wrong
            type or out of range; ``param`` names the first such field, as ``messages[0].role``.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise invalid_request(error) from None


def invalid_request(error: ValidationError) -> InvalidRequestError:
    """The OpenAI-shaped form of a validation error. No input value is repeated in it."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    detail = max(details, key=_depth)
    if detail["type"] == "json_invalid":
        return InvalidRequestError(
            "We could not parse the JSON body of your request. " + detail["msg"],
            code="invalid_json",
        )
    param = field_path(detail)
    if detail["type"] == "extra_forbidden":
        return InvalidRequestError(
            f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter"
        )
    if detail["type"] == "missing":
        return InvalidRequestError(
            f"Missing required parameter: '{param}'.",
            param=param,
            code="missing_required_parameter",
        )
    return InvalidRequestError(
        f"Invalid value for '{param}': {detail['msg']}.", param=param, code="invalid_value"
    )


def field_path(detail: ErrorDetails) -> str:
    """``('messages', 0, 'user', 'content')`` as ``messages[0].content``.

    Pydantic puts the tag of a union's branch into the location (``user``, ``str``,
    ``list[constrained-str]``); those name no field of the request and are left out.
    """
    path = ""
    for index, part in enumerate(detail["loc"]):
        if isinstance(part, int):
            path += f"[{part}]"
        elif _is_field(detail, index):
            path += f".{part}" if path else part
    return path or "body"


_BRANCH_TAGS = frozenset(
    {"developer", "system", "user", "assistant", "tool"}
    | {"text", "image_url", "input_audio", "file", "refusal", "str", "int", "float"}
)


def _is_field(detail: ErrorDetails, index: int) -> bool:
    part = detail["loc"][index]
    if not isinstance(part, str) or not part.isidentifier():
        return False
    follows_item = index > 0 and isinstance(detail["loc"][index - 1], int)
    ends_union = part in ("str", "int", "float")
    return not (ends_union or (part in _BRANCH_TAGS and follows_item))


def _depth(detail: ErrorDetails) -> int:
    """Prefer the most specific complaint: a union reports one per branch."""
    return len(detail["loc"]) if detail["type"] != "extra_forbidden" else 1000
