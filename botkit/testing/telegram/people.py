"""A person on the simulated Telegram."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botkit.testing.telegram.formatting import utf16
from botkit.testing.telegram.state import Chat, Json, Said, User

if TYPE_CHECKING:
    from botkit.testing.telegram.simulator import TelegramSimulator

_MARKED = re.compile(r"(?<!\S)/[a-z0-9_]{1,32}(?:@\w+)?|@\w{5,32}", re.IGNORECASE)


@dataclass
class Person:
    """Says things; the bot gets what its privacy mode lets it see.

    Fields:
        chat: The private chat with the bot.
    """

    telegram: TelegramSimulator
    user: User
    chat: Chat

    def send(
        self,
        text: str,
        *,
        chat: Chat | None = None,
        reply_to: Said | None = None,
        topic: int | None = None,
    ) -> Said:
        """Say something, in a group or to the bot alone."""
        entities = entities_of(text)
        fields: Json = {"text": text, **({"entities": entities} if entities else {})}
        return self._post(fields, chat, reply_to, topic)

    def send_photo(self, data: bytes, caption: str = "", *, chat: Chat | None = None) -> Said:
        """Send a photo."""
        size = {**self._file("photo.jpg", data), "width": 2, "height": 2}
        return self._post({"photo": [size], **_caption(caption)}, chat)

    def send_voice(self, data: bytes, *, chat: Chat | None = None) -> Said:
        """Send a voice message."""
        voice = {**self._file("voice.ogg", data), "duration": 1, "mime_type": "audio/ogg"}
        return self._post({"voice": voice}, chat)

    def send_document(self, name: str, data: bytes, media_type: str, caption: str = "") -> Said:
        """Send a file."""
        document = {**self._file(name, data), "file_name": name, "mime_type": media_type}
        return self._post({"document": document, **_caption(caption)}, None)

    def send_sticker(self) -> Said:
        """Send a sticker."""
        still = {"is_animated": False, "is_video": False}
        sticker = {**self._file("s.webp", b"s"), "width": 2, "height": 2, "emoji": "🙂"}
        return self._post({"sticker": {**sticker, "type": "regular", **still}}, None)

    def send_location(self) -> Said:
        """Send a place."""
        return self._post({"location": {"latitude": 38.7, "longitude": -9.1}}, None)

    def click(self, said: Said, label: str) -> str:
        """Press a button under a message; the id of the query.

        Raises:
            KeyError: There is no such button.
        """
        button = said.buttons[label]
        state = self.telegram.state
        query = f"query-{next(state.numbers)}"
        state.callbacks.add(query)
        callback = {
            "id": query,
            "from": self.user.to_json(),
            "chat_instance": "1",
            "message": said.data,
            "data": button["callback_data"],
        }
        self.telegram.deliveries.send(said.data["chat"]["id"], {"callback_query": callback})
        return query

    def block(self) -> None:
        """Block the bot."""
        self.chat.blocked = True

    def _file(self, name: str, data: bytes) -> Json:
        return self.telegram.state.keep_file(name, data)

    def _post(
        self,
        fields: Json,
        chat: Chat | None,
        reply_to: Said | None = None,
        topic: int | None = None,
    ) -> Said:
        chat = chat or self.chat
        if reply_to is not None:
            fields["reply_to_message"] = reply_to.data
        if topic is not None:
            fields |= {"message_thread_id": topic, "is_topic_message": True}
        said = self.telegram.state.post(chat, self.user, fields)
        if chat.type == "private" or self._bot_may_see(said):
            self.telegram.deliveries.send(chat.id, {"message": said.data})
        return said

    def _bot_may_see(self, said: Said) -> bool:
        """Privacy mode (https://core.telegram.org/bots/features#privacy-mode)."""
        bot = self.telegram.state.bot
        replied = said.data.get("reply_to_message", {}).get("from", {})
        mentioned = f"@{bot.username}".lower() in said.text.lower()
        return said.text.startswith("/") or mentioned or replied.get("id") == bot.id


def entities_of(text: str) -> list[dict[str, Any]]:
    """The commands and mentions that Telegram marks, in UTF-16 units."""
    return [
        {
            "type": "mention" if found[0].startswith("@") else "bot_command",
            "offset": utf16(text[: found.start()]),
            "length": utf16(found[0]),
        }
        for found in _MARKED.finditer(text)
    ]


def _caption(caption: str) -> Json:
    return {"caption": caption} if caption else {}
