"""How workspaces add the app: Slack's page, codes, tokens, and tokens that expire.

Sources: https://docs.slack.dev/authentication/installing-with-oauth,
https://docs.slack.dev/authentication/using-token-rotation and
https://docs.slack.dev/reference/methods/oauth.v2.access
"""

from __future__ import annotations

import base64
import binascii
import html
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from botkit.testing.slack.state import ApiError, Json, State

CLIENT_ID = "1234567890.0987654321"
CLIENT_SECRET = "simulated-client-secret"
CODE_SECONDS = 600.0


@dataclass(frozen=True)
class Request:
    """What the app asks of a person on Slack's page; ``sent`` is the redirect URI it named."""

    state: str
    scopes: str
    redirect_uri: str
    sent: str


UNASKED = Request("", "chat:write", "", "")
"""For a person who began on Slack."""


@dataclass
class Token:
    """A token of one workspace.

    Fields:
        team: The workspace, or the organisation.
        expires_at: Seconds since 1970; None for never.
        dead: Slack's code of why it does not work any more.
    """

    team: str
    scopes: str
    expires_at: float | None = None
    dead: str = ""


@dataclass
class OAuth:
    """The app and the workspaces that may add it.

    Fields:
        states: The workspaces.
        enterprise: An organisation that may add it as a whole; empty for none.
        redirect_url: What stands on the app's page.
        rotates: Tokens live for ``expires_in`` seconds, and come with refresh tokens.
        tokens: Every token that was given out.
        refreshes: The refresh tokens that were spent, in order.
    """

    states: dict[str, State]
    enterprise: str = ""
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    redirect_url: str = ""
    rotates: bool = False
    expires_in: int = 43_200
    tokens: dict[str, Token] = field(default_factory=dict)
    refreshes: list[str] = field(default_factory=list)
    _refresh_tokens: dict[str, Token] = field(default_factory=dict)
    _codes: dict[str, tuple[Request, str, float]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _requests: dict[str, Request] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def routes(self) -> list[web.RouteDef]:
        """Slack's pages."""
        return [
            web.get("/oauth/v2/authorize", self._ask),
            web.get("/oauth/v2/allow", self._allow),
            web.get("/oauth/v2/deny", self._deny),
        ]

    def state(self, token: str) -> State:
        """The workspace that a token is for.

        Raises:
            ApiError: ``invalid_auth``, ``token_expired`` or why it was revoked.
        """
        found = self.tokens.get(token)
        if found is None or found.team not in self.states:
            raise ApiError("invalid_auth")
        if found.dead:
            raise ApiError(found.dead)
        if found.expires_at is not None and found.expires_at <= time.time():
            raise ApiError("token_expired")
        return self.states[found.team]

    def allow(self, team: str, asked: Request = UNASKED) -> str:
        """A person adds the app to a workspace; the code that Slack then sends them back with."""
        code = f"code-{next(self._numbers)}"
        self._codes[code] = (asked, team, time.time())
        return code

    def revoke(self, team: str, code: str = "token_revoked") -> None:
        """End every token of a workspace."""
        for token in (*self.tokens.values(), *self._refresh_tokens.values()):
            if token.team == team:
                token.dead = code

    def expire(self, team: str) -> None:
        """Let the time of a workspace's tokens run out."""
        for token in self.tokens.values():
            if token.team == team:
                token.expires_at = time.time() - 1

    def access(self, given: Mapping[str, Any], authorization: str) -> Json:
        """``oauth.v2.access``.

        Args:
            given: The arguments.
            authorization: The header of that name; the client's id and secret may stand in it.

        Raises:
            ApiError: With Slack's code.
        """
        client = _client(given, authorization)
        if client[0] != self.client_id:
            raise ApiError("invalid_client_id")
        if client[1] != self.client_secret:
            raise ApiError("bad_client_secret")
        if given.get("grant_type") == "refresh_token":
            return self._refresh(str(given.get("refresh_token") or ""))
        return self._exchange(str(given.get("code") or ""), str(given.get("redirect_uri") or ""))

    def _exchange(self, code: str, redirect_uri: str) -> Json:
        if code in self._used:
            raise ApiError("code_already_used")
        if code not in self._codes:
            raise ApiError("invalid_code")
        request, team, issued_at = self._codes[code]
        if time.time() - issued_at > CODE_SECONDS:
            raise ApiError("invalid_code")
        if redirect_uri != request.sent:
            raise ApiError("bad_redirect_uri")
        self._used.add(code)
        return self._grant(team, request.scopes)

    def _refresh(self, refresh_token: str) -> Json:
        found = self._refresh_tokens.get(refresh_token)
        if found is None or found.dead:
            raise ApiError("invalid_refresh_token")
        found.dead = "invalid_refresh_token"
        self.refreshes.append(refresh_token)
        return self._grant(found.team, found.scopes)

    def _grant(self, team: str, scopes: str) -> Json:
        number = next(self._numbers)
        kind = "xoxe.xoxb" if self.rotates else "xoxb"
        token = f"{kind}-{number}-{team}-SimulatedToken"
        lasts = time.time() + self.expires_in if self.rotates else None
        self.tokens[token] = Token(team, scopes, lasts)
        rotation: Json = {}
        if self.rotates:
            refresh_token = f"xoxe-{number}-{team}-SimulatedRefresh"
            self._refresh_tokens[refresh_token] = Token(team, scopes)
            rotation = {"refresh_token": refresh_token, "expires_in": self.expires_in}
        return {
            "access_token": token,
            "token_type": "bot",
            "scope": scopes,
            **rotation,
            **self._place(team),
        }

    def _place(self, team: str) -> Json:
        whole = team == self.enterprise
        state = next(iter(self.states.values())) if whole else self.states[team]
        return {
            "bot_user_id": state.bot_user,
            "app_id": state.app_id,
            "team": None if whole else {"id": team, "name": f"Workspace <{team}>"},
            "enterprise": {"id": team, "name": "Organisation"} if whole else None,
            "authed_user": {"id": "U0INSTALLER"},
            "is_enterprise_install": whole,
        }

    # The pages

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if query.get("client_id") != self.client_id:
            return web.Response(status=400, text="invalid_client_id")
        if not query.get("scope"):
            return web.Response(status=400, text="no_scopes")
        sent = query.get("redirect_uri", "")
        if not self.redirect_url or (sent and sent != self.redirect_url):
            return web.Response(status=400, text="bad_redirect_uri")
        number = f"request-{next(self._numbers)}"
        self._requests[number] = Request(
            query.get("state", ""), query["scope"], self.redirect_url, sent
        )
        return web.Response(text=self._page(number), content_type="text/html")

    def _page(self, number: str) -> str:
        teams = [*self.states, *([self.enterprise] if self.enterprise else [])]
        links = [
            f"/oauth/v2/allow?{urlencode({'request': number, 'team': each})}" for each in teams
        ]
        links.append(f"/oauth/v2/deny?{urlencode({'request': number})}")
        return "".join(
            f'<p><a href="{html.escape(each)}">{html.escape(each)}</a>' for each in links
        )

    async def _allow(self, request: web.Request) -> web.StreamResponse:
        asked = self._requests[request.query["request"]]
        raise _back(asked, {"code": self.allow(request.query["team"], asked)})

    async def _deny(self, request: web.Request) -> web.StreamResponse:
        raise _back(self._requests[request.query["request"]], {"error": "access_denied"})


def another(state: State, team: str) -> State:
    """A second workspace on the same Slack, where ``state`` is the first."""
    return State(
        team=team,
        bot_user=f"U0BOT{team}",
        bot_id=f"B0BOT{team}",
        app_id=state.app_id,
        files=state.files,
        urls=state.urls,
        numbers=state.numbers,
    )


def _back(asked: Request, answer: dict[str, str]) -> web.HTTPFound:
    return web.HTTPFound(f"{asked.redirect_uri}?{urlencode({**answer, 'state': asked.state})}")


def _client(given: Mapping[str, Any], authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return str(given.get("client_id") or ""), str(given.get("client_secret") or "")
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError("invalid_client_id") from None
    return name, secret
