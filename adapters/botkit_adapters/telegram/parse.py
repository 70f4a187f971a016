"""From an update to an event; pure.

Source: https://core.telegram.org/bots/api#update. Updates are plain JSON here: the types of
python-telegram-bot would cost a quarter second before the first message could be acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botkit.types import ConversationKey, Event, Sender
from botkit_adapters.telegram.addressed import Spoken, spoken
from botkit_adapters.telegram.attachments import attachments, unsupported
from botkit_adapters.telegram.keyboards import FEEDBACK, unpack_data

PLATFORM = "telegram"
GROUPS = frozenset({"group", "supergroup"})


@dataclass(frozen=True)
class BotUser:
    """The bot as Telegram knows it; the username is empty until it is known."""

    id: str
    username: str = ""


@dataclass(frozen=True)
class Ignored:
    """An update that needs no answer, and why."""

    reason: str


@dataclass(frozen=True)
class Moved:
    """A group goes on as a supergroup with another id."""

    chat: str
    new_chat: str


Parsed = Event | Ignored | Moved


def parse_update(update: Mapping[str, Any], bot: BotUser) -> Parsed:
    """What an update means.

    Raises:
        ValueError: It is no update: fields are missing or of the wrong type.
    """
    try:
        number = int(update["update_id"])
        for name, parse in _PARSERS.items():
            if isinstance(update.get(name), dict):
                return parse(update[name], number, bot)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not an update: {type(error).__name__}") from None
    kinds = [name for name in update if name != "update_id"]
    return Ignored(kinds[0] if kinds and kinds[0] in _KNOWN else "unknown")


def _message(message: Mapping[str, Any], number: int, bot: BotUser) -> Parsed:
    chat = message["chat"]
    if "migrate_to_chat_id" in message:
        return Moved(str(chat["id"]), str(message["migrate_to_chat_id"]))
    sender = message.get("from") or message.get("sender_chat")
    if chat.get("type") == "channel":
        return Ignored("channel_post")
    if not sender or str(sender["id"]) == bot.id:
        return Ignored("own")
    if sender.get("is_bot") and sender.get("username") != "GroupAnonymousBot":
        return Ignored("bot")
    said = spoken(message, bot.id, bot.username)
    if chat.get("type") in GROUPS and not said.to_bot:
        return Ignored("not_addressed")
    files = attachments(message)
    strange = unsupported(message)
    if not (said.text or said.command or files or strange):
        return Ignored("service")
    return _event(message, number, bot, said, sender=sender)


def _event(
    message: Mapping[str, Any],
    number: int,
    bot: BotUser,
    said: Spoken,
    *,
    sender: Mapping[str, Any],
) -> Event:
    return Event(
        id=f"update:{number}",
        kind="command" if said.command else "message",
        conversation=conversation(message, bot),
        sender=_sender(sender),
        text=said.text,
        name=said.command,
        message_id=str(message["message_id"]),
        dedupe=(f"message:{message['chat']['id']}:{message['message_id']}",),
        attachments=attachments(message),
        unsupported=unsupported(message),
        sent_at=float(message["date"]) if message.get("date") else None,
        direct=_private(message),
        address=_address(message),
    )


def _callback(query: Mapping[str, Any], number: int, bot: BotUser) -> Parsed:
    message = query.get("message")
    if not message or "data" not in query:
        return Ignored("callback_without_message")
    name, value = unpack_data(str(query["data"]))
    feedback = name == FEEDBACK
    return Event(
        id=f"update:{number}",
        kind="feedback" if feedback else "action",
        conversation=conversation(message, bot),
        sender=_sender(query["from"]),
        name="" if feedback else name,
        value=value,
        message_id=str(message["message_id"]),
        dedupe=(f"callback:{query['id']}",),
        direct=_private(message),
        address={**_address(message), "callback": str(query["id"]), "reply_to": None},
    )


def _membership(change: Mapping[str, Any], number: int, bot: BotUser) -> Parsed:
    """The bot was added, removed, blocked or unblocked."""
    now, before = change["new_chat_member"]["status"], change["old_chat_member"]["status"]
    here = {"member", "administrator", "creator"}
    if (now in here) == (before in here):
        return Ignored("my_chat_member")
    return Event(
        id=f"update:{number}",
        kind="lifecycle",
        conversation=conversation(change, bot),
        sender=_sender(change["from"]),
        name="joined" if now in here else "left",
        address=_address(change),
    )


def conversation(message: Mapping[str, Any], bot: BotUser) -> ConversationKey:
    """Bot, chat and, in forums, topic."""
    topic = message.get("message_thread_id") if message.get("is_topic_message") else None
    return ConversationKey(PLATFORM, bot.id, str(message["chat"]["id"]), str(topic or ""))


def _address(message: Mapping[str, Any]) -> dict[str, Any]:
    chat, private = message["chat"], _private(message)
    return {
        "chat": chat["id"],
        "private": private,
        "topic": message.get("message_thread_id") if message.get("is_topic_message") else None,
        "reply_to": None if private else message.get("message_id"),
    }


def _private(message: Mapping[str, Any]) -> bool:
    return bool(message["chat"].get("type") == "private")


def _sender(user: Mapping[str, Any]) -> Sender:
    names = [user.get("first_name"), user.get("last_name")]
    name = " ".join(part for part in names if part) or user.get("title") or user.get("username")
    return Sender(str(user["id"]), str(name or ""), str(user.get("language_code") or ""))


_PARSERS = {
    "message": _message,
    "callback_query": _callback,
    "my_chat_member": _membership,
}

_KNOWN = frozenset(
    {
        "business_connection",
        "business_message",
        "callback_query",
        "channel_post",
        "chat_boost",
        "chat_join_request",
        "chat_member",
        "chosen_inline_result",
        "deleted_business_messages",
        "edited_business_message",
        "edited_channel_post",
        "edited_message",
        "guest_message",
        "inline_query",
        "managed_bot",
        "message_reaction",
        "message_reaction_count",
        "poll",
        "poll_answer",
        "pre_checkout_query",
        "purchased_paid_media",
        "removed_chat_boost",
        "shipping_query",
        "subscription",
    }
)
"""Kinds that may stand in a metric's label; others are made up by whoever sends them."""
