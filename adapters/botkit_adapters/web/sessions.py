"""``POST /web/sessions``, and who a request is of."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from botkit.adapter import HUMAN, Intake
from botkit.types import Json
from botkit_adapters.web.body import read_json
from botkit_adapters.web.identity import TOKEN_CHARACTERS, identify
from botkit_adapters.web.options import WebOptions
from botkit_adapters.web.rates import Newcomers
from botkit_adapters.web.refusals import RefusalError
from botkit_adapters.web.session import Session
from botkit_adapters.web.tokens import Tokens

LOCALE = r"^([A-Za-z0-9]{1,8}([-_][A-Za-z0-9]{1,8}){0,7})?$"
_TIMEZONE = r"^[A-Za-z0-9_+/-]{0,64}$"
FILES = 4
"""In one message."""

_KEY = "key"


class Beginning(BaseModel):
    """What a browser says of itself, and the site of its visitor."""

    model_config = ConfigDict(strict=True, extra="ignore")

    locale: str = Field("", pattern=LOCALE, max_length=64)
    timezone: str = Field("", pattern=_TIMEZONE)
    identity: str | None = Field(None, max_length=TOKEN_CHARACTERS)


class Sessions:
    """Begins sessions and recognises them.

    Args:
        options: How long they last, and what visitors may do.
        intake: Where the key is kept, if the settings have none.
    """

    def __init__(self, options: WebOptions, intake: Intake) -> None:
        self._options = options
        self._intake = intake
        self._newcomers = Newcomers(
            options.session_rate, options.proxies, development=options.origins.development
        )
        self._made: Tokens | None = None

    async def tokens(self) -> Tokens:
        """What signs.

        Raises:
            StoreError: The key cannot be read.
        """
        if self._made is None:
            key = self._options.key
            if not key:
                kept = await self._intake.records.setdefault(_KEY, secrets.token_hex(32))
                key = str(kept).encode()
            self._made = Tokens(key, self._options.session_seconds)
        return self._made

    async def of(self, request: web.Request) -> Session:
        """Whose a request is.

        Raises:
            RefusalError: It shows no token, or one that is none.
        """
        return (await self.tokens()).read_session(_bearer(request))

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """A new session, or the one of before."""
        said = await read_json(request, Beginning)
        session = replace(
            await self._session(request, said),
            locale=said.locale.replace("_", "-"),
            timezone=said.timezone,
        )
        tokens = await self.tokens()
        return web.json_response(
            {
                "session": session.id,
                "token": tokens.session(session),
                "expires_at": int(time.time() + tokens.lifetime(session)),
                "identified": session.identified,
                "bot": self._bot(),
                "limits": self._limits(),
            },
            headers={hdrs.CACHE_CONTROL: "no-store"},
        )

    async def newcomer(self, request: web.Request) -> Session:
        """A new session of somebody unknown.

        Raises:
            RefusalError: Too many came from there.
        """
        self._newcomers.take(request)
        return (await self.tokens()).stranger()

    async def _session(self, request: web.Request, said: Beginning) -> Session:
        tokens = await self.tokens()
        if said.identity:
            person = identify(said.identity, self._options.identity_secret)
            return tokens.known(person.subject, person.name)
        if hdrs.AUTHORIZATION in request.headers:
            before = tokens.read_session(_bearer(request))
            if not before.identified:
                return before
        return await self.newcomer(request)

    def _bot(self) -> Json:
        commands = self._intake.commands
        return {
            "commands": [{"name": each.name, "description": each.description} for each in commands],
            "human": any(each.name == HUMAN for each in commands),
        }

    def _limits(self) -> Json:
        options = self._options
        return {
            "text": options.characters,
            "file_bytes": options.file_bytes,
            "files": FILES if options.file_bytes else 0,
            "file_types": list(options.file_types) if options.file_bytes else [],
        }


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise RefusalError(401, "invalid_token", "Please begin a conversation first.")
    return token.strip()
