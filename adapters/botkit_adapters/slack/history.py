"""Looking for the bot's own messages whose answer was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from botkit.errors import DeliveryRefusedError
from botkit.types import Json
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.marks import mark_of

PAGE = 200
"""Messages at once (https://docs.slack.dev/reference/methods/conversations.history)."""

PAGES = 10

HEAD = 20
"""Letters of a stream by which it is known again."""


class History:
    """What was said in a channel or thread since something.

    Args:
        bot_user: The bot's user id in a workspace; empty where it is not known.
    """

    def __init__(self, calls: Calls, bot_user: Callable[[str], str]) -> None:
        self._calls = calls
        self._bot_user = bot_user

    async def marked(self, to: Mapping[str, Any], mark: str) -> str | None:
        """The message with a mark.

        Raises:
            DeliveryError: Nobody can tell.
        """
        async for message in self._since(to, to.get("since", "")):
            if mark_of(message) == mark:
                return str(message["ts"])
        return None

    async def preview(self, to: Mapping[str, Any], opening: Json) -> str | None:
        """The preview that was opened, or was not, as ``opening`` says.

        A stream takes no metadata. It is the message of this bot, in that thread, that came after
        what it answers, bears no mark (every finished one does), carries no file, and begins with
        the words with which it was to be opened; anything else stays untouched.

        Raises:
            DeliveryError: Nobody can tell.
        """
        async for message in self._since(to, opening["since"]):
            if mark_of(message) == opening["mark"]:
                return str(message["ts"])
            if opening["stream"] and self._is_stream(message, to["team"], opening["head"]):
                return str(message["ts"])
        return None

    def _is_stream(self, message: Mapping[str, Any], team: str, head: str) -> bool:
        bot = self._bot_user(team)
        own = bool(bot) and message.get("user") == bot
        bare = not mark_of(message) and not message.get("files")
        known = bool(head) and letters(str(message.get("text"))).startswith(head)
        return own and bare and known

    async def _since(self, to: Mapping[str, Any], since: str) -> AsyncIterator[Mapping[str, Any]]:
        """The messages after ``since``, page by page.

        A thread comes oldest first, and so does a channel from a given message on.

        Raises:
            DeliveryError: They cannot be read, or are too many.
        """
        method = "conversations.replies" if to["thread"] else "conversations.history"
        arguments: dict[str, Any] = {
            "channel": to["channel"],
            "include_all_metadata": True,
            "limit": PAGE,
            **({"ts": to["thread"]} if to["thread"] else {}),
            **({"oldest": since} if since else {}),
        }
        for _ in range(PAGES):
            answer = await self._calls.call(to["team"], method, arguments)
            for message in answer.get("messages", []):
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            arguments["cursor"] = cursor
        if since or to["thread"]:
            raise DeliveryRefusedError("too much was said since to look through")
        # Without a message to begin at, the newest of the channel came first: it is not there.


def letters(text: str) -> str:
    """The first letters and digits of a text: what Slack shows of it in any case."""
    return "".join(each for each in text if each.isalnum())[:HEAD]
