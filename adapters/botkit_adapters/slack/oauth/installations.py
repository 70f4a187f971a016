"""The tokens of many workspaces: :class:`botkit_adapters.slack.tokens.Tokens`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from botkit.adapter import AdapterRoute, Intake, Records
from botkit.errors import DeliveryDelayedError, DeliveryRefusedError, StoreError
from botkit_adapters.slack.oauth.app import App
from botkit_adapters.slack.oauth.claim import Claim
from botkit_adapters.slack.oauth.exchange import Exchange
from botkit_adapters.slack.oauth.rotation import Rotation
from botkit_adapters.slack.oauth.routes import install_routes
from botkit_adapters.slack.oauth.vault import Vault
from botkit_adapters.slack.tokens import Call

if TYPE_CHECKING:
    from slack_sdk.oauth.installation_store import Bot, Installation

    from botkit_adapters.slack.oauth.store import RecordsInstallationStore

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""For which a new installation waits for a refresh of the old one's token."""

EXPIRED = "token_expired"


class Installations:
    """Tokens as they are kept in the database, and remembered here once they were read.

    What another process did is noticed when it matters: Slack refuses a token that is not right any
    more, and :meth:`instead` reads again.
    """

    def __init__(self, app: App, secret_key: str) -> None:
        self._app = app
        self._vault = Vault(secret_key)
        self._exchange = Exchange(app)
        self._known: dict[str, Bot] = {}
        self._intake: Intake | None = None
        self._rotation = Rotation(self._read, self._save_bot, self._exchange.refresh, self._claim)

    def bind(self, intake: Intake) -> None:
        """Say where the records are."""
        self._intake = intake

    def routes(self) -> Sequence[AdapterRoute]:
        """The two that add the app to a workspace."""
        return install_routes(self._app, self._records, self._exchange.install, self.add)

    async def introduce(self, call: Call) -> None:
        """Nothing to ask: an installation says who the bot is."""

    async def aclose(self) -> None:
        """Let refreshes end."""
        await self._rotation.aclose()

    def bot_user(self, team: str) -> str:
        """The bot's user id, where it is known without asking the database."""
        known = self._known.get(team)
        return known.bot_user_id if known else ""

    async def bot(self, team: str) -> str:
        """The token of a workspace; see :meth:`botkit_adapters.slack.tokens.Tokens.bot`."""
        try:
            known = self._known.get(team) or await self._read(team)
            if self._rotation.due(team, known):
                known = await self._rotation.renewed(team)
        except StoreError as error:
            raise DeliveryDelayedError(f"the token cannot be read: {error}") from None
        self._known[team] = known
        return known.bot_token

    async def instead(self, team: str, refused: str, code: str) -> str | None:
        """Another token than the one that Slack refused, where there is one."""
        self._forget_known(team, refused)
        try:
            found = await self._read(team)
            if found.bot_token == refused and code == EXPIRED:
                found = await self._rotation.renewed(team, spoilt=refused)
        except StoreError as error:
            raise DeliveryDelayedError(f"the token cannot be read: {error}") from None
        if found.bot_token == refused:
            return None
        self._known[team] = found
        return found.bot_token

    async def add(self, installation: Installation) -> None:
        """Keep a new installation.

        Raises:
            StoreError: It cannot be kept.
        """
        team = str(installation.team_id)
        claim = self._claim(team)
        await claim.wait_free(SETTLE_SECONDS)
        await self._store.async_save(installation)
        if installation.bot_refresh_token is not None:
            await claim.give_back()
        self._known[team] = installation.to_bot()

    async def forget(self, team: str, at: float) -> None:
        """The app was removed, ``at`` seconds since 1970.

        Raises:
            StoreError: The installation cannot be deleted now.
        """
        installed_at = await self._store.installed_at(team)
        # Slack repeats what was not acknowledged: the app may have been added again since. Its
        # times are whole seconds.
        if installed_at is not None and at and int(installed_at) > at:
            return
        self._known.pop(team, None)
        await self._store.async_delete_all(enterprise_id=None, team_id=team)
        await self._claim(team).drop()
        logger.warning("the app was removed from the workspace %s", team)

    def _forget_known(self, team: str, token: str) -> None:
        known = self._known.get(team)
        if known is not None and known.bot_token == token:
            del self._known[team]

    async def _read(self, team: str) -> Bot:
        found = await self._store.async_find_bot(enterprise_id=None, team_id=team)
        if found is None:
            raise DeliveryRefusedError("the app is not installed in the workspace")
        return found

    async def _save_bot(self, bot: Bot) -> None:
        await self._store.async_save_bot(bot)

    def _claim(self, team: str) -> Claim:
        return Claim(self._records(), team)

    def _records(self) -> Records:
        assert self._intake is not None
        return self._intake.records

    @cached_property
    def _store(self) -> RecordsInstallationStore:
        from botkit_adapters.slack.oauth.store import RecordsInstallationStore

        return RecordsInstallationStore(self._records, self._vault)
