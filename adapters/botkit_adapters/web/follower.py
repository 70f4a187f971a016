"""What one page lacks of a conversation, whenever it is asked."""

from __future__ import annotations

import json

from botkit.feed import Feed, FeedEntry, FeedHead
from botkit.types import Json
from botkit_adapters.web.correcting import unanswered
from botkit_adapters.web.cursor import Cursor
from botkit_adapters.web.scene import Scene, State
from botkit_adapters.web.session import Session
from botkit_adapters.web.shown import shown
from botkit_adapters.web.tokens import Tokens

ENTRIES = 200
"""At most at once; earlier ones on request."""

LAST = 20
"""Entries among which those are that have no answer yet."""

BYE = b"event: bye\ndata: {}\n\n"
PING = b": ping\n\n"


class Follower:
    """One page. It compares what it was given with what there is, so that a slow one is given
    less often more, and none is ever waited for.

    Args:
        scene: What goes on.
        feed: What was said.
        tokens: For addresses of files.
        session: Whose page it is.
        cursor: What it was given before; None is nothing.

    Fields:
        unanswered: What the person said last that had no answer when the page came.
    """

    def __init__(
        self, scene: Scene, feed: Feed, tokens: Tokens, session: Session, cursor: Cursor | None
    ) -> None:
        self._scene = scene
        self._feed = feed
        self._tokens = tokens
        self._session = session
        self._begun = cursor is not None
        cursor = cursor or Cursor()
        self._epoch, self._seq = cursor.epoch, cursor.seq
        self._draft, self._characters = cursor.draft, cursor.characters
        self._drafted = ""
        self._read = False
        self._status: tuple[State, str] | None = None
        self.unanswered: FeedEntry | None = None

    async def missing(self) -> bytes:
        """Events that bring the page up to date; empty when it is.

        Raises:
            StoreError: They cannot be read; nothing is lost.
        """
        events = await self._entries()
        events += self._state()
        events += self._text()
        return b"".join(events)

    async def _entries(self) -> list[bytes]:
        head = self._scene.head
        if self._read and (head.epoch, head.seq) == (self._epoch, self._seq):
            return []
        events: list[bytes] = []
        same = head.epoch == self._epoch
        added = self._scene.added_after(head.epoch, self._seq if same else 0)
        if not self._read or not head.epoch or added is None:
            return await self._read_entries()
        if not same:
            events += self._reset(head.epoch)
        return events + [self._entry(entry) for entry in added]

    async def _read_entries(self) -> list[bytes]:
        asked = self._seq
        page = await self._feed.after(self._session.conversation, asked, ENTRIES)
        same = page.head.epoch == self._epoch and page.head.seq >= asked
        if asked and (not same or _lacks(page.entries, asked)):
            page = await self._feed.after(self._session.conversation, 0, ENTRIES)
            same = False
        events: list[bytes] = []
        if not self._begun or (not same and self._epoch):
            events += self._reset(page.head.epoch, always=True)
        if not self._read:
            last = page.entries
            if asked and same:
                last = (await self._feed.after(self._session.conversation, 0, LAST)).entries
            self._recognise(page.head, last)
        self._begun = self._read = True
        self._epoch = page.head.epoch
        events += [self._entry(entry) for entry in page.entries]
        self._seq = page.head.seq
        return events

    def _reset(self, epoch: int, *, always: bool = False) -> list[bytes]:
        """What is shown of another epoch goes; where nothing is, nothing does."""
        needed = always or bool(self._epoch)
        self._epoch, self._seq = epoch, 0
        if not needed:
            return []
        self._draft, self._characters = "", 0
        return [self._event("reset", {})]

    def _entry(self, entry: FeedEntry) -> bytes:
        self._seq = entry.seq
        if entry.value.get("role") == "assistant":
            reply_to = str(entry.value.get("reply_to", ""))
            if self._drafted == reply_to:
                self._draft, self._characters = "", 0
            if not self._scene.turns:
                self._scene.over(reply_to)
        return self._event("entry", shown(entry, self._tokens, self._session.id))

    def _recognise(self, head: FeedHead, entries: tuple[FeedEntry, ...]) -> None:
        """What another process, or this one before it was started anew, has yet to do."""
        self._scene.heard(head)
        self.unanswered = unanswered(entries)
        if self.unanswered is not None:
            self._scene.unanswered(head, self.unanswered)

    def _state(self) -> list[bytes]:
        status = (self._scene.state, self._scene.reply_to)
        if status == self._status:
            return []
        self._status = status
        state, reply_to = status
        return [_written("status", {"state": state, **_reply_to(reply_to)})]

    def _text(self) -> list[bytes]:
        draft = self._scene.draft
        if draft is None:
            return []
        text = draft.text
        if draft.id == self._draft and self._characters <= len(text):
            at, more = self._characters, text[self._characters :]
            if not more:
                return []
        else:
            at, more = 0, text
        self._draft, self._characters, self._drafted = draft.id, len(text), draft.reply_to
        told = {"draft": draft.id, **_reply_to(draft.reply_to), "at": at, "text": more}
        return [self._event("draft", told)]

    def _event(self, name: str, data: Json) -> bytes:
        cursor = Cursor(self._epoch, self._seq, self._draft, self._characters)
        return _written(name, data, str(cursor))


def _lacks(entries: tuple[FeedEntry, ...], seq: int) -> bool:
    """Whether there were more entries after a number than were read."""
    return len(entries) >= ENTRIES and entries[0].seq > seq + 1


def _reply_to(entry: str) -> dict[str, str]:
    return {"reply_to": entry} if entry else {}


def _written(name: str, data: Json, cursor: str = "") -> bytes:
    """One event (WHATWG HTML, 9.2.6): JSON has no line breaks of its own."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    id_line = f"id: {cursor}\n" if cursor else ""
    return f"event: {name}\n{id_line}data: {text}\n\n".encode("utf-8", "replace")
