"""Whose token a call carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from botkit.errors import DeliveryRefusedError


class Tokens(Protocol):
    """Bot tokens by workspace."""

    async def bot(self, team: str) -> str:
        """The token for a workspace.

        Raises:
            DeliveryRefusedError: There is none (any more).
        """
        ...

    async def forget(self, team: str) -> None:
        """The app was removed from the workspace."""
        ...


@dataclass
class OneToken:
    """The token of the one workspace that the bot serves."""

    token: str
    gone: set[str] = field(default_factory=set)

    async def bot(self, team: str) -> str:
        """The token."""
        if team in self.gone:
            raise DeliveryRefusedError("token_revoked")
        return self.token

    async def forget(self, team: str) -> None:
        """Send nothing there any more; a restart with a new token begins anew."""
        self.gone.add(team)
