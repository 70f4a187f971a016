"""Slack's rules for blocks (https://docs.slack.dev/reference/block-kit/blocks)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from botkit.testing.slack.state import ApiError, Json

BLOCKS = 50
MARKDOWN_CHARACTERS = 12_000
SECTION_CHARACTERS = 3_000
HEADER_CHARACTERS = 150
ELEMENTS = 25
CONTEXT_ELEMENTS = 10
FIELDS, FIELD_CHARACTERS = 10, 2_000
LABEL_CHARACTERS = 75
ID_CHARACTERS = 255
VALUE_CHARACTERS = 2_000
URL_CHARACTERS = 3_000
INTERACTIVE = frozenset(
    {"button", "overflow", "static_select", "multi_static_select", "datepicker", "timepicker"}
    | {"radio_buttons", "checkboxes", "users_select", "conversations_select", "channels_select"}
)

_numbers = itertools.count(1)


def check_blocks(blocks: Any) -> list[Json]:
    """The blocks, each with the ``block_id`` that Slack gives it when it has none.

    Raises:
        ApiError: ``invalid_blocks``, with the reason.
    """
    if blocks in (None, "", []):
        return []
    _demand(isinstance(blocks, list), "blocks must be a list")
    _demand(len(blocks) <= BLOCKS, f"no more than {BLOCKS} items allowed")
    actions: list[str] = []
    for block in blocks:
        _demand(isinstance(block, dict) and "type" in block, "a block needs a type")
        _CHECKS.get(block["type"], _unknown)(block, actions)
    _demand(len(actions) == len(set(actions)), "action_id must be unique")
    markdown = sum(len(each["text"]) for each in blocks if each["type"] == "markdown")
    _demand(markdown <= MARKDOWN_CHARACTERS, "markdown blocks have too many characters")
    named = [{"block_id": f"b{next(_numbers)}", **block} for block in blocks]
    ids = [str(block["block_id"]) for block in named]
    _demand(len(ids) == len(set(ids)), "block_id must be unique")
    _demand(all(0 < len(each) <= ID_CHARACTERS for each in ids), "block_id has 1 to 255 characters")
    return named


def _demand(holds: bool, reason: str) -> None:
    if not holds:
        raise ApiError("invalid_blocks", reason)


def _unknown(block: Json, actions: list[str]) -> None:
    raise ApiError("invalid_blocks", f"unsupported type: {block['type']}")


def _text(text: Any, limit: int, where: str, *kinds: str) -> None:
    """A text object with 1 to ``limit`` characters, of one of ``kinds``."""
    _demand(isinstance(text, dict), f"{where} must be a text object")
    _demand(text.get("type") in (kinds or ("plain_text", "mrkdwn")), f"{where} has a wrong type")
    _demand(0 < len(text.get("text") or "") <= limit, f"{where} has 1 to {limit} characters")


def _markdown(block: Json, actions: list[str]) -> None:
    _demand(isinstance(block.get("text"), str) and block["text"] != "", "markdown needs a text")


def _section(block: Json, actions: list[str]) -> None:
    fields = block.get("fields") or []
    _demand("text" in block or bool(fields), "a section has a text or fields")
    if "text" in block:
        _text(block["text"], SECTION_CHARACTERS, "a section's text")
    _demand(len(fields) <= FIELDS, f"a section has at most {FIELDS} fields")
    for each in fields:
        _text(each, FIELD_CHARACTERS, "a section's field")
    accessory = block.get("accessory")
    if accessory and accessory.get("type") != "image":
        _element(accessory, actions)


def _header(block: Json, actions: list[str]) -> None:
    _text(block.get("text"), HEADER_CHARACTERS, "a header's text", "plain_text")


def _context(block: Json, actions: list[str]) -> None:
    elements = block.get("elements") or []
    _demand(0 < len(elements) <= CONTEXT_ELEMENTS, "a context has 1 to 10 elements")
    for each in elements:
        if each.get("type") != "image":
            _text(each, SECTION_CHARACTERS, "a context's text")


def _image(block: Json, actions: list[str]) -> None:
    source = block.get("image_url") or block.get("slack_file")
    _demand(bool(source), "an image has an image_url or a slack_file")
    _demand(bool(block.get("alt_text")), "an image has an alt_text")


def _actions(block: Json, actions: list[str]) -> None:
    elements = block.get("elements") or []
    _demand(0 < len(elements) <= ELEMENTS, "actions have 1 to 25 elements")
    for element in elements:
        _element(element, actions)


def _element(element: Json, actions: list[str]) -> None:
    _demand(element.get("type") in INTERACTIVE, f"no such element: {element.get('type')}")
    action = element.get("action_id")
    if action is not None:
        _demand(0 < len(action) <= ID_CHARACTERS, "action_id has 1 to 255 characters")
        actions.append(action)
    if element["type"] != "button":
        return
    _text(element.get("text"), LABEL_CHARACTERS, "a button's text", "plain_text")
    value, url = element.get("value"), element.get("url")
    if value is not None:
        _demand(0 < len(value) <= VALUE_CHARACTERS, "a button's value has 1 to 2000 characters")
    _demand(url is None or 0 < len(url) <= URL_CHARACTERS, "a button's url has 3000 characters")
    _demand(element.get("style") in (None, "primary", "danger"), "no such style")


def _context_actions(block: Json, actions: list[str]) -> None:
    elements = block.get("elements") or []
    _demand(0 < len(elements) <= 5, "context_actions have 1 to 5 elements")
    for element in elements:
        if element.get("type") == "icon_button":
            continue
        _demand(element.get("type") == "feedback_buttons", "no such element")
        for name in ("positive_button", "negative_button"):
            button = element.get(name) or {}
            _text(button.get("text"), LABEL_CHARACTERS, f"{name}'s text", "plain_text")
            _demand(0 < len(button.get("value") or "") <= VALUE_CHARACTERS, f"{name} has no value")


def _opaque(block: Json, actions: list[str]) -> None:
    """A block whose inside is not looked at."""


_CHECKS: Mapping[str, Callable[[Json, list[str]], None]] = {
    "markdown": _markdown,
    "section": _section,
    "header": _header,
    "context": _context,
    "image": _image,
    "actions": _actions,
    "context_actions": _context_actions,
    "divider": _opaque,
    "rich_text": _opaque,
    "table": _opaque,
    "video": _opaque,
}
