"""A visitor of the web widget: strict about the protocol, without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from botkit.bot import Bot
from botkit.testing.served import ServedBot, serving

KINDS = {"reset", "entry", "draft", "status", "bye"}


@dataclass
class Shown:
    """What one page shows; takes events as PROTOCOL.md says, and nothing that it does not say."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    draft: str = ""
    draft_id: str = ""
    draft_of: str = ""
    state: str = ""
    reply_to: str = ""
    cursor: str = ""
    resets: int = 0
    byes: int = 0
    events: list[tuple[str, Any]] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, block: bytes) -> None:
        """One whole event, or a comment."""
        lines = block.decode().split("\n")
        if all(line.startswith(":") for line in lines):
            return
        fields = dict(line.split(": ", 1) for line in lines)
        assert set(fields) <= {"event", "id", "data"}, fields
        name, data = fields["event"], json.loads(fields["data"])
        assert name in KINDS
        assert ("id" in fields) == (name in ("reset", "entry", "draft"))
        self.events.append((name, data))
        getattr(self, f"_{name}")(data)
        self.cursor = fields.get("id", self.cursor)
        self.changed.set()

    def _reset(self, data: Any) -> None:
        assert data == {}
        self.resets += 1
        self.entries, self.draft, self.draft_id, self.draft_of = [], "", "", ""

    def _entry(self, entry: dict[str, Any]) -> None:
        assert all(entry["seq"] > each["seq"] for each in self.entries), entry
        assert all(value not in ("", [], None, False) for value in entry.values()), entry
        gone = entry.get("removes", ())
        assert entry.get("replaces", "") in ("", *gone)
        self.entries = [each for each in self.entries if each["id"] not in gone]
        self.entries.append(entry)
        if entry["role"] == "assistant" and entry.get("reply_to", "") == self.draft_of:
            self.draft = self.draft_id = self.draft_of = ""

    def _draft(self, data: dict[str, Any]) -> None:
        if data["at"] == 0:
            self.draft, self.draft_id = "", data["draft"]
        assert data["draft"] == self.draft_id
        assert data["at"] == len(self.draft), "something is missing, or twice"
        self.draft += data["text"]
        self.draft_of = data.get("reply_to", "")
        self.drafts.append(self.draft)

    def _status(self, data: dict[str, Any]) -> None:
        assert data["state"] in ("idle", "queued", "working")
        self.state, self.reply_to = data["state"], data.get("reply_to", "")

    def _bye(self, data: Any) -> None:
        assert data == {}
        self.byes += 1

    @property
    def texts(self) -> list[str]:
        """What everybody said, in order."""
        return [each.get("text", "") for each in self.entries if each["role"] != "rating"]

    def replies(self, reply_to: str | None = None) -> list[dict[str, Any]]:
        """The bot's entries."""
        return [
            each
            for each in self.entries
            if each["role"] == "assistant" and reply_to in (None, each.get("reply_to"))
        ]

    async def until(self, condition: Callable[[], Any], within: float = 20.0) -> None:
        """Return when ``condition`` holds."""
        async with asyncio.timeout(within):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def answered(self, said: str) -> str:
        """The text of the reply to ``said``, once it is there and nothing goes on."""
        await self.until(lambda: self.replies(said) and self.state == "idle")
        return str(self.replies(said)[-1].get("text", ""))


class Visitor:
    """One browser."""

    def __init__(self, http: aiohttp.ClientSession, address: str, origin: str = "") -> None:
        self.http = http
        self.address = address
        self.origin = origin or address
        self.token = ""
        self.session = ""
        self.about: dict[str, Any] = {}

    @property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Origin": self.origin, **bearer}

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """The status, and the body as JSON."""
        headers = {**self.headers, **options.pop("headers", {})}
        url = f"{self.address}{path}"
        async with self.http.request(method, url, headers=headers, **options) as response:
            body = await response.read()
            self.answer = response
            return response.status, json.loads(body) if body else None

    async def begin(self, **body: Any) -> None:
        """A session, or the one of before."""
        status, self.about = await self.ask("POST", "/web/sessions", json=body)
        assert status == 200, self.about
        self.token, self.session = self.about["token"], self.about["session"]

    async def send(self, **fields: Any) -> tuple[int, Any]:
        """``POST /web/messages``."""
        return await self.ask("POST", "/web/messages", json=fields)

    async def say(self, text: str = "", **fields: Any) -> str:
        """Say something that is taken; its id."""
        said = {"id": str(uuid.uuid4()), "text": text, **fields}
        status, body = await self.send(**said)
        assert status == 202, body
        assert body["id"] == said["id"]
        return str(said["id"])

    async def stop(self, about: str) -> None:
        """The stop button."""
        await self.say(kind="stop", about=about)

    @contextlib.asynccontextmanager
    async def stream(self, cursor: str = "") -> AsyncIterator[aiohttp.ClientResponse]:
        """An open stream."""
        headers = {**self.headers, **({"Last-Event-ID": cursor} if cursor else {})}
        url = f"{self.address}/web/stream"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.http.get(
            url, params={"session": self.session}, headers=headers, timeout=timeout
        ) as response:
            yield response

    async def follow(self, shown: Shown, most: float = float("inf")) -> None:
        """Show what comes, until the server ends the stream or ``most`` bytes came; what came of an
        event in the middle is lost."""
        async with self.stream(shown.cursor) as response:
            assert response.status == 200, await response.text()
            assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            rest, taken = b"", 0
            async for piece in response.content.iter_any():
                rest += piece[: int(min(len(piece), most - taken))]
                taken += len(piece)
                *blocks, rest = rest.split(b"\n\n")
                for block in blocks:
                    shown.take(block)
                if taken >= most:
                    response.close()
                    return

    @contextlib.asynccontextmanager
    async def page(self, shown: Shown | None = None) -> AsyncIterator[Shown]:
        """A page that is open while the block runs."""
        shown = shown or Shown()
        task = asyncio.create_task(self.follow(shown))
        ready = asyncio.create_task(shown.until(lambda: shown.state))
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if task.done():
                task.result()
            yield shown
        finally:
            ready.cancel()
            task.cancel()
            outcome = (await asyncio.gather(task, ready, return_exceptions=True))[0]
            if isinstance(outcome, Exception) and not isinstance(outcome, aiohttp.ClientError):
                raise outcome


@dataclass
class Site(ServedBot):
    """A bot on the web."""

    http: aiohttp.ClientSession

    async def visitor(self, origin: str = "", **body: Any) -> Visitor:
        """Somebody whose session has begun."""
        visitor = Visitor(self.http, self.address, origin)
        await visitor.begin(**body)
        return visitor


@contextlib.asynccontextmanager
async def bot_on_the_web(
    home: Path, bot: Bot | None = None, **settings: Any
) -> AsyncIterator[Site]:
    """The bot, with the widget served."""
    chosen: dict[str, Any] = {"quality_attempts": 0, "cache_seconds": 0, "web_rate": "off"}
    async with (
        serving(bot, web=True, home=home, **{**chosen, **settings}) as served,
        aiohttp.ClientSession() as http,
    ):
        yield Site(served.application, served.completion, served.address, http)
