"""``/web/files``: what visitors send, and what the bot sends them.

Sources: RFC 6266 and RFC 8187 (Content-Disposition), CSP 3 (``sandbox``), Fetch Standard
(Cross-Origin-Resource-Policy).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import secrets
import unicodedata
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from botkit.adapter import CONVERSATION, Intake
from botkit.errors import DeliveryRefusedError
from botkit.types import Attachment, ConversationKey, Json
from botkit_adapters.web.body import read_body
from botkit_adapters.web.kinds import INLINE, UNKNOWN, attachment_kind, media_type, sane
from botkit_adapters.web.options import WebOptions
from botkit_adapters.web.rates import Limit
from botkit_adapters.web.refusals import RefusalError, not_found
from botkit_adapters.web.session import Session, conversation_of
from botkit_adapters.web.sessions import Sessions
from botkit_adapters.web.shown import with_address

NAME_CHARACTERS = 120
ID = re.compile(r"f_[A-Za-z0-9_-]{1,64}", re.ASCII)
_SIZED = re.compile(r":file:f_(\d+)_", re.ASCII)
"""The id of what a visitor sent says how large it is."""

READING = 4
"""Files that are in memory at once."""

WAIT_SECONDS = 10.0
"""For one of them to be through."""

HELD_BYTES = 32 << 20
"""Of one visitor's files, at once."""

_HARMLESS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "private, max-age=86400, immutable",
    "Referrer-Policy": "no-referrer",
}


class Files:
    """Files of conversations; each is erased with what was said there.

    Args:
        options: How large, of what type, and how many.
        intake: Where they are kept.
        sessions: Whose they are.
    """

    def __init__(self, options: WebOptions, intake: Intake, sessions: Sessions) -> None:
        self._options = options
        self._intake = intake
        self._sessions = sessions
        self._limit = Limit(options.file_rate)
        self._reading = asyncio.Semaphore(READING)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Keep a file that a visitor sends."""
        session = await self._sessions.of(request)
        self._limit.take(session.id)
        if (request.content_length or 0) > self._options.file_bytes:
            raise self._too_large()
        async with self._turn():
            file = await self._take(request, session)
        tokens = await self._sessions.tokens()
        return web.json_response(with_address(file, tokens, session.id), status=201)

    async def _take(self, request: web.Request, session: Session) -> dict[str, Json]:
        data = await read_body(request, self._options.file_bytes, self._too_large)
        name = clean_name(request.query.get("name", ""))
        kind = media_type(data, request.content_type.lower(), name)
        if kind not in self._options.file_types:
            message = "Files of this kind cannot be sent here."
            allowed = list(self._options.file_types)
            raise RefusalError(415, "file_type_not_allowed", message, allowed=allowed)
        where = session.conversation
        if await self._held(where) + len(data) > HELD_BYTES:
            message = "There are too many files in this conversation already."
            raise RefusalError(413, "too_many_files", message, limit=HELD_BYTES)
        file_id = f"f_{len(data)}_{secrets.token_urlsafe(15)}"
        return await self.keep(where, name, kind, data, file_id)

    async def give(self, request: web.Request) -> web.StreamResponse:
        """The bytes, to whoever has the address."""
        file_id = request.match_info["id"]
        tokens = await self._sessions.tokens()
        session = tokens.read_address(request.query.get("key", ""), file_id)
        kept = await self._kept(conversation_of(session), file_id)
        if kept is None:
            raise not_found("There is no such file any more.")
        kind = sane(kept["type"])
        headers = {**_HARMLESS, "Content-Disposition": disposition(kept["name"], kind)}
        response = web.Response(body=_bytes(kept), headers=headers)
        response.headers["Content-Type"] = kind if kind in INLINE else _safe(kind)
        return response

    async def keep(
        self, where: ConversationKey, name: str, kind: str, data: bytes, file_id: str
    ) -> dict[str, Json]:
        """Keep a file; what is told of it."""
        file = {"id": file_id, "name": name, "type": kind, "size": len(data)}
        kept = {**file, "data": base64.b64encode(data).decode()}
        await self._intake.records.put(
            _key(where, file_id), kept, expires_in=self._options.file_seconds
        )
        return file

    async def drop(self, where: ConversationKey, file_id: str) -> None:
        """Keep a file no longer."""
        await self._intake.records.take(_key(where, file_id))

    async def named(self, session: Session, ids: Sequence[str]) -> list[Json]:
        """What is told of files of this session.

        Raises:
            RefusalError: There is none of that id.
        """
        files = []
        for file_id in dict.fromkeys(ids):
            kept = await self._kept(session.conversation, file_id)
            if kept is None:
                raise not_found("A file is not there any more. Please add it again.")
            files.append({name: kept[name] for name in ("id", "name", "type", "size")})
        return files

    async def fetch(self, where: ConversationKey, attachment: Attachment) -> bytes:
        """The bytes of what came along.

        Raises:
            DeliveryRefusedError: They are gone.
            StoreError: They cannot be read now.
        """
        kept = await self._kept(where, attachment.id)
        if kept is None:
            raise DeliveryRefusedError("the file is not kept any more")
        return _bytes(kept)

    async def _kept(self, where: ConversationKey, file_id: str) -> dict[str, Any] | None:
        if not ID.fullmatch(file_id):
            return None
        kept = await self._intake.records.get(_key(where, file_id))
        return kept if isinstance(kept, dict) else None

    async def _held(self, where: ConversationKey) -> int:
        """How many bytes of the visitor's are kept: the ids say so, no file is read for it."""
        keys = await self._intake.records.keys(_key(where, ""))
        return sum(int(found[1]) for key in keys if (found := _SIZED.search(key)))

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """A place among those whose files are read."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._reading.acquire()
        except TimeoutError:
            message = "Many files are being sent just now. Please try again."
            raise RefusalError(
                503, "unavailable", message, retry_after=WAIT_SECONDS, close=True
            ) from None
        try:
            yield
        finally:
            self._reading.release()

    def _too_large(self) -> RefusalError:
        limit = self._options.file_bytes
        message = f"That file is too large: {limit / (1 << 20):.3g} MB at most."
        return RefusalError(413, "file_too_large", message, close=True, limit=limit)


def attachment(file: dict[str, Any]) -> Attachment:
    """A file as the bot gets it."""
    kind = attachment_kind(file["type"])
    return Attachment(kind, file["id"], file["name"], file["type"], file["size"])


def clean_name(name: str) -> str:
    """A file's name without folders and what cannot be seen."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(each for each in last if unicodedata.category(each) not in _UNSEEN)
    return seen.strip()[:NAME_CHARACTERS] or "file"


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def disposition(name: str, kind: str) -> str:
    """How a browser shows a file: pictures as they are, everything else as a download."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    shown = "inline" if kind in INLINE else "attachment"
    return f"{shown}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _safe(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind or UNKNOWN


def _key(where: ConversationKey, file_id: str) -> str:
    return f"{CONVERSATION}{where}:file:{file_id}"


def _bytes(kept: dict[str, Any]) -> bytes:
    return base64.b64decode(kept["data"])
