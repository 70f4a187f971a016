"""From what Slack sends to events; pure.

Sources: https://docs.slack.dev/apis/events-api, https://docs.slack.dev/interactivity and
https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botkit.slash import typed_command
from botkit.types import Attachment, AttachmentKind, ConversationKey, Event, Sender
from botkit_adapters.slack.text import mentions, plain

PLATFORM = "slack"
FEEDBACK = "botkit_feedback"


@dataclass(frozen=True)
class Ignored:
    """What needs no answer, and why."""

    reason: str


@dataclass(frozen=True)
class Removed:
    """The app was removed from a workspace, or its tokens were revoked there, ``at`` seconds since
    1970 (0: Slack did not say)."""

    team: str
    at: float = 0.0


Parsed = Event | Ignored | Removed


def parse_envelope(envelope: Mapping[str, Any], bot_user: str) -> Parsed:
    """What a delivery of the Events API means.

    Args:
        envelope: The body of the request.
        bot_user: The bot's user id in that workspace, where it is known.

    Raises:
        ValueError: It is no such delivery.
    """
    try:
        if envelope.get("type") == "app_rate_limited":
            return Ignored("app_rate_limited")
        inner = envelope["event"]
        team = _team(envelope)
        known = {each.get("user_id") for each in envelope.get("authorizations") or ()}
        bot = bot_user or next((str(each) for each in known if each), "")
        event_id = str(envelope.get("event_id") or f"event:{inner.get('event_ts')}")
        if inner["type"] in ("app_uninstalled", "tokens_revoked"):
            return _removal(inner, team, float(envelope.get("event_time") or 0))
        return _inner(inner, event_id, team, bot)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {type(error).__name__}") from None


def _team(envelope: Mapping[str, Any]) -> str:
    authorizations = envelope.get("authorizations") or ()
    first = authorizations[0].get("team_id") if authorizations else None
    return str(first or envelope.get("team_id") or envelope["event"].get("team") or "")


def _inner(event: Mapping[str, Any], event_id: str, team: str, bot: str) -> Parsed:
    kind = event["type"]
    if kind in ("message", "app_mention"):
        return _message(event, event_id, team, bot)
    if kind == "assistant_thread_started":
        thread = event["assistant_thread"]
        channel, root = str(thread["channel_id"]), str(thread["thread_ts"])
        return Event(
            id=event_id,
            kind="lifecycle",
            name="started",
            conversation=ConversationKey(PLATFORM, team, channel, root),
            sender=Sender(str(thread["user_id"])),
            direct=True,
            address=_address(team, channel, root, str(thread["user_id"]), assistant=True),
        )
    return Ignored(kind if kind in _KNOWN else "unknown")


def _removal(event: Mapping[str, Any], team: str, at: float) -> Parsed:
    """Tokens of people may be revoked, and the bot's goes on working
    (https://docs.slack.dev/reference/events/tokens_revoked)."""
    if event["type"] == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
        return Ignored("user_tokens_revoked")
    return Removed(team, at)


_KNOWN = frozenset(
    {
        "app_home_opened",
        "assistant_thread_context_changed",
        "channel_archive",
        "channel_created",
        "channel_rename",
        "channel_unarchive",
        "member_joined_channel",
        "pin_added",
        "pin_removed",
        "reaction_added",
        "reaction_removed",
        "team_join",
    }
)
"""Kinds that may stand in a metric's label."""


def _message(event: Mapping[str, Any], event_id: str, team: str, bot: str) -> Parsed:
    subtype = event.get("subtype")
    if subtype not in (None, "file_share", "thread_broadcast"):
        return Ignored("bot_message" if subtype == "bot_message" else "changed")
    user = event.get("user")
    if event.get("bot_id") or not user or user == bot:
        return Ignored("bot_message")
    channel, ts = str(event["channel"]), str(event["ts"])
    root = str(event.get("thread_ts") or "")
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    text = str(event.get("text") or "")
    called = direct or event["type"] == "app_mention" or mentions(text, bot)
    if not called and not root:
        return Ignored("not_addressed")
    thread = root if direct else root or ts
    files = tuple(_attachment(each) for each in event.get("files") or ())
    said = plain(text, bot)
    # Slack takes no slash command in a thread; a mention with one in it is meant as one.
    command = typed_command(said) if called else None
    name, said = command or ("", said)
    return Event(
        id=event_id,
        kind="command" if command else "message",
        name=name,
        conversation=ConversationKey(PLATFORM, team, channel, thread),
        sender=Sender(str(user)),
        text=said,
        message_id=ts,
        dedupe=(f"message:{channel}:{ts}",),
        attachments=files,
        ambient=not called,
        direct=direct,
        sent_at=float(ts),
        address=_address(team, channel, thread, str(user), assistant=direct and bool(root)),
    )


def _attachment(file: Mapping[str, Any]) -> Attachment:
    media_type = str(file.get("mimetype") or "")
    family = media_type.partition("/")[0]
    kinds: dict[str, AttachmentKind] = {"image": "image", "audio": "audio", "video": "video"}
    size = file.get("size")
    return Attachment(
        kinds.get(family, "file"),
        str(file.get("url_private_download") or file.get("url_private") or file.get("id") or ""),
        str(file.get("name") or ""),
        media_type,
        int(size) if isinstance(size, int) else None,
    )


def parse_command(form: Mapping[str, str]) -> Parsed:
    """What a slash command means.

    Raises:
        ValueError: It is none.
    """
    try:
        team, channel, user = form["team_id"], form["channel_id"], form["user_id"]
        return Event(
            id=f"command:{form['trigger_id']}",
            kind="command",
            name=form["command"].removeprefix("/").lower(),
            text=plain(form.get("text", "")),
            conversation=ConversationKey(PLATFORM, team, channel),
            sender=Sender(user, form.get("user_name", "")),
            direct=channel.startswith("D"),
            address={
                **_address(team, channel, "", user),
                "response_url": form.get("response_url", ""),
            },
        )
    except KeyError as error:
        raise ValueError(f"not a command: no {error}") from None


def parse_interaction(payload: Mapping[str, Any]) -> Parsed:
    """What a press of a button, or a choice, means.

    Raises:
        ValueError: It is none.
    """
    try:
        kind = str(payload["type"])
        if kind != "block_actions":
            return Ignored(kind if kind in _INTERACTIONS else "unknown")
        return _action(payload, payload["actions"][0])
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not an interaction: {type(error).__name__}") from None


_INTERACTIONS = frozenset(
    {"view_submission", "view_closed", "shortcut", "message_action", "block_suggestion"}
)


def _action(payload: Mapping[str, Any], action: Mapping[str, Any]) -> Parsed:
    container = payload.get("container") or {}
    message = payload.get("message") or {}
    channel = container.get("channel_id") or (payload.get("channel") or {}).get("id")
    if not channel:
        return Ignored("action_without_channel")
    user = payload["user"]
    team = str((payload.get("team") or {}).get("id") or user.get("team_id") or "")
    ts = str(container.get("message_ts") or message.get("ts") or "")
    direct = str(channel).startswith("D")
    root = str(container.get("thread_ts") or message.get("thread_ts") or "")
    # A message that one person sees has no thread: it belongs to the channel, as its command does.
    private = bool(container.get("is_ephemeral"))
    thread = root if direct or private else root or ts
    name = str(action["action_id"]).partition("#")[0]
    feedback = name == FEEDBACK
    return Event(
        id=f"action:{ts}:{action.get('action_ts') or payload.get('trigger_id')}",
        kind="feedback" if feedback else "action",
        name="" if feedback else name,
        value=_chosen(action),
        conversation=ConversationKey(PLATFORM, team, str(channel), thread),
        sender=Sender(str(user["id"]), str(user.get("name") or user.get("username") or "")),
        message_id=ts,
        direct=direct,
        address={
            **_address(team, str(channel), thread, str(user["id"])),
            "response_url": str(payload.get("response_url") or ""),
        },
    )


def _chosen(action: Mapping[str, Any]) -> str:
    """The value of a button, or of what was picked."""
    options = action.get("selected_options")
    if options:
        return ",".join(str(option["value"]) for option in options)
    option = action.get("selected_option")
    if option:
        return str(option["value"])
    for name in ("value", "selected_date", "selected_time", "selected_user", "selected_channel"):
        if action.get(name):
            return str(action[name])
    return ""


def _address(
    team: str, channel: str, thread: str, user: str, *, assistant: bool = False
) -> dict[str, Any]:
    return {
        "team": team,
        "channel": channel,
        "thread": thread,
        "user": user,
        "assistant": assistant,
    }
