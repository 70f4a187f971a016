"""Slack's text as people read it (https://docs.slack.dev/messaging/formatting-message-text)."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<([^<>]+)>")


def plain(text: str, bot_user: str = "") -> str:
    """Without the bot's mention, with channels, links and other mentions as they are shown."""
    if bot_user:
        text = re.sub(rf"^\s*<@{re.escape(bot_user)}(?:\|[^>]*)?>[\s,:;]*", "", text)
        text = re.sub(rf"\s*<@{re.escape(bot_user)}(?:\|[^>]*)?>", "", text)
    return html.unescape(_TAG.sub(_shown, text)).strip()


def mentions(text: str, bot_user: str) -> bool:
    """Whether the text mentions the bot."""
    return bool(bot_user) and re.search(rf"<@{re.escape(bot_user)}(\||>)", text) is not None


def _shown(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    if target.startswith("@"):
        return f"@{label or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    address = target.removeprefix("mailto:")
    return f"{label} ({target})" if label and label != address and label not in target else address
