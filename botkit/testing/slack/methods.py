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
    channel = state.channel(_need(given, "channel"))
    posted = state.post(channel, _content(state, channel, given), from_bot=True)
    return {"channel": channel.id, "ts": posted.ts, "message": posted.data}


def post_ephemeral(state: State, given: Arguments) -> Json:
    """A message that one person sees."""
    channel = state.channel(_need(given, "channel"))
    if str(_need(given, "user")) not in state.users:
        raise ApiError("user_not_in_channel")
    posted = state.post(channel, _content(state, channel, given), from_bot=True)
    posted.seen_by = str(given["user"])
    return {"message_ts": posted.ts}


def update(state: State, given: Arguments) -> Json:
    """Another content for a message of the app's."""
    channel, posted = _own(state, given)
    if posted.streaming:
        raise ApiError("streaming_state_conflict")
    content = _content(state, channel, given)
    if len(str(content.get("text", ""))) > UPDATE_CHARACTERS:
        raise ApiError("msg_too_long")
    posted.data.pop("blocks", None)
    posted.data.update(content)
    posted.versions.append(posted.text)
    return {"channel": channel.id, "ts": posted.ts, "text": posted.data.get("text", "")}


def delete(state: State, given: Arguments) -> Json:
    """Remove a message of the app's."""
    channel, posted = _own(state, given)
    channel.posted.remove(posted)
    return {"channel": channel.id, "ts": posted.ts}


def start_stream(state: State, given: Arguments) -> Json:
    """A message that grows."""
    channel = state.channel(_need(given, "channel"))
    thread = str(_need(given, "thread_ts"))
    if channel.find(thread) is None:
        raise ApiError("invalid_thread_ts")
    if not channel.direct and not (
        given.get("recipient_user_id") and given.get("recipient_team_id")
    ):
        raise ApiError("missing_recipient_user_id")
    text = _markdown(given)
    posted = state.post(
        channel, {**_author(state), "thread_ts": thread, "text": text}, from_bot=True
    )
    posted.streaming, posted.streamed_at = True, time.monotonic()
    return {"channel": channel.id, "ts": posted.ts}


def append_stream(state: State, given: Arguments) -> Json:
    """More of a growing message."""
    channel, posted = _streaming(state, given)
    _need(given, "markdown_text")
    _grow(posted, _markdown(given))
    return {"channel": channel.id, "ts": posted.ts}


def stop_stream(state: State, given: Arguments) -> Json:
    """The end of a growing message."""
    channel, posted = _streaming(state, given)
    blocks = check_blocks(given.get("blocks"))
    _grow(posted, _markdown(given))
    posted.streaming = False
    if blocks:
        posted.data["blocks"] = [{"type": "markdown", "text": posted.data["text"]}, *blocks]
    return {"channel": channel.id, "ts": posted.ts, "message": posted.data}


def history(state: State, given: Arguments) -> Json:
    """The newest messages of a channel, newest first."""
    channel = state.channel(_need(given, "channel"))
    top = [each for each in channel.posted if not each.thread and not each.seen_by]
    return _page(list(reversed(top)), given)


def replies(state: State, given: Arguments) -> Json:
    """A thread, oldest first."""
    channel = state.channel(_need(given, "channel"))
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


def set_status(state: State, given: Arguments) -> Json:
    """What the assistant is doing."""
    state.channel(_need(given, "channel_id"))
    _need(given, "thread_ts")
    state.statuses.append(str(given.get("status", "")))
    return {}


def set_prompts(state: State, given: Arguments) -> Json:
    """What the person may want to say."""
    state.channel(_need(given, "channel_id"))
    prompts = _need(given, "prompts")
    if not 1 <= len(prompts) <= 4:
        raise ApiError("invalid_arguments", "1 to 4 prompts")
    state.prompts = list(prompts)
    return {}


def set_title(state: State, given: Arguments) -> Json:
    """The title of an assistant's thread."""
    state.channel(_need(given, "channel_id"))
    state.titles.append(str(_need(given, "title")))
    return {}


def complete_upload(state: State, given: Arguments) -> Json:
    """Share files that were uploaded."""
    channel = state.channel(_need(given, "channel_id"))
    shown = []
    for each in _need(given, "files"):
        if each["id"] not in state.files:
            raise ApiError("file_not_found")
        name, data = state.files[each["id"]]
        shown.append({"id": each["id"], "name": name, "size": len(data)})
    thread = {"thread_ts": given["thread_ts"]} if given.get("thread_ts") else {}
    state.post(channel, {**_author(state), **thread, "text": "", "files": shown}, from_bot=True)
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
    if not (text or blocks):
        raise ApiError("no_text")
    content: Json = {**_author(state), "text": text[:TEXT_CHARACTERS]}
    if blocks:
        content["blocks"] = blocks
    if given.get("metadata"):
        content["metadata"] = given["metadata"]
    if given.get("thread_ts"):
        if channel.find(str(given["thread_ts"])) is None:
            raise ApiError("thread_not_found")
        content["thread_ts"] = str(given["thread_ts"])
    return content


def _own(state: State, given: Arguments) -> tuple[Channel, Posted]:
    channel = state.channel(_need(given, "channel"))
    posted = channel.find(str(_need(given, "ts")))
    if posted is None:
        raise ApiError("message_not_found")
    if not posted.from_bot:
        raise ApiError("cant_update_message")
    return channel, posted


def _streaming(state: State, given: Arguments) -> tuple[Channel, Posted]:
    channel, posted = _own(state, given)
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
    text = str(given.get("markdown_text") or "")
    if len(text) > MARKDOWN_CHARACTERS:
        raise ApiError("msg_too_long")
    return text


def _page(found: list[Posted], given: Arguments) -> Json:
    limit = int(given.get("limit") or 100)
    hidden = set() if given.get("include_all_metadata") else {"metadata"}
    shown = [{k: v for k, v in each.data.items() if k not in hidden} for each in found[:limit]]
    return {"messages": shown, "has_more": len(found) > limit}
