"""Telegram's side of a benchmark: updates to post, and a stub that takes what is sent."""

from __future__ import annotations

import asyncio
import time
from typing import Any

SECRET = "bench"
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
TOKEN = "9000000:BENCH"
"""No chat of a benchmark has this number: a bot does not answer itself."""
BOT = {"id": 9_000_000, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}


def update(number: int, chat: int) -> dict[str, Any]:
    """A message in a private chat; its text is ``message NUMBER``."""
    person = {"id": chat, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    message = {
        "message_id": number,
        "date": 1_800_000_000,
        "chat": {"id": chat, "type": "private", "first_name": "Ada"},
        "from": person,
        "text": f"message {number}",
    }
    return {"update_id": number, "message": message}


class Sends:
    """Takes every call of the Bot API, and notes when a message left."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self.changed = asyncio.Event()

    async def call(self, method: str, arguments: Any = None, **named: Any) -> Any:
        """The answer to any method."""
        if method != "sendMessage":
            return BOT
        self.times[arguments["text"]] = time.perf_counter()
        self.changed.set()
        chat = {"id": int(arguments["chat_id"]), "type": "private"}
        return {
            "message_id": 1,
            "date": 1,
            "chat": chat,
            "from": BOT,
            "text": arguments["text"],
        }

    async def sent(self, text: str) -> float:
        """When that text left."""
        while text not in self.times:
            self.changed.clear()
            await self.changed.wait()
        return self.times[text]
