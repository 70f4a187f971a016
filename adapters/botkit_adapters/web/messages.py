"""``POST /web/messages``: what visitors say and press. ``GET /web/messages``: what was said."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from botkit.adapter import Intake
from botkit.feed import Feed, FeedEntry, FeedHead, FeedPage
from botkit.slash import typed_command
from botkit.types import Event, Json
from botkit_adapters.web.body import Id, read_json, too_long
from botkit_adapters.web.correcting import correction
from botkit_adapters.web.files import Files, attachment
from botkit_adapters.web.hub import Hub
from botkit_adapters.web.options import WebOptions
from botkit_adapters.web.rates import Limit
from botkit_adapters.web.refusals import invalid, unavailable
from botkit_adapters.web.session import Session
from botkit_adapters.web.sessions import FILES, LOCALE, Sessions
from botkit_adapters.web.shown import shown

UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

TRIES = 5
"""To correct a message while others are added."""

LATEST = 200
"""Entries among which a message is that is corrected."""

ANSWERED = 20
"""Entries among which the answer is to a command that has erased itself."""

STOPS = "60/minute"
"""Apart from messages: whoever has written a lot may still say that it is enough."""

PAGE = 100
"""Earlier entries at once, at most."""


class Said(BaseModel):
    """What a page sends."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: str = Field(pattern=UUID)
    kind: Literal["message", "command", "action", "stop", "start"] = "message"
    text: str = ""
    files: list[Id] = Field(default_factory=list, max_length=FILES)
    replaces: Id = ""
    # Of a command or a button; those of a button that is there are as long as the bot made them.
    name: str = ""
    value: str = ""
    label: str = ""
    about: Id = ""
    locale: str = Field("", pattern=LOCALE, max_length=64)


class Messages:
    """Takes what is said, once, and keeps it before it says so.

    Args:
        options: How long a message may be, and how often one may come.
        intake: Where it goes.
        hub: Shows it.
        sessions, files: Whose it is, and what came along.
        limit: Shared with ratings.
    """

    def __init__(
        self,
        options: WebOptions,
        intake: Intake,
        hub: Hub,
        sessions: Sessions,
        files: Files,
        limit: Limit,
    ) -> None:
        self._options = options
        self._intake = intake
        self._hub = hub
        self._sessions = sessions
        self._files = files
        self._limit = limit
        self._stops = Limit(STOPS)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Keep what a visitor says."""
        session = await self._sessions.of(request)
        said = await read_json(request, Said, self._options.characters)
        if said.kind == "stop":
            self._stops.take(session.id)
            seq = await self._stop(session, said)
            return web.json_response({"id": said.id, "seq": seq}, status=202)
        self._limit.take(session.id)
        if said.kind == "start":
            seq = await self._start(session, said)
        else:
            seq = await self.say(session, said)
        return web.json_response({"id": said.id, "seq": seq}, status=202)

    async def earlier(self, request: web.Request) -> web.StreamResponse:
        """What was said before a number."""
        session = await self._sessions.of(request)
        tokens = await self._sessions.tokens()
        before = _number(request, "before", 1 << 53)
        limit = min(_number(request, "limit", 50), PAGE)
        page = await self._feed.before(session.conversation, before, limit + 1)
        entries = [shown(entry, tokens, session.id) for entry in page.entries[-limit:]]
        more = len(page.entries) > limit
        return web.json_response(
            {"entries": entries, "more": more}, headers={"Cache-Control": "no-store"}
        )

    async def say(self, session: Session, said: Said) -> int:
        """Keep a message, a command or a pressed button; its number in the feed. 0 of one that was
        taken away since: it came again, too late.

        Raises:
            RefusalError: It cannot be.
            StoreError: Not all of it is kept; sent again, it will be.
        """
        where = session.conversation
        known = await self._feed.entry(where, said.id)
        if known is None:
            added = await self._add(session, said)
            if added is None:
                return 0
            head, known = added
            self._hub.said(where, head, known)
        if replaced := known.value.get("replaces"):
            await self._end(session, replaced)
        await self._intake.accept([event_of(known, session, said.locale)])
        return known.seq

    async def _add(self, session: Session, said: Said) -> tuple[FeedHead, FeedEntry] | None:
        """Add it to the feed; None where it was there before and is no more."""
        where = session.conversation
        page = await self._feed.after(where, 0, LATEST if said.replaces else ANSWERED)
        if _was_there(page, said.id):
            return None
        entry = await self._entry(session, said)
        if not said.replaces:
            return await self._feed.append(where, said.id, entry, ends=False)
        for _ in range(TRIES):
            correcting = correction(page.entries, said.replaces)
            added = await self._feed.append(
                where,
                said.id,
                {**entry, **correcting.fields},
                ends=False,
                removes=correcting.removes,
                at=page.head.seq,
                answers=said.replaces,
            )
            if added is not None:
                return added
            page = await self._feed.after(where, 0, LATEST)
            if _was_there(page, said.id):
                return None
        raise unavailable()

    async def _entry(self, session: Session, said: Said) -> dict[str, Json]:
        """What is shown of it."""
        entry: dict[str, Json] = {"id": said.id, "role": "user", "kind": said.kind}
        if said.kind == "action":
            if said.replaces:
                raise invalid("replaces: A button takes the place of no message.")
            return {**entry, **await self._pressed(session, said)}
        text = _typed(said) if said.kind == "command" else said.text
        if len(text) > self._options.characters:
            raise too_long(self._options.characters)
        if typed_command(text) is not None:
            entry["kind"] = "command"
        if not (text.strip() or said.files):
            raise invalid("text: There is nothing in the message.")
        if text:
            entry["text"] = text
        if said.files:
            entry["files"] = await self._files.named(session, said.files)
        return entry

    async def _pressed(self, session: Session, said: Said) -> dict[str, Json]:
        """A button that was really there: nobody may make others up."""
        about = await self._feed.entry(session.conversation, said.about)
        buttons = about.value.get("buttons", []) if about is not None else []
        for button in buttons:
            if said.name and (said.name, said.value) == (button.get("id"), button.get("value", "")):
                pressed = {"text": button["label"], "name": said.name, "value": said.value}
                return {**pressed, "about": said.about}
        raise invalid("about: There is no such button.")

    async def _stop(self, session: Session, said: Said) -> int:
        if not said.about:
            raise invalid("about: Field required")
        await self._end(session, said.about)
        return 0

    async def _end(self, session: Session, entry: str) -> None:
        self._hub.stop(session.conversation, entry)
        await self._feed.stop(session.conversation, entry)

    async def _start(self, session: Session, said: Said) -> int:
        """Somebody opened an empty conversation: the bot may greet, once."""
        head = (await self._feed.after(session.conversation, 0, 1)).head
        if head.seq == 0:
            event = Event(
                id=f"{session.id}:start:{head.epoch}",
                kind="lifecycle",
                conversation=session.conversation,
                sender=session.person(said.locale),
                name="started",
                direct=True,
            )
            await self._intake.accept([event])
        return head.seq

    @property
    def _feed(self) -> Feed:
        return self._intake.feed


def event_of(entry: FeedEntry, session: Session, locale: str = "") -> Event:
    """What the bot gets of an entry, however often it is asked for."""
    value: dict[str, Any] = entry.value
    kind, text, name, pressed = value["kind"], value.get("text", ""), "", ""
    if kind == "command":
        name, text = typed_command(text) or ("", text)
    elif kind == "action":
        text, name, pressed = "", value["name"], value["value"]
    return Event(
        id=f"{session.id}:{entry.key}",
        kind=kind,
        conversation=session.conversation,
        sender=session.person(locale),
        text=text,
        name=name,
        value=pressed,
        message_id=value.get("about") or entry.key,
        replaces=value.get("replaces", ""),
        attachments=tuple(attachment(file) for file in value.get("files", ())),
        direct=True,
        sent_at=entry.at,
        address={"entry": entry.key},
    )


def _was_there(page: FeedPage, key: str) -> bool:
    """Whether an entry was taken away, or answered: a command that erases takes itself away."""
    answers = (entry.value.get("reply_to") for entry in page.entries)
    return key in page.head.gone or key in answers


def _typed(said: Said) -> str:
    """A chosen command as if it had been typed."""
    if typed_command(f"/{said.name}") != (said.name.lower(), ""):
        raise invalid("name: That is no command.")
    return f"/{said.name} {said.text}".rstrip()


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= 1 << 53:
        raise invalid(f"{name}: That is no number from 1.")
    return int(text)
