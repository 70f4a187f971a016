"""The Web API's methods (https://docs.slack.dev/reference/methods), as far as bots use them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from botkit.testing.slack.blocks import check_blocks
from botkit.testing.slack.state import ApiError, Channel, Json, Posted, State

TEXT_CHARACTERS = 40_000
UPDATE_CHARACTERS = 4_000
MARKDOWN_CHARACTERS = 12_000

Arguments = Mapping[str, Any]


def auth_test(state: State, given: Arguments) -> Json:
    """Who the app is."""
    return {
        "url": "https://simulated.slack.com/",
        "team": "Simulated",
        "user": "bot",
        "team_id": state.team,
        "user_id": state.bot_user,
        "bot_id": state.bot_id,
        "is_enterprise_install": False,
    }


def post_message(state: State, given: Arguments) -> Json:
    """A message."""
    channel = state.writable(_need(given, "channel"))
    posted = state.post(channel, _content(state, channel, given), from_bot=True)
    return {"channel": channel.id, "ts": posted.ts, "message": posted.data}


def post_ephemeral(state: State, given: Arguments) -> Json:
    """A message that one person sees."""
    channel = state.writable(_need(given, "channel"))
    user = str(_need(given, "user"))
    if user not in state.users or channel.owner not in ("", user):
        raise ApiError("user_not_in_channel")
    posted = state.post(channel, _content(state, channel, given), from_bot=True)
    posted.seen_by = user
    return {"message_ts": posted.ts}


def update(state: State, given: Arguments) -> Json:
    """Another content for a message of the app's."""
    channel, posted = _own(state, given, "cant_update_message")
    if posted.streaming:
        raise ApiError("streaming_state_conflict")
    content = _content(state, channel, given)
    if len(str(content.get("text", ""))) > UPDATE_CHARACTERS:
        raise ApiError("msg_too_long")
    content.pop("thread_ts", None)
    posted.data.pop("blocks", None)
    posted.data.update(content, edited={"user": state.bot_user, "ts": state.ts()})
    posted.versions.append(posted.text)
    shown = {"text": posted.data.get("text", ""), "message": posted.data}
    return {"channel": channel.id, "ts": posted.ts, **shown}


def delete(state: State, given: Arguments) -> Json:
    """Remove a message of the app's."""
    channel, posted = _own(state, given, "cant_delete_message")
    channel.posted.remove(posted)
    return {"channel": channel.id, "ts": posted.ts}


def start_stream(state: State, given: Arguments) -> Json:
    """A message that grows."""
    channel = state.writable(_need(given, "channel"))
    thread = str(_need(given, "thread_ts"))
    if channel.find(thread) is None:
        raise ApiError("invalid_thread_ts")
    for name in ("recipient_team_id", "recipient_user_id"):
        if not channel.direct and not given.get(name):
            raise ApiError(f"missing_{name}")
    text = _markdown(given)
    posted = state.post(
        channel, {**_author(state), "thread_ts": thread, "text": text}, from_bot=True
    )
    posted.streaming, posted.streamed_at = True, time.monotonic()
    return {"channel": channel.id, "ts": posted.ts}


def append_stream(state: State, given: Arguments) -> Json:
    """More of a growing message."""
    channel, posted = _streaming(state, given)
    if not (text := _markdown(given)):
        raise ApiError("invalid_arguments", "missing required field: markdown_text")
    _grow(posted, text)
    return {"channel": channel.id, "ts": posted.ts}


def stop_stream(state: State, given: Arguments) -> Json:
    """The end of a growing message."""
    channel, posted = _streaming(state, given)
    blocks = check_blocks(given.get("blocks"))
    _grow(posted, _markdown(given))
    posted.streaming = False
    if blocks and posted.data["text"]:
        words = {"type": "markdown", "text": posted.data["text"], "block_id": "streamed"}
        blocks = [words, *blocks]
    if blocks:
        posted.data["blocks"] = blocks
    if given.get("metadata"):
        posted.data["metadata"] = given["metadata"]
    return {"channel": channel.id, "ts": posted.ts, "message": posted.data}


def history(state: State, given: Arguments) -> Json:
    """The newest messages of a channel, newest first."""
    channel = state.writable(_need(given, "channel"))
    top = [each for each in channel.posted if not each.thread and not each.seen_by]
    return _page(list(reversed(top)), given)


def replies(state: State, given: Arguments) -> Json:
    """A thread, oldest first."""
    channel = state.writable(_need(given, "channel"))
    root = str(_need(given, "ts"))
    if channel.find(root) is None:
        raise ApiError("thread_not_found")
    found = [each for each in channel.posted if root in (each.ts, each.thread) and not each.seen_by]
    return _page(found, given)


def users_info(state: State, given: Arguments) -> Json:
    """A person."""
    user = state.users.get(str(_need(given, "user")))
    if user is None:
        raise ApiError("user_not_found")
    shown = dict(user)
    if not given.get("include_locale"):
        shown.pop("locale", None)
    return {"user": shown}


def open_conversation(state: State, given: Arguments) -> Json:
    """The direct message with a person."""
    users = [each for each in str(given.get("users") or "").split(",") if each]
    if not users and not given.get("channel"):
        raise ApiError("users_list_not_supplied")
    if any(each not in state.users for each in users):
        raise ApiError("user_not_found")
    return {"channel": {"id": state.channel(given.get("channel") or users[0]).id}}


def set_status(state: State, given: Arguments) -> Json:
    """What the assistant is doing; an empty status clears it."""
    _thread(state, given)
    if given.get("status") is None:
        raise ApiError("invalid_arguments", "missing required field: status")
    state.statuses.append(str(given["status"]))
    return {}


def set_prompts(state: State, given: Arguments) -> Json:
    """What the person may want to say."""
    _thread(state, given)
    prompts = _need(given, "prompts")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= 4:
        raise ApiError("invalid_arguments", "1 to 4 prompts")
    if not all(each.get("title") and each.get("message") for each in prompts):
        raise ApiError("invalid_arguments", "a prompt has a title and a message")
    state.prompts = list(prompts)
    return {}


def set_title(state: State, given: Arguments) -> Json:
    """The title of an assistant's thread."""
    _thread(state, given)
    state.titles.append(str(_need(given, "title")))
    return {}


def complete_upload(state: State, given: Arguments) -> Json:
    """Share files that were uploaded."""
    channel = state.writable(_need(given, "channel_id"))
    shown = []
    for each in _need(given, "files"):
        name, data = state.files.get(each["id"], ("", b""))
        if not data:
            raise ApiError("file_not_found", "unknown, or nothing was uploaded")
        shown.append({"id": each["id"], "name": name, "size": len(data)})
    content = {**_author(state), **_in_thread(channel, given), "files": shown}
    content["text"] = str(given.get("initial_comment") or "")
    state.post(channel, content, from_bot=True)
    return {"files": shown}


METHODS: Mapping[str, Callable[[State, Arguments], Json]] = {
    "api.test": lambda state, given: {},
    "auth.test": auth_test,
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "chat.startStream": start_stream,
    "chat.appendStream": append_stream,
    "chat.stopStream": stop_stream,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.open": open_conversation,
    "users.info": users_info,
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setSuggestedPrompts": set_prompts,
    "assistant.threads.setTitle": set_title,
    "files.completeUploadExternal": complete_upload,
}


def _need(given: Arguments, name: str) -> Any:
    if given.get(name) in (None, "", []):
        raise ApiError("invalid_arguments", f"missing required field: {name}")
    return given[name]


def _author(state: State) -> Json:
    return {"user": state.bot_user, "bot_id": state.bot_id, "app_id": state.app_id}


def _content(state: State, channel: Channel, given: Arguments) -> Json:
    text, blocks = str(given.get("text") or ""), check_blocks(given.get("blocks"))
    markdown = _markdown(given)
    if markdown and (text or blocks):
        raise ApiError("markdown_text_conflict")
    if not (text or blocks or markdown or given.get("attachments")):
        raise ApiError("no_text")
    content: Json = {**_author(state), "text": (text or markdown)[:TEXT_CHARACTERS]}
    if blocks:
        content["blocks"] = blocks
    if given.get("metadata"):
        content["metadata"] = _metadata(given["metadata"])
    return {**content, **_in_thread(channel, given)}


def _metadata(metadata: Any) -> Json:
    """https://docs.slack.dev/messaging/message-metadata"""
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    if not isinstance(payload, dict) or not metadata.get("event_type"):
        raise ApiError("invalid_metadata_format")
    return dict(metadata)


def _in_thread(channel: Channel, given: Arguments) -> Json:
    if not given.get("thread_ts"):
        return {}
    if channel.find(str(given["thread_ts"])) is None:
        raise ApiError("thread_not_found")
    return {"thread_ts": str(given["thread_ts"])}


def _thread(state: State, given: Arguments) -> None:
    """The assistant's thread that is meant exists."""
    channel = state.channel(_need(given, "channel_id"))
    if channel.find(str(_need(given, "thread_ts"))) is None:
        raise ApiError("thread_not_found")


def _own(state: State, given: Arguments, foreign: str) -> tuple[Channel, Posted]:
    """A message of the app's that all see; ``foreign`` is the error for another's."""
    channel = state.channel(_need(given, "channel"))
    posted = channel.find(str(_need(given, "ts")))
    if posted is None or posted.seen_by:
        raise ApiError("message_not_found")
    if not posted.from_bot:
        raise ApiError(foreign)
    return channel, posted


def _streaming(state: State, given: Arguments) -> tuple[Channel, Posted]:
    channel, posted = _own(state, given, "message_not_owned_by_app")
    if posted.streaming and time.monotonic() - posted.streamed_at > state.stream_seconds:
        posted.streaming = False
    if not posted.streaming:
        raise ApiError("message_not_in_streaming_state")
    return channel, posted


def _grow(posted: Posted, text: str) -> None:
    if len(posted.data["text"]) + len(text) > MARKDOWN_CHARACTERS:
        posted.streaming = False
        raise ApiError("msg_too_long")
    posted.data["text"] += text
    posted.versions.append(posted.text)


def _markdown(given: Arguments) -> str:
    chunks = given.get("chunks") or []
    parts = [each.get("text", "") for each in chunks if each.get("type") == "markdown_text"]
    text = "".join([str(given.get("markdown_text") or ""), *parts])
    if len(text) > MARKDOWN_CHARACTERS:
        raise ApiError("msg_too_long")
    return text


def _page(found: list[Posted], given: Arguments) -> Json:
    """One page; its cursor is the place where the next begins."""
    oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or "inf")
    rest = [each for each in found if oldest < float(each.ts) < latest]
    start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
    page, more = rest[start : start + limit], len(rest) > start + limit
    hidden = set() if given.get("include_all_metadata") else {"metadata"}
    shown = [{k: v for k, v in each.data.items() if k not in hidden} for each in page]
    following = {"response_metadata": {"next_cursor": str(start + limit)}} if more else {}
    return {"messages": shown, "has_more": more, **following}
