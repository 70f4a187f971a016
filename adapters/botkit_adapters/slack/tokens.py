"""Whose token a call carries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botkit.adapter import AdapterRoute, Intake
from botkit.errors import DeliveryError, DeliveryRefusedError

logger = logging.getLogger(__name__)

Call = Callable[[str, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Workspace, method, arguments: :meth:`botkit_adapters.slack.calls.Calls.call`."""


class Tokens(Protocol):
    """Bot tokens by workspace."""

    def bind(self, intake: Intake) -> None:
        """Called before anything else; the records may be used once the bot is open."""
        ...

    def routes(self) -> Sequence[AdapterRoute]:
        """Paths that tokens come in by."""
        ...

    async def introduce(self, call: Call) -> None:
        """Learn who the bot is, in the background."""
        ...

    async def aclose(self) -> None:
        """Finish what must not be cut off."""
        ...

    def bot_user(self, team: str) -> str:
        """The bot's user id in a workspace; empty where it is not known yet."""
        ...

    async def bot(self, team: str) -> str:
        """The token for a workspace.

        Raises:
            DeliveryRefusedError: There is none (any more).
            DeliveryDelayedError: It cannot be had now.
        """
        ...

    async def instead(self, team: str, refused: str, code: str) -> str | None:
        """The token to use in place of one that Slack refused with ``code``, or None.

        Raises:
            DeliveryRefusedError: There is none (any more).
            DeliveryDelayedError: It cannot be had now.
        """
        ...

    async def forget(self, team: str, at: float) -> None:
        """The app was removed from the workspace ``at`` (seconds since 1970; 0: unknown).

        Raises:
            StoreError: That cannot be kept now.
        """
        ...


@dataclass
class OneToken:
    """The token of the one workspace that the bot serves."""

    token: str = field(repr=False)
    users: dict[str, str] = field(default_factory=dict)

    def bind(self, intake: Intake) -> None:
        """Nothing is kept."""

    def routes(self) -> Sequence[AdapterRoute]:
        """None: the token came with the environment."""
        return ()

    async def introduce(self, call: Call) -> None:
        """The bot's user id, needed to hear its name; until then events say it themselves."""
        pause = 1.0
        while True:
            try:
                me = await call("", "auth.test", {})
                self.users[str(me["team_id"])] = str(me["user_id"])
                return
            except DeliveryRefusedError as error:
                logger.error("Slack refuses the bot token: %s", error.reason)
                return
            except DeliveryError as error:
                logger.warning("Slack cannot be reached, again in %.0f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 60.0)

    async def aclose(self) -> None:
        """Nothing to finish."""

    def bot_user(self, team: str) -> str:
        """What Slack said when it was asked."""
        return self.users.get(team, "")

    async def bot(self, team: str) -> str:
        """The token."""
        return self.token

    async def instead(self, team: str, refused: str, code: str) -> str | None:
        """There is no other."""
        return None

    async def forget(self, team: str, at: float) -> None:
        """Say so. Slack itself refuses a token that was revoked, and takes one that works again:
        what is remembered here could only be wrong."""
        logger.warning(
            "the app was removed from the workspace %s: to serve it again install the app, and set "
            "SLACK_BOT_TOKEN where that shows another token",
            team,
        )
