"""Slack's rules for blocks (https://docs.slack.dev/reference/block-kit/blocks)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botkit.testing.slack.state import ApiError, Json

BLOCKS = 50
MARKDOWN_CHARACTERS = 12_000
SECTION_CHARACTERS = 3_000
ELEMENTS = 25


def check_blocks(blocks: Any) -> list[Json]:
    """The blocks.

    Raises:
        ApiError: ``invalid_blocks``, with the reason.
    """
    if blocks in (None, ""):
        return []
    _demand(isinstance(blocks, list), "blocks must be a list")
    _demand(len(blocks) <= BLOCKS, f"no more than {BLOCKS} items allowed")
    ids: list[str] = []
    for block in blocks:
        _demand(isinstance(block, dict) and "type" in block, "a block needs a type")
        _CHECKS.get(block["type"], _unknown)(block, ids)
    _demand(len(ids) == len(set(ids)), "action_id must be unique")
    markdown = sum(len(each["text"]) for each in blocks if each["type"] == "markdown")
    _demand(markdown <= MARKDOWN_CHARACTERS, "markdown blocks have too many characters")
    return list(blocks)


def _demand(holds: bool, reason: str) -> None:
    if not holds:
        raise ApiError("invalid_blocks", reason)


def _unknown(block: Json, ids: list[str]) -> None:
    raise ApiError("invalid_blocks", f"unsupported type: {block['type']}")


def _markdown(block: Json, ids: list[str]) -> None:
    _demand(isinstance(block.get("text"), str) and block["text"] != "", "markdown needs a text")


def _section(block: Json, ids: list[str]) -> None:
    text = (block.get("text") or {}).get("text", "")
    _demand(0 < len(text) <= SECTION_CHARACTERS, "a section has 1 to 3000 characters")


def _actions(block: Json, ids: list[str]) -> None:
    elements = block.get("elements") or []
    _demand(0 < len(elements) <= ELEMENTS, "actions have 1 to 25 elements")
    for element in elements:
        _demand(element.get("type") == "button", "only buttons are simulated")
        label = (element.get("text") or {}).get("text", "")
        _demand(0 < len(label) <= 75, "a button's text has 1 to 75 characters")
        _demand(element["text"].get("type") == "plain_text", "a button's text is plain_text")
        _demand(0 < len(element.get("action_id", "")) <= 255, "action_id has 1 to 255 characters")
        _demand(len(element.get("value", "")) <= 2000, "a button's value has 2000 characters")
        _demand(element.get("style") in (None, "primary", "danger"), "no such style")
        ids.append(element["action_id"])


def _context_actions(block: Json, ids: list[str]) -> None:
    elements = block.get("elements") or []
    _demand(0 < len(elements) <= 5, "context_actions have 1 to 5 elements")
    for element in elements:
        _demand(element.get("type") == "feedback_buttons", "only feedback buttons are simulated")
        for name in ("positive_button", "negative_button"):
            button = element.get(name) or {}
            _demand(bool(button.get("value")) and "text" in button, f"{name} is incomplete")


_CHECKS: Mapping[str, Callable[[Json, list[str]], None]] = {
    "markdown": _markdown,
    "section": _section,
    "actions": _actions,
    "context_actions": _context_actions,
    "divider": lambda block, ids: None,
}
