"""Telegram's Bot API on loopback."""

from __future__ import annotations

import asyncio
import copy
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from botkit.testing.faults import Fault, Faults, cut
from botkit.testing.telegram.arguments import arguments_of
from botkit.testing.telegram.deliveries import Deliveries, Webhook
from botkit.testing.telegram.methods import METHODS
from botkit.testing.telegram.people import Person
from botkit.testing.telegram.state import ApiError, Chat, Json, Said, State, User

TOKEN = "700000001:SIMULATED-TOKEN_of-nobody"
BODY_BYTES = 60 << 20


@dataclass(frozen=True)
class Call:
    """One call of the bot's.

    Fields:
        method: As Telegram spells it, ``sendMessage``.
        arguments: What came, numbers and JSON decoded.
        error: Why it was refused; empty when it was done.
        result: What it answered.
    """

    method: str
    arguments: Mapping[str, Any]
    error: str = ""
    result: Any = None


class TelegramSimulator:
    """A stateful Telegram with people in it; an asynchronous context manager.

    Point a bot at it with ``TELEGRAM_API_BASE_URL=simulator.api_base_url`` and
    ``TELEGRAM_BOT_TOKEN=simulator.bot_token``. Without a webhook the bot polls.

    Args:
        username: The bot's.
        time_scale: Pauses between deliveries are multiplied by it; 0.01 makes retries quick.
    """

    def __init__(self, username: str = "test_bot", *, time_scale: float = 1.0) -> None:
        self.bot_token = TOKEN
        self.state = State(User(int(TOKEN.split(":")[0]), "Test bot", username, is_bot=True))
        self.deliveries = Deliveries(time_scale)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.api_base_url = ""
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/files/{file_id}", self._download)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.api_base_url = f"http://127.0.0.1:{port}/bot"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.deliveries.aclose()
        if self._runner is not None:
            await self._runner.cleanup()

    # The people

    def user(self, name: str, *, language_code: str = "en") -> Person:
        """A new person, with a private chat with the bot."""
        number = 100 + len(self.state.users)
        user = User(number, name, name.lower(), language_code)
        self.state.users[number] = user
        self.state.chats[number] = Chat(number, "private", name)
        return Person(self, user, self.state.chats[number])

    def group(self, title: str, *, forum: bool = False) -> Chat:
        """A new group with the bot in it; with ``forum`` a supergroup with topics."""
        number = -(1_000_000_000_000 if forum else 0) - 500 - len(self.state.chats)
        chat = Chat(number, "supergroup" if forum else "group", title, is_forum=forum)
        self.state.chats[number] = chat
        return chat

    def migrate(self, group: Chat) -> Chat:
        """The group becomes a supergroup with another id; the bot is told."""
        chat = Chat(group.id - 1_000_000_000_000, "supergroup", group.title)
        self.state.chats[chat.id] = chat
        owner = next(iter(self.state.users.values()))
        note = self.state.post(group, owner, {"migrate_to_chat_id": chat.id})
        group.moved_to = chat.id
        self.deliveries.send(group.id, {"message": note.data})
        return chat

    def set_webhook(self, url: str, secret: str = "") -> None:
        """Deliver to ``url``, as if the bot had called setWebhook."""
        self.deliveries.set_webhook(Webhook(url, secret))

    # Watching

    def said(self, chat: Chat) -> list[str]:
        """The texts of the bot's messages as they are now, in order."""
        return [each.text for each in chat.messages if each.from_bot]

    async def replies(self, chat: Chat, count: int, *, within: float = 30.0) -> list[Said]:
        """The bot's messages since a person last spoke, once there are ``count``.

        Raises:
            TimeoutError: There were fewer after ``within`` seconds.
        """
        async with asyncio.timeout(within):
            while len(found := self._since_last_person(chat)) < count:
                self._changed.clear()
                await self._changed.wait()
        return found

    async def called(self, method: str, count: int = 1, *, within: float = 30.0) -> list[Call]:
        """The calls of a method that were done, once there are ``count``.

        Raises:
            TimeoutError: There were fewer after ``within`` seconds.
        """
        async with asyncio.timeout(within):
            while len(found := self._done(method)) < count:
                self._changed.clear()
                await self._changed.wait()
        return found

    def transcript(self, chat: Chat) -> str:
        """Who said what, a line each."""
        return "\n".join(
            f"{each.data['from']['first_name']}: {each.text}" for each in chat.messages
        )

    def _done(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method and not call.error]

    def _since_last_person(self, chat: Chat) -> list[Said]:
        found: list[Said] = []
        for said in chat.messages:
            found = [*found, said] if said.from_bot else []
        return found

    # The server

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault = self.faults.next(method)
        given: Json = {}
        try:
            given = await arguments_of(request)
            self._check(request, fault)
            if fault is not None and fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            result = await self._do(method, given)
        except ApiError as error:
            self._note(Call(method, given, error.description))
            return _refusal(error)
        self._note(Call(method, given, result=copy.deepcopy(result)))
        if fault is not None and fault.kind == "drop_after":
            cut(request)
        return web.json_response({"ok": True, "result": result})

    def _note(self, call: Call) -> None:
        self.calls.append(call)
        self._changed.set()

    def _check(self, request: web.Request, fault: Fault | None) -> None:
        """Refuse a wrong token, and what a fault says."""
        if request.match_info["token"] != self.bot_token:
            raise ApiError(401, "Unauthorized")
        if fault is None:
            return
        if fault.kind == "drop_before":
            cut(request)
        elif fault.kind == "429":
            seconds = int(fault.seconds) if fault.seconds >= 1 else fault.seconds
            words = f"Too Many Requests: retry after {seconds}"
            raise ApiError(429, words, {"retry_after": seconds})
        elif fault.kind == "5xx":
            raise ApiError(502, "Bad Gateway")
        elif fault.kind == "error":
            code = 403 if fault.reason.startswith("Forbidden") else 400
            raise ApiError(code, fault.reason or "Bad Request")

    async def _do(self, method: str, given: Json) -> Any:
        name = method.lower()
        if name == "getupdates":
            self._allow(given)
            return await self.deliveries.get_updates(
                given.get("offset"), int(given.get("limit", 100)), float(given.get("timeout", 0))
            )
        if name == "setwebhook":
            return self._set_webhook(given)
        if name == "deletewebhook":
            return self._delete_webhook(given)
        if name == "getwebhookinfo":
            return self._webhook_info()
        if name not in METHODS:
            raise ApiError(404, "Not Found")
        return METHODS[name](self.state, given)

    def _set_webhook(self, given: Json) -> bool:
        url, secret = str(given.get("url") or ""), str(given.get("secret_token") or "")
        if not url:
            return self._delete_webhook(given)
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise ApiError(400, "Bad Request: secret token contains unallowed characters")
        if not re.match(r"https://|http://127\.0\.0\.1[:/]", url):
            raise ApiError(
                400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
            )
        self._allow(given)
        if given.get("drop_pending_updates"):
            self.deliveries.drop()
        self.set_webhook(url, secret)
        return True

    def _delete_webhook(self, given: Json) -> bool:
        if given.get("drop_pending_updates"):
            self.deliveries.drop()
        self.deliveries.set_webhook(None)
        return True

    def _webhook_info(self) -> Json:
        hook, error = self.deliveries.webhook, self.deliveries.last_error
        shown: Json = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": self.deliveries.waiting,
        }
        if hook and error:
            shown |= {"last_error_date": int(time.time()), "last_error_message": error}
        return shown

    def _allow(self, given: Json) -> None:
        """Which updates the bot wants; without a list it stays as it was."""
        if given.get("allowed_updates") is not None:
            self.deliveries.allowed = frozenset(given["allowed_updates"])

    async def _download(self, request: web.Request) -> web.StreamResponse:
        found = self.state.files.get(request.match_info["file_id"])
        if found is None or request.match_info["token"] != self.bot_token:
            return web.json_response({"ok": False, "error_code": 404}, status=404)
        return web.Response(body=found[1])


def _refusal(error: ApiError) -> web.Response:
    body: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return web.json_response(body, status=error.code)
