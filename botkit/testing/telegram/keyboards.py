"""Telegram's rules for keyboards (https://core.telegram.org/bots/api#inlinekeyboardmarkup)."""

from __future__ import annotations

from typing import Any

from botkit.testing.telegram.state import ApiError, Json

CALLBACK_BYTES = 64
ACTIONS = frozenset(
    {"url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text", "pay"}
    | {"switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "callback_game"}
)
"""What a button does; it has exactly one of these."""

KINDS = frozenset({"inline_keyboard", "keyboard", "remove_keyboard", "force_reply"})


def check_markup(markup: Any, *, inline: bool) -> None:
    """A keyboard of a known kind, each of its inline buttons with a text and one action.

    Raises:
        ApiError: Another one was sent.
    """
    if not markup:
        return
    if not isinstance(markup, dict) or not KINDS.intersection(markup):
        raise ApiError(400, "Bad Request: object expected as reply markup")
    if inline and "inline_keyboard" not in markup:
        raise ApiError(400, "Bad Request: inline keyboard expected")
    rows = markup.get("inline_keyboard", [])
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ApiError(400, 'Bad Request: field "inline_keyboard" must be of type Array of Arrays')
    for row in rows:
        for button in row:
            _check_button(button)


def _check_button(button: Json) -> None:
    if not button.get("text") or len(ACTIONS.intersection(button)) != 1:
        raise ApiError(400, "Bad Request: text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 0 < len(str(data).encode()) <= CALLBACK_BYTES:
        raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and not str(url).startswith(("https://", "http://", "tg://")):
        raise ApiError(400, "Bad Request: BUTTON_URL_INVALID")
