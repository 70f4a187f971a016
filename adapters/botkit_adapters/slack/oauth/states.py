"""States: what ties the answer of Slack's page to the browser that was sent there."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from botkit.adapter import Records

STATE_SECONDS = 600
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


def nonce() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def is_nonce(text: str) -> bool:
    """Whether ``text`` may have come from :func:`nonce`."""
    return _NONCE.fullmatch(text) is not None


class RecordsStateStore(AsyncOAuthStateStore):
    """States in the bot's database, so that any process may take the answer.

    A state is random, good for one answer within ten minutes, and bound to one browser. Only
    digests are kept: whoever reads the database cannot finish anybody's installation.

    Every method raises :class:`botkit.errors.StoreError`.
    """

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records

    @property
    def logger(self) -> logging.Logger:
        """The module's."""
        return logging.getLogger(__name__)

    async def async_issue(self, *args: Any, browser: str = "", **kwargs: Any) -> str:
        """A new state for the browser that holds the nonce ``browser``."""
        state = nonce()
        value = {"browser": _digest(browser)}
        await self._records().put(f"state:{_digest(state)}", value, expires_in=STATE_SECONDS)
        return state

    async def async_consume(self, state: str, browser: str = "") -> bool:
        """Whether the state was issued to that browser and is still good; afterwards it is not."""
        if not is_nonce(state):
            return False
        value = await self._records().take(f"state:{_digest(state)}")
        return value is not None and hmac.compare_digest(value["browser"], _digest(browser))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
