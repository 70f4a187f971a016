"""The Bot API's methods (https://core.telegram.org/bots/api), as far as chat bots use them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from botkit.testing.telegram.formatting import check_entities, check_parse_mode, utf16
from botkit.testing.telegram.keyboards import check_markup
from botkit.testing.telegram.state import ApiError, Chat, Json, Said, State

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
ANSWER_CHARACTERS = 200
COMMANDS = 100
DOWNLOAD_BYTES = 20 << 20
UPLOAD_BYTES = {"photo": 10 << 20}
OTHER_UPLOAD_BYTES = 50 << 20
PHOTO_SIZE = {"width": 1, "height": 1}
ACTIONS = frozenset(
    {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"}
    | {"upload_document", "choose_sticker", "find_location", "record_video_note"}
    | {"upload_video_note"}
)

Arguments = Mapping[str, Any]


def get_me(state: State, given: Arguments) -> Any:
    """The bot."""
    return {
        **state.bot.to_json(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def send_message(state: State, given: Arguments) -> Any:
    """A text."""
    chat = state.writable(_need(given, "chat_id"))
    fields = {"text": _text(given, TEXT_UNITS), **_entities(given)}
    return _post(state, chat, given, fields)


def send_message_draft(state: State, given: Arguments) -> Any:
    """A text that shows for thirty seconds while a message is written."""
    chat = state.writable(_need(given, "chat_id"))
    if chat.type != "private":
        raise ApiError(400, "Bad Request: chat type is not supported")
    if not _number(given, "draft_id"):
        raise ApiError(400, "Bad Request: draft identifier must be non-zero")
    text = str(given.get("text") or "")
    if utf16(text) > TEXT_UNITS:
        raise ApiError(400, "Bad Request: message is too long")
    _entities(given)
    chat.drafts.append(text)
    return True


def edit_message_text(state: State, given: Arguments) -> Any:
    """Another text for a message of the bot's."""
    said = _own(state, given)
    if "text" not in said.data:
        raise ApiError(400, "Bad Request: there is no text in the message to edit")
    fields = {"text": _text(given, TEXT_UNITS), **_entities(given), **_markup(given, inline=True)}
    return _edit(said, fields, ("text", "entities", "reply_markup"))


def edit_message_reply_markup(state: State, given: Arguments) -> Any:
    """Other buttons under a message of the bot's."""
    return _edit(_own(state, given), _markup(given, inline=True), ("reply_markup",))


def _edit(said: Said, fields: Json, names: tuple[str, ...]) -> Json:
    if all(said.data.get(name) == fields.get(name) for name in names):
        raise ApiError(
            400,
            "Bad Request: message is not modified: specified new message content and reply markup "
            "are exactly the same as a current content and reply markup of the message",
        )
    for name in names:
        said.data.pop(name, None)
    said.data.update(fields, edit_date=int(time.time()))
    said.versions.append(said.text)
    return said.data


def delete_message(state: State, given: Arguments) -> Any:
    """Remove a message."""
    chat = state.writable(_need(given, "chat_id"))
    said = chat.find(_number(given, "message_id"))
    if said is None:
        raise ApiError(400, "Bad Request: message to delete not found")
    chat.messages.remove(said)
    return True


def answer_callback_query(state: State, given: Arguments) -> Any:
    """Confirm the press of a button, once."""
    query = str(_need(given, "callback_query_id"))
    if query not in state.callbacks:
        raise ApiError(
            400,
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
        )
    if len(str(given.get("text") or "")) > ANSWER_CHARACTERS:
        raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
    state.callbacks.discard(query)
    return True


def send_chat_action(state: State, given: Arguments) -> Any:
    """Typing and the like."""
    state.writable(_need(given, "chat_id"))
    if _need(given, "action") not in ACTIONS:
        raise ApiError(400, "Bad Request: wrong parameter action in request")
    return True


def set_my_commands(state: State, given: Arguments) -> Any:
    """The menu of commands."""
    commands = given.get("commands")
    if not isinstance(commands, list):
        raise ApiError(400, "Bad Request: can't parse commands JSON object")
    if len(commands) > COMMANDS:
        raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for each in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(each.get("command"))):
            raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
        if not 1 <= len(str(each.get("description", ""))) <= 256:
            raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
    state.commands = list(commands)
    return True


def get_file(state: State, given: Arguments) -> Any:
    """Where a file can be fetched."""
    file_id = str(_need(given, "file_id"))
    if file_id not in state.files:
        raise ApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    if len(state.files[file_id][1]) > DOWNLOAD_BYTES:
        raise ApiError(400, "Bad Request: file is too big")
    return {**state.file(file_id), "file_path": f"files/{file_id}"}


def get_chat(state: State, given: Arguments) -> Any:
    """A chat, in full."""
    chat = state.writable(_need(given, "chat_id"))
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    return {
        **chat.to_json(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys((*gifts, "gifts_from_channels"), False),
    }


def _sender(field: str, details: Json) -> Callable[[State, Arguments], Any]:
    """The method that sends one kind of file, which is shown with ``details``."""

    def send(state: State, given: Arguments) -> Any:
        chat = state.writable(_need(given, "chat_id"))
        caption = str(given.get("caption") or "")
        if utf16(caption) > CAPTION_UNITS:
            raise ApiError(400, "Bad Request: message caption is too long")
        shown: Any = {**_upload(state, _need(given, field), field), **details}
        fields: Json = {field: [shown] if field == "photo" else shown}
        if caption:
            fields |= {"caption": caption, **_entities(given, "caption")}
        return _post(state, chat, given, fields)

    return send


def _upload(state: State, upload: Any, field: str) -> Json:
    """What was uploaded, or is on Telegram's servers already."""
    if isinstance(upload, str) and upload in state.files:
        return state.file(upload)
    if not isinstance(upload, tuple):
        raise ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
    name, content = upload
    if not content:
        raise ApiError(400, "Bad Request: file must be non-empty")
    if len(content) > UPLOAD_BYTES.get(field, OTHER_UPLOAD_BYTES):
        raise ApiError(413, "Request Entity Too Large")
    shown = state.keep_file(name, content)
    return {**shown, "file_name": name} if field in ("document", "audio") else shown


METHODS: Mapping[str, Callable[[State, Arguments], Any]] = {
    "getme": get_me,
    "sendmessage": send_message,
    "sendmessagedraft": send_message_draft,
    "editmessagetext": edit_message_text,
    "editmessagereplymarkup": edit_message_reply_markup,
    "deletemessage": delete_message,
    "answercallbackquery": answer_callback_query,
    "sendchataction": send_chat_action,
    "setmycommands": set_my_commands,
    "getmycommands": lambda state, given: state.commands,
    "getfile": get_file,
    "sendphoto": _sender("photo", PHOTO_SIZE),
    "senddocument": _sender("document", {}),
    "sendvoice": _sender("voice", {"duration": 1}),
    "sendaudio": _sender("audio", {"duration": 1}),
    "getchat": get_chat,
}
"""By name in small letters: Telegram takes any case."""


def _need(given: Arguments, name: str) -> Any:
    if given.get(name) in (None, ""):
        raise ApiError(400, f"Bad Request: parameter {name} is required")
    return given[name]


def _post(state: State, chat: Chat, given: Arguments, fields: Json) -> Json:
    reply = given.get("reply_parameters") or {}
    if reply:
        found = chat.find(_number(reply, "message_id"))
        if found is not None:
            quoted = {k: v for k, v in found.data.items() if k != "reply_to_message"}
            fields["reply_to_message"] = quoted
        elif not reply.get("allow_sending_without_reply"):
            raise ApiError(400, "Bad Request: message to be replied not found")
    if given.get("message_thread_id"):
        if not chat.is_forum:
            raise ApiError(400, "Bad Request: message thread not found")
        fields |= {"message_thread_id": given["message_thread_id"], "is_topic_message": True}
    return state.post(chat, state.bot, {**fields, **_markup(given)}).data


def _own(state: State, given: Arguments) -> Said:
    chat = state.writable(_need(given, "chat_id"))
    said = chat.find(_number(given, "message_id"))
    if said is None:
        raise ApiError(400, "Bad Request: message to edit not found")
    if not said.from_bot:
        raise ApiError(400, "Bad Request: message can't be edited")
    return said


def _text(given: Arguments, limit: int) -> str:
    text = str(given.get("text") or "")
    if not text.strip():
        raise ApiError(400, "Bad Request: message text is empty")
    if utf16(text) > limit:
        raise ApiError(400, "Bad Request: message is too long")
    return text


def _number(given: Arguments, name: str) -> int:
    try:
        return int(_need(given, name))
    except (TypeError, ValueError):
        raise ApiError(400, f"Bad Request: {name} must be an integer") from None


def _entities(given: Arguments, field: str = "text") -> Json:
    """The entities of a text or caption."""
    name = "caption_entities" if field == "caption" else "entities"
    check_parse_mode(given.get("parse_mode"))
    entities = given.get(name) or []
    check_entities(str(given.get(field) or ""), entities)
    return {name: entities} if entities else {}


def _markup(given: Arguments, *, inline: bool = False) -> Json:
    """The buttons; edits take ``inline`` ones only. Keyboards of other kinds are not shown."""
    markup = given.get("reply_markup")
    check_markup(markup, inline=inline)
    return {"reply_markup": markup} if markup and "inline_keyboard" in markup else {}
