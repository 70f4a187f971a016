"""``/slack/install`` and ``/slack/oauth_redirect``
(https://docs.slack.dev/authentication/installing-with-oauth)."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from aiohttp import web

from botkit.adapter import AdapterRoute, Records
from botkit.errors import DeliveryError, DeliveryRefusedError, StoreError
from botkit_adapters.slack.addresses import INSTALL_PATH, REDIRECT_PATH
from botkit_adapters.slack.oauth import pages
from botkit_adapters.slack.oauth.app import App
from botkit_adapters.slack.oauth.pages import Page
from botkit_adapters.slack.scopes import SCOPES

if TYPE_CHECKING:
    from slack_sdk.oauth.installation_store import Installation

    from botkit_adapters.slack.oauth.states import RecordsStateStore

logger = logging.getLogger(__name__)

COOKIE = "botkit_slack_install"
CODE_CHARACTERS = 512
CODE_ERRORS = frozenset({"invalid_code", "code_already_used", "code_expired"})
_ERROR = re.compile(r"[a-z_]{1,64}")

Install = Callable[[str], Awaitable["Installation"]]
Add = Callable[["Installation"], Awaitable[None]]


def install_routes(
    app: App, records: Callable[[], Records], install: Install, add: Add
) -> Sequence[AdapterRoute]:
    """The routes.

    Args:
        app: Credentials and addresses.
        records: Where states are kept.
        install: The installation that a code stands for.
        add: Keeps it.
    """
    flow = _Flow(app, records, install, add)
    return (
        AdapterRoute("GET", INSTALL_PATH, flow.begin),
        AdapterRoute("GET", REDIRECT_PATH, flow.end),
    )


class _Flow:
    def __init__(
        self, app: App, records: Callable[[], Records], install: Install, add: Add
    ) -> None:
        self._app = app
        self._records = records
        self._install = install
        self._add = add

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Send the browser to Slack, with a state that only it can bring back."""
        from botkit_adapters.slack.oauth.states import STATE_SECONDS, is_nonce, nonce

        held = request.cookies.get(COOKIE, "")
        browser = held if is_nonce(held) else nonce()  # kept: a second tab must not spoil the first
        try:
            state = await self._states.async_issue(browser=browser)
        except StoreError as error:
            logger.error("an installation could not begin: %s", error)
            return pages.NOT_KEPT.response()
        url = self._app.authorize_url(state, SCOPES)
        response = web.Response(status=302, headers={**pages.HEADERS, "Location": url})
        response.set_cookie(
            COOKIE,
            browser,
            max_age=STATE_SECONDS,
            path="/",
            httponly=True,
            secure=self._secure(request),
            samesite="Lax",  # sent along when Slack sends the person back
        )
        return response

    async def end(self, request: web.Request) -> web.StreamResponse:
        """Take what Slack sends the browser back with."""
        page = await self._outcome(request)
        return page.response()

    async def _outcome(self, request: web.Request) -> Page:
        query, browser = request.query, request.cookies.get(COOKIE, "")
        try:
            genuine = await self._states.async_consume(query.get("state", ""), browser)
        except StoreError as error:
            logger.error("an installation could not go on: %s", error)
            return pages.NOT_KEPT
        if query.get("error") == "access_denied":
            return pages.CANCELLED
        if not genuine:
            return pages.BAD_STATE
        if "error" in query:
            return _slacks_error(query["error"])
        code = query.get("code", "")
        if not (code.isascii() and code.isprintable() and 0 < len(code) <= CODE_CHARACTERS):
            return pages.BAD_CODE
        return await self._finish(code)

    async def _finish(self, code: str) -> Page:
        try:
            installation = await self._install(code)
            if installation.is_enterprise_install or not installation.team_id:
                logger.warning("an installation for a whole organisation was refused")
                return pages.ORGANISATION
            await self._add(installation)
        except DeliveryRefusedError as error:
            if error.reason in CODE_ERRORS:
                return pages.BAD_CODE
            logger.error("Slack refuses to add the app to a workspace: %s", error.reason)
            return pages.NOT_SET_UP
        except DeliveryError as error:
            logger.warning("Slack did not answer an installation: %s", error.reason)
            return pages.UNREACHABLE
        except StoreError as error:
            logger.error("an installation could not be kept: %s", error)
            return pages.NOT_KEPT
        team, name = installation.team_id, installation.team_name or installation.team_id
        logger.info("the app was added to the workspace %s", team)
        return pages.added(team, name, installation.app_id or "")

    def _secure(self, request: web.Request) -> bool:
        """Whether people come over HTTPS; a proxy may have ended it before this server."""
        url = self._app.public_url
        return request.secure if url is None else url.startswith("https:")

    @cached_property
    def _states(self) -> RecordsStateStore:
        from botkit_adapters.slack.oauth.states import RecordsStateStore

        return RecordsStateStore(self._records)


def _slacks_error(code: str) -> Page:
    known = _ERROR.fullmatch(code) is not None
    if known:
        logger.warning("Slack did not add the app to a workspace: %s", code)
    return pages.refused(code if known else "it gave no reason that can be shown")
