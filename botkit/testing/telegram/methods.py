"""The Bot API's methods (https://core.telegram.org/bots/api), as far as chat bots use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from botkit.testing.telegram.state import ApiError, Chat, Json, Said, State

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
CALLBACK_BYTES = 64
DOWNLOAD_BYTES = 20 << 20

Arguments = Mapping[str, Any]


def utf16(text: str) -> int:
    """The length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def get_me(state: State, given: Arguments) -> Any:
    """The bot."""
    return {
        **state.bot.to_json(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def send_message(state: State, given: Arguments) -> Any:
    """A text."""
    chat = state.writable(_need(given, "chat_id"))
    fields = {"text": _text(given, TEXT_UNITS), **_entities(given, "text")}
    return _post(state, chat, given, fields)


def send_message_draft(state: State, given: Arguments) -> Any:
    """A text that shows for thirty seconds while a message is written."""
    chat = state.writable(_need(given, "chat_id"))
    if chat.type != "private":
        raise ApiError(400, "Bad Request: chat type is not supported")
    if not int(_need(given, "draft_id")):
        raise ApiError(400, "Bad Request: draft identifier must be non-zero")
    text = str(given.get("text") or "")
    if utf16(text) > TEXT_UNITS:
        raise ApiError(400, "Bad Request: message is too long")
    chat.drafts.append(text)
    return True


def edit_message_text(state: State, given: Arguments) -> Any:
    """Another text for a message of the bot's."""
    said = _own(state, given)
    fields = {"text": _text(given, TEXT_UNITS), **_entities(given, "text"), **_markup(given)}
    before = {name: said.data.get(name) for name in ("text", "entities", "reply_markup")}
    if before == {name: fields.get(name) for name in before}:
        raise ApiError(
            400,
            "Bad Request: message is not modified: specified new message content and reply markup "
            "are exactly the same as a current content and reply markup of the message",
        )
    for name in before:
        said.data.pop(name, None)
    said.data.update(fields)
    said.versions.append(said.text)
    return said.data


def delete_message(state: State, given: Arguments) -> Any:
    """Remove a message."""
    chat = state.writable(_need(given, "chat_id"))
    said = chat.find(int(_need(given, "message_id")))
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
    state.callbacks.discard(query)
    return True


def send_chat_action(state: State, given: Arguments) -> Any:
    """Typing and the like."""
    state.writable(_need(given, "chat_id"))
    if _need(given, "action") not in ("typing", "upload_photo", "upload_document", "record_voice"):
        raise ApiError(400, "Bad Request: wrong parameter action in request")
    return True


def set_my_commands(state: State, given: Arguments) -> Any:
    """The menu of commands."""
    commands = _need(given, "commands")
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
    size = len(state.files[file_id][1])
    if size > DOWNLOAD_BYTES:
        raise ApiError(400, "Bad Request: file is too big")
    return {
        "file_id": file_id,
        "file_unique_id": f"u-{file_id}",
        "file_size": size,
        "file_path": f"files/{file_id}",
    }


def _sender(field: str) -> Callable[[State, Arguments], Any]:
    """The method that sends one kind of file."""

    def send(state: State, given: Arguments) -> Any:
        chat = state.writable(_need(given, "chat_id"))
        upload = _need(given, field)
        if not isinstance(upload, tuple):
            raise ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
        caption = str(given.get("caption") or "")
        if utf16(caption) > CAPTION_UNITS:
            raise ApiError(400, "Bad Request: message caption is too long")
        shown: Any = state.keep_file(*upload)
        shown = [{**shown, "width": 1, "height": 1}] if field == "photo" else shown
        return _post(
            state, chat, given, {field: shown, **({"caption": caption} if caption else {})}
        )

    return send


METHODS: Mapping[str, Callable[[State, Arguments], Any]] = {
    "getme": get_me,
    "sendmessage": send_message,
    "sendmessagedraft": send_message_draft,
    "editmessagetext": edit_message_text,
    "deletemessage": delete_message,
    "answercallbackquery": answer_callback_query,
    "sendchataction": send_chat_action,
    "setmycommands": set_my_commands,
    "getmycommands": lambda state, given: state.commands,
    "getfile": get_file,
    "sendphoto": _sender("photo"),
    "senddocument": _sender("document"),
    "sendvoice": _sender("voice"),
    "sendaudio": _sender("audio"),
    "getchat": lambda state, given: state.writable(_need(given, "chat_id")).to_json(),
}
"""By name in small letters: Telegram takes any case."""


def _need(given: Arguments, name: str) -> Any:
    if given.get(name) in (None, ""):
        raise ApiError(400, f"Bad Request: parameter {name} is required")
    return given[name]


def _post(state: State, chat: Chat, given: Arguments, fields: Json) -> Json:
    reply = given.get("reply_parameters") or {}
    if reply:
        found = chat.find(int(reply["message_id"]))
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
    said = chat.find(int(_need(given, "message_id")))
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


def _entities(given: Arguments, field: str) -> Json:
    """The entities, each within the text and not through the middle of a character."""
    entities = given.get("entities") or []
    length = utf16(str(given[field]))
    for entity in entities:
        offset, size = entity.get("offset"), entity.get("length")
        if not (isinstance(offset, int) and isinstance(size, int)):
            raise ApiError(400, "Bad Request: can't parse entities: no offset or length")
        if offset < 0 or size <= 0 or offset + size > length:
            raise ApiError(400, "Bad Request: ENTITY_BOUNDS_INVALID")
    return {"entities": entities} if entities else {}


def _markup(given: Arguments) -> Json:
    markup = given.get("reply_markup")
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            if not button.get("text"):
                raise ApiError(
                    400, "Bad Request: text buttons are unallowed in the inline keyboard"
                )
            data = button.get("callback_data")
            if data is not None and not 0 < len(data.encode()) <= CALLBACK_BYTES:
                raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    return {"reply_markup": markup} if markup else {}
