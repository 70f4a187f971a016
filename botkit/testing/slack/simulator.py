"""Slack's Web API, Events API and Socket Mode on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from botkit.testing.faults import Fault, Faults, cut
from botkit.testing.slack.arguments import arguments_of, token_of
from botkit.testing.slack.deliveries import Deliveries
from botkit.testing.slack.events import envelope, message_event
from botkit.testing.slack.methods import METHODS
from botkit.testing.slack.oauth import OAuth, another
from botkit.testing.slack.people import Person
from botkit.testing.slack.responses import acknowledged, respond
from botkit.testing.slack.socket_mode import SocketMode
from botkit.testing.slack.state import ApiError, Channel, Json, Posted, ResponseUrl, State

BOT_TOKEN = "xoxb-simulated"
APP_TOKEN = "xapp-simulated"
SIGNING_SECRET = "simulated-signing-secret"
BODY_BYTES = 60 << 20
RESPONSE_URL = "response_url"


@dataclass(frozen=True)
class Call:
    """One call of the app's; ``error`` is empty when it was done.

    Messages to a response URL are there too, as the method :data:`RESPONSE_URL`.
    """

    method: str
    arguments: Mapping[str, Any]
    error: str = ""


class SlackSimulator:
    """A stateful workspace with people in it; an asynchronous context manager.

    Point a bot at it with ``SLACK_API_BASE_URL=simulator.api_base_url``, its tokens and its signing
    secret, and set ``simulator.deliveries.url`` to the bot's ``/slack/events``; without that, the
    bot gets its events over Socket Mode.

    Args:
        time_scale: Pauses between deliveries are multiplied by it; 0.001 makes retries quick.
        own_messages: The app hears of its own messages, as it does on Slack.
    """

    def __init__(self, *, time_scale: float = 1.0, own_messages: bool = False) -> None:
        self.own_messages = own_messages
        self.bot_token, self.app_token = BOT_TOKEN, APP_TOKEN
        self.signing_secret = SIGNING_SECRET
        self.state = State()
        self.deliveries = Deliveries(SIGNING_SECRET, time_scale=time_scale, answered=self._said)
        self.oauth = OAuth({self.state.team: self.state})
        self.faults = Faults()
        self.calls: list[Call] = []
        self.revoked = False
        self.api_base_url = ""
        self._root = ""
        self._sockets = SocketMode(self.state, self.deliveries)
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_route("*", "/api/{method}", self._answer)
        app.router.add_routes(self.oauth.routes())
        app.router.add_get("/socket", self._sockets.connect)
        app.router.add_post("/respond/{id}", self._respond)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_get("/files/{id}", self._download)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._root = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.api_base_url = f"http://{self._root}/api/"
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

    def user(self, name: str, *, locale: str = "en-US", timezone: str = "Europe/Lisbon") -> Person:
        """A new person, with a direct message with the app."""
        number = f"U{len(self.state.users) + 1:04d}"
        profile = {"display_name": name, "real_name": name}
        self.state.users[number] = {
            "id": number,
            "team_id": self.state.team,
            "name": name.lower(),
            "real_name": name,
            "deleted": False,
            "is_bot": False,
            "profile": profile,
            "locale": locale,
            "tz": timezone,
        }
        channel = Channel(f"D{number[1:]}", name, direct=True, owner=number)
        self.state.channels[channel.id] = channel
        return Person(self, number, name, channel)

    def channel(self, name: str, *, joined: bool = True) -> Channel:
        """A new public channel, by default with the app in it."""
        channel = Channel(f"C{len(self.state.channels) + 1:04d}", name, joined=joined)
        self.state.channels[channel.id] = channel
        return channel

    def workspace(self, team: str) -> SlackSimulator:
        """Another workspace on the same Slack, with people of its own; it may add the app too."""
        other = copy.copy(self)
        other.state = self.oauth.states[team] = another(self.state, team)
        return other

    @property
    def bot(self) -> str:
        """What to write to mention the bot."""
        return f"<@{self.state.bot_user}>"

    def response_url(self, channel: Channel, user: str, posted: Posted | None = None) -> str:
        """A URL that takes answers to a command, or to a button of ``posted``."""
        number = f"r{next(self.state.numbers)}"
        self.state.urls[number] = ResponseUrl(channel, user, posted)
        return f"http://{self._root}/respond/{number}"

    def file_url(self, file_id: str) -> str:
        """Where the app downloads a file."""
        return f"http://{self._root}/files/{file_id}"

    # Watching

    async def replies(
        self, channel: Channel, count: int, *, thread: str = "", within: float = 30.0
    ) -> list[Posted]:
        """The app's finished messages since a person last spoke there, once there are ``count``.

        Raises:
            TimeoutError: There were fewer after ``within`` seconds.
        """
        async with asyncio.timeout(within):
            while len(found := self._since_last_person(channel, thread)) < count:
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

    def said(self, channel: Channel) -> list[str]:
        """The texts of the app's messages as they are now."""
        return [each.text for each in channel.posted if each.from_bot]

    def transcript(self, channel: Channel) -> str:
        """Who said what, a line each."""
        names = {user["id"]: user["profile"]["display_name"] for user in self.state.users.values()}
        return "\n".join(
            f"{names.get(each.data['user'], 'bot')}: {each.text}" for each in channel.posted
        )

    def _done(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method and not call.error]

    def _since_last_person(self, channel: Channel, thread: str) -> list[Posted]:
        found: list[Posted] = []
        for posted in channel.posted:
            if thread in ("", posted.thread, posted.ts):
                found = [*found, posted] if posted.from_bot else []
        return [posted for posted in found if not posted.streaming]

    # The server

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        given = await arguments_of(request)
        fault = self.faults.next(method)
        try:
            if (refused := self._fail(request, fault)) is not None:
                self._note(Call(method, given, "fault"))
                return refused
            if fault is not None and fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            if method == "oauth.v2.access":
                result = self.oauth.access(given, request.headers.get("Authorization", ""))
            else:
                result = self._do(method, given, token_of(request, given))
        except ApiError as error:
            self._note(Call(method, given, error.code))
            detail = {"response_metadata": {"messages": [error.detail]}} if error.detail else {}
            return web.json_response({"ok": False, "error": error.code, **detail})
        self._note(Call(method, given))
        if fault is not None and fault.kind == "drop_after":
            cut(request)
        return web.json_response({"ok": True, **result})

    def _note(self, call: Call) -> None:
        self.calls.append(call)
        self._changed.set()

    def _fail(self, request: web.Request, fault: Fault | None) -> web.Response | None:
        if fault is None:
            return None
        if fault.kind == "drop_before":
            cut(request)
        if fault.kind == "429":
            body = {"ok": False, "error": "ratelimited"}
            return web.json_response(
                body, status=429, headers={"Retry-After": f"{fault.seconds:g}"}
            )
        if fault.kind == "5xx":
            return web.Response(status=503, text="upstream")
        if fault.kind == "error":
            raise ApiError(fault.reason)
        return None

    def _do(self, method: str, given: Json, token: str) -> Json:
        if method == "apps.connections.open":
            if token != self.app_token:
                raise ApiError("invalid_auth")
            return self._sockets.open(self._root)
        if not token:
            raise ApiError("not_authed")
        state = self._workspace_of(token)
        if method == "files.getUploadURLExternal":
            number = f"F{next(self.state.numbers)}"
            self.state.files[number] = (str(given.get("filename") or ""), b"")
            return {"file_id": number, "upload_url": f"http://{self._root}/upload/{number}"}
        if method not in METHODS:
            raise ApiError("unknown_method")
        result = METHODS[method](state, given)
        if self.own_messages and method == "chat.postMessage":
            channel = state.channel(result["channel"])
            if (posted := channel.find(result["ts"])) is not None:
                event = envelope(state, message_event(channel, posted))
                self.deliveries.send("events_api", event)
        return result

    def _workspace_of(self, token: str) -> State:
        if token != self.bot_token:
            return self.oauth.state(token)
        if self.revoked:
            raise ApiError("token_revoked")
        return self.state

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        found = self.state.urls.get(request.match_info["id"])
        if found is None:
            return web.Response(status=404, text="expired_url")
        try:
            body = json.loads(await request.text())
        except ValueError:
            body = None
        try:
            respond(self.state, found, body)
        except ApiError as error:
            self._note(Call(RESPONSE_URL, body or {}, error.code))
            return web.Response(status=404 if error.code == "used_url" else 400, text=error.code)
        self._note(Call(RESPONSE_URL, body))
        return web.Response(text="ok")

    def _said(self, payload: Json, text: str) -> None:
        """What the app said when it acknowledged; Slack shows an error for what it cannot read."""
        with contextlib.suppress(ApiError):
            acknowledged(self.state, payload, text)
        self._changed.set()

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["id"]
        if number not in self.state.files:
            return web.Response(status=404)
        self.state.files[number] = (self.state.files[number][0], await request.read())
        return web.Response(text="OK")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        try:
            self._workspace_of(token_of(request, {}))
        except ApiError:
            return web.Response(text="<html>Sign in to Slack</html>", content_type="text/html")
        found = self.state.files.get(request.match_info["id"])
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found[1], content_type="application/octet-stream")
