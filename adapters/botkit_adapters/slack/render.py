"""From a reply to payloads, one per Slack message; pure.

Sources: https://docs.slack.dev/reference/block-kit/blocks and the methods' own pages.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from typing import Any

from botkit.replies import Button, File, Reply
from botkit.types import Json
from botkit_adapters.slack.parse import FEEDBACK
from botkit_adapters.slack.split import split

MARKDOWN = 11_500
"""Characters of one message; its markdown blocks may have 12,000 together."""

UPDATE = 3_500
"""Characters of a message that is updated: chat.update refuses more than about 4,000."""

FALLBACK = 3_000
"""Characters of the text that notifications and old clients show."""

SUGGESTION = "suggestion"
BUTTONS_PER_BLOCK = 25
PROMPTS = 4
"""Of one assistant's thread; more are buttons, as everywhere else."""
EMPTY = "…"

Block = dict[str, Any]


def render(
    reply: Reply, address: Mapping[str, Any], saved: Json | None, since: str = ""
) -> list[Json]:
    """The payloads of a reply: its text in as many messages as it needs, then its files.

    Args:
        reply: The reply.
        address: Where it goes.
        saved: The preview that it replaces; removed first where it cannot.
        since: The message after which the reply comes.
    """
    prompts = _prompts(reply, address)
    extra = [*_actions(reply, suggests=not prompts), *_feedback(reply)]
    text = reply.text if reply.text.strip() or not extra else EMPTY
    private = (reply.ephemeral and not _direct(address)) or answers_privately(address)
    replaced = saved if saved and not private and not saved.get("unsettled") else None
    pieces = _pieces(text, replaced)
    payloads: list[Json] = []
    if saved and not (replaced and pieces):
        payloads.append({"to": _where(address, since), "remove": saved})
    for at, piece in enumerate(pieces):
        last = at == len(pieces) - 1
        payloads.append(
            {
                "to": _where(address, since, private=private),
                "markdown": piece,
                "blocks": extra if last else [],
                "replaces": replaced if at == 0 else None,
            }
        )
    to = _where(address, since, private=private)
    payloads += [{"to": to, "file": _file(each)} for each in reply.files]
    threads = [*prompts, *_title(reply, address)]
    return [*payloads, *({"to": _where(address, since), "assistant": each} for each in threads)]


def answers_privately(address: Mapping[str, Any]) -> bool:
    """Whether an answer there is for one person: to a command, and to a button of its answer."""
    by_url = bool(address.get("response_url")) and not address.get("thread")
    return by_url and not _direct(address)


def _direct(address: Mapping[str, Any]) -> bool:
    """Whether nobody else is there: a message for one person alone is gone after a reload, and
    nothing is won by it."""
    return str(address["channel"]).startswith("D")


def message(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Text and blocks of a payload, as chat.postMessage and chat.update take them."""
    markdown = str(payload["markdown"])
    return {
        "text": html.escape(markdown[:FALLBACK], quote=False),
        "blocks": [{"type": "markdown", "text": markdown}, *payload["blocks"]],
    }


def _pieces(text: str, saved: Json | None) -> list[str]:
    if not text.strip():
        return []
    if saved and not saved.get("stream"):
        first, *_ = split(text, UPDATE)
        rest = text[len(first) :] if text.startswith(first) else ""
        if rest or first == text:
            return [first, *split(rest, MARKDOWN)]
        return split(text, UPDATE)
    return split(text, MARKDOWN)


def _where(address: Mapping[str, Any], since: str, *, private: bool = False) -> dict[str, Any]:
    where = {name: address.get(name) or "" for name in ("team", "channel", "thread")}
    where["since"] = since
    if private:
        where |= {"user": address["user"], "response_url": address.get("response_url") or ""}
    elif _direct(address) and address.get("response_url"):
        # A command may be given among two people, where the bot is not.
        alone = {"user": address["user"], "response_url": address["response_url"]}
        where["elsewhere"] = alone
    return where


def _prompts(reply: Reply, address: Mapping[str, Any]) -> list[Json]:
    """https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts"""
    if not address.get("assistant") or not 0 < len(reply.suggestions) <= PROMPTS:
        return []
    prompts = [{"title": text, "message": text} for text in reply.suggestions]
    return [{"method": "assistant.threads.setSuggestedPrompts", "prompts": prompts}]


def _title(reply: Reply, address: Mapping[str, Any]) -> list[Json]:
    """https://docs.slack.dev/reference/methods/assistant.threads.setTitle"""
    if not address.get("assistant") or not reply.title:
        return []
    return [{"method": "assistant.threads.setTitle", "title": reply.title}]


def _actions(reply: Reply, *, suggests: bool) -> list[Block]:
    suggestions = reply.suggestions if suggests else ()
    buttons = [
        *(_button(each, at) for at, each in enumerate(reply.buttons)),
        *(
            _element(text, SUGGESTION, text, at)
            for at, text in enumerate(suggestions, len(reply.buttons))
        ),
    ]
    return [
        {"type": "actions", "elements": buttons[at : at + BUTTONS_PER_BLOCK]}
        for at in range(0, len(buttons), BUTTONS_PER_BLOCK)
    ]


def _button(button: Button, at: int) -> Block:
    element = _element(button.label, button.id or f"link-{at}", button.value, at)
    if button.url:
        element["url"] = button.url
    if button.style:
        element["style"] = button.style
    return element


def _element(label: str, action: str, value: str, at: int) -> Block:
    # Ids are unique within a message; what follows the separator is only for that.
    element: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": label[:75]},
        "action_id": f"{action}#{at}",
    }
    return {**element, "value": value[:2000]} if value else element


def _feedback(reply: Reply) -> list[Block]:
    """https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element"""
    if not reply.feedback:
        return []
    buttons = {
        f"{value}_button": {"text": {"type": "plain_text", "text": label}, "value": value}
        for label, value in (("Good answer", "positive"), ("Bad answer", "negative"))
    }
    element = {"type": "feedback_buttons", "action_id": FEEDBACK, **buttons}
    return [{"type": "context_actions", "elements": [element]}]


def _file(file: File) -> dict[str, str]:
    return {"name": file.name, "data": base64.b64encode(file.data).decode()}
