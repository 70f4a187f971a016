"""Bytes from a client to a validated request, or an OpenAI-shaped error naming the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from botkit.errors import InvalidRequestError

RequestT = TypeVar("RequestT", bound=BaseModel)


def parse_request(kind: type[RequestT], body: bytes, **given: str) -> RequestT:
    """Validate a JSON body.

    Args:
        kind: The request type.
        body: UTF-8 JSON.
        given: Fields known from elsewhere (``model`` from the path); they win over the body's.

    Raises:
        InvalidRequestError: The body is not JSON, or a field is unknown, missing, of the wrong
            type or out of range; ``param`` names the first such field, as ``messages[0].role``.
    """
    try:
        if not given:
            return kind.model_validate_json(body)
        return kind.model_validate({**_json_object(body), **given})
    except ValidationError as error:
        raise invalid_request(error) from None


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = from_json(body)
    except ValueError as error:
        raise _not_json(str(error)) from None
    if not isinstance(value, dict):
        raise _not_json("It is not an object.")
    return value


def _not_json(problem: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"We could not parse the JSON body of your request. {problem}", code="invalid_json"
    )


def invalid_request(error: ValidationError, within: str = "") -> InvalidRequestError:
    """The OpenAI-shaped form of a validation error. No input value is repeated in it.

    Args:
        error: What pydantic says.
        within: The field that was validated, where it was not the whole request.
    """
    details = error.errors(include_url=False, include_input=False)
    detail = max(details, key=_depth)
    if detail["type"] == "json_invalid" or not (detail["loc"] or within):
        return _not_json(detail["msg"])
    param = field_path(detail, within)
    if detail["type"] == "extra_forbidden":
        return InvalidRequestError(
            f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter"
        )
    if detail["type"] in ("missing", "union_tag_not_found"):
        param = _with_tag(param, detail)
        return InvalidRequestError(
            f"Missing required parameter: '{param}'.",
            param=param,
            code="missing_required_parameter",
        )
    if detail["type"] == "union_tag_invalid":
        param = _with_tag(param, detail)
        problem = f"expected one of {detail['ctx']['expected_tags']}"
        return InvalidRequestError(
            f"Invalid value for '{param}': {problem}.", param=param, code="invalid_value"
        )
    return InvalidRequestError(
        f"Invalid value for '{param}': {detail['msg']}.", param=param, code="invalid_value"
    )


def _with_tag(param: str, detail: ErrorDetails) -> str:
    """``messages[0]`` as ``messages[0].role`` where the field that tells the kinds is at fault."""
    discriminator = detail.get("ctx", {}).get("discriminator")
    return f"{param}.{discriminator.strip(chr(39))}" if discriminator else param


def field_path(detail: ErrorDetails, within: str = "") -> str:
    """``('messages', 0, 'user', 'content')`` as ``messages[0].content``, below ``within``.

    Pydantic puts the tag of a union's branch into the location (``user``, ``str``,
    ``list[constrained-str]``); those name no field of the request and are left out.
    """
    path = within
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
