"""Installations in the bot's database, behind slack_sdk's own interface."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore

from botkit.adapter import Records
from botkit.errors import DeliveryRefusedError
from botkit_adapters.slack.oauth.vault import SealedError, Vault

module_logger = logging.getLogger(__name__)

KEY_CHANGED = "the workspace's token cannot be decrypted: BOTKIT_SECRET_KEY has changed"


class RecordsInstallationStore(AsyncInstallationStore):
    """One installation per workspace, or per organisation where an installation has no workspace.

    Everything is sealed but the time of installation, which a removal is compared with: it must be
    possible to remove what cannot be decrypted any more.

    Every method raises :class:`botkit.errors.StoreError`; those that find raise
    :class:`botkit.errors.DeliveryRefusedError` for what another key sealed.
    """

    def __init__(self, records: Callable[[], Records], vault: Vault) -> None:
        self._records = records
        self._vault = vault

    @property
    def logger(self) -> logging.Logger:
        """The module's."""
        return module_logger

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation in place of an earlier one."""
        key = _key(installation.enterprise_id, installation.team_id)
        sealed = self._vault.seal(_plain(installation))
        value = {"sealed": sealed, "installed_at": installation.installed_at}
        await self._records().put(key, value)

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot's new tokens in its installation; without one nothing is kept."""
        found = await self.async_find_installation(
            enterprise_id=bot.enterprise_id, team_id=bot.team_id
        )
        if found is not None:
            found.bot_token = bot.bot_token
            found.bot_refresh_token = bot.bot_refresh_token
            found.bot_token_expires_at = bot.bot_token_expires_at
            await self.async_save(found)

    async def async_find_bot(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        is_enterprise_install: bool | None = False,
    ) -> Bot | None:
        """The bot of a workspace or organisation."""
        found = await self.async_find_installation(
            enterprise_id=enterprise_id,
            team_id=team_id,
            is_enterprise_install=is_enterprise_install,
        )
        return None if found is None else found.to_bot()

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """The installation of a workspace or organisation, whoever installed it."""
        workspace = None if is_enterprise_install else team_id
        value = await self._records().get(_key(enterprise_id, workspace))
        if value is None:
            return None
        try:
            return Installation(**self._vault.open(value["sealed"]))
        except SealedError:
            module_logger.error(
                "the installation of %s cannot be decrypted: BOTKIT_SECRET_KEY has changed; set "
                "the old one again, or add the app there again at /slack/install",
                workspace or enterprise_id,
            )
            raise DeliveryRefusedError(KEY_CHANGED) from None

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget a workspace or organisation."""
        # Not Records.delete: that takes a prefix, and T12 begins with T1.
        await self._records().take(_key(enterprise_id, team_id))

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Forget a workspace or organisation; of one user there is nothing to forget."""
        if user_id is None:
            await self.async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    async def installed_at(self, team: str) -> float | None:
        """When a workspace added the app (seconds since 1970); None when it did not."""
        value = await self._records().get(_key(None, team))
        return None if value is None else float(value["installed_at"])


def _key(enterprise: str | None, team: str | None) -> str:
    return f"installation:{team or enterprise or ''}"


def _plain(installation: Installation) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in installation.to_dict_for_copying().items()
    }
