"""What a simulated Telegram remembers: users, chats, messages, drafts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


class ApiError(Exception):
    """An answer with ``"ok": false``.

    Args:
        code: The HTTP status and ``error_code``.
        description: Telegram's words.
        parameters: ``retry_after`` or ``migrate_to_chat_id``.
    """

    def __init__(
        self, code: int, description: str, parameters: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})


@dataclass
class User:
    """A person, or the bot."""

    id: int
    first_name: str
    username: str = ""
    language_code: str = "en"
    is_bot: bool = False

    def to_json(self) -> Json:
        """As the Bot API shows it."""
        shown: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            shown["username"] = self.username
        if not self.is_bot:
            shown["language_code"] = self.language_code
        return shown


@dataclass
class Said:
    """One message of a chat.

    Fields:
        data: The message as the Bot API shows it.
        from_bot: Whether the bot sent it.
        versions: Its texts, the first and after every edit.
    """

    data: Json
    from_bot: bool
    versions: list[str] = field(default_factory=list)

    @property
    def id(self) -> int:
        """Its number in the chat."""
        return int(self.data["message_id"])

    @property
    def text(self) -> str:
        """Its text or caption as it is now."""
        return str(self.data.get("text") or self.data.get("caption") or "")

    @property
    def buttons(self) -> dict[str, Json]:
        """The buttons under it, by label."""
        rows = (self.data.get("reply_markup") or {}).get("inline_keyboard", [])
        return {button["text"]: button for row in rows for button in row}


@dataclass
class Chat:
    """A private chat, a group, a supergroup.

    Fields:
        blocked: The person blocked the bot, or the group threw it out.
        moved_to: The supergroup that this group became.
        drafts: Every draft that the person saw, in order.
    """

    id: int
    type: Literal["private", "group", "supergroup"]
    title: str
    is_forum: bool = False
    blocked: bool = False
    moved_to: int | None = None
    messages: list[Said] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)

    def to_json(self) -> Json:
        """As the Bot API shows it."""
        name = "first_name" if self.type == "private" else "title"
        shown: Json = {"id": self.id, "type": self.type, name: self.title}
        return {**shown, "is_forum": True} if self.is_forum else shown

    def find(self, message_id: int) -> Said | None:
        """The message of that number."""
        return next((said for said in self.messages if said.id == message_id), None)


@dataclass
class State:
    """Everything."""

    bot: User
    users: dict[int, User] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    callbacks: set[str] = field(default_factory=set)
    commands: list[Json] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def post(self, chat: Chat, sender: User, fields: Mapping[str, Any]) -> Said:
        """A new message in ``chat``."""
        data = {
            "message_id": next(self.numbers),
            "from": sender.to_json(),
            "chat": chat.to_json(),
            "date": int(time.time()),
            **fields,
        }
        said = Said(data, from_bot=sender is self.bot)
        said.versions.append(said.text)
        chat.messages.append(said)
        return said

    def keep_file(self, name: str, content: bytes) -> Json:
        """A file on Telegram's servers; its description."""
        file_id = f"file-{next(self.numbers)}"
        self.files[file_id] = (name, content)
        return self.file(file_id)

    def file(self, file_id: str) -> Json:
        """The description of a file."""
        size = len(self.files[file_id][1])
        return {"file_id": file_id, "file_unique_id": f"u-{file_id}", "file_size": size}

    def writable(self, chat_id: Any) -> Chat:
        """The chat, when the bot may write there.

        Raises:
            ApiError: It may not.
        """
        try:
            chat = self.chats.get(int(chat_id))
        except (TypeError, ValueError):
            chat = None
        if chat is None:
            raise ApiError(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": chat.moved_to},
            )
        if chat.blocked and chat.type == "private":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was kicked from the group chat")
        return chat
