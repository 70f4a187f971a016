"""``oauth.v2.access``: a code, or a refresh token, for a token
(https://docs.slack.dev/reference/methods/oauth.v2.access)."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError

from botkit.errors import DeliveryRefusedError, DeliveryUncertainError
from botkit_adapters.slack.calls import translate, unanswered
from botkit_adapters.slack.oauth.app import App

if TYPE_CHECKING:
    from slack_sdk.oauth.installation_store import Bot, Installation
    from slack_sdk.web.async_client import AsyncWebClient

SECONDS = 10
UNKNOWN_ANSWER = "the answer is none of Slack's"

# The SDK writes requests and answers to its log at the level DEBUG, and here these hold tokens.
_silent = logging.getLogger(f"{__name__}.sdk")
_silent.setLevel(logging.WARNING)


class Exchange:
    """Asks Slack for tokens. Nothing is asked twice: codes and refresh tokens work once.

    Both methods raise:
        DeliveryDelayedError: Certainly not done.
        DeliveryUncertainError: Done or not.
        DeliveryRefusedError: Not done, with Slack's code.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def install(self, code: str) -> Installation:
        """The installation that ``code`` stands for."""
        from slack_sdk.errors import SlackClientError

        try:
            answer = await self._client().oauth_v2_access(
                client_id=self._app.client_id,
                client_secret=self._app.client_secret,
                code=code,
                redirect_uri=self._app.redirect_uri,
            )
            return _installation(answer.data if isinstance(answer.data, dict) else {})
        except SlackClientError as error:
            raise translate(error) from None
        except (TimeoutError, ClientError, OSError) as error:
            raise unanswered(error) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DeliveryRefusedError(UNKNOWN_ANSWER) from None

    async def refresh(self, bot: Bot) -> Bot:
        """The bot with its next tokens; spends its refresh token."""
        from slack_sdk.errors import SlackClientError, SlackTokenRotationError
        from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

        rotator = AsyncTokenRotator(
            client_id=self._app.client_id,
            client_secret=self._app.client_secret,
            client=self._client(),
        )
        try:
            rotated = await rotator.perform_bot_token_rotation(
                bot=bot,
                minutes_before_expiration=1 << 30,  # whether it is due is not asked here
            )
        except SlackTokenRotationError as error:
            raise translate(error.api_error) from None
        except SlackClientError as error:
            raise translate(error) from None
        except (TimeoutError, ClientError, OSError) as error:
            raise unanswered(error) from None
        except (KeyError, TypeError, ValueError):
            raise DeliveryUncertainError(UNKNOWN_ANSWER) from None
        if rotated is None or not (rotated.bot_token and rotated.bot_refresh_token):
            raise DeliveryUncertainError(UNKNOWN_ANSWER)
        return rotated

    def _client(self) -> AsyncWebClient:
        from slack_sdk.web.async_client import AsyncWebClient

        return AsyncWebClient(
            base_url=self._app.base_url, retry_handlers=[], timeout=SECONDS, logger=_silent
        )


def _installation(answer: Mapping[str, Any]) -> Installation:
    from slack_sdk.oauth.installation_store import Installation

    team, enterprise = answer.get("team") or {}, answer.get("enterprise") or {}
    whole = bool(answer.get("is_enterprise_install"))
    if answer.get("token_type") != "bot" or not (team.get("id") or (whole and enterprise["id"])):
        raise ValueError("no bot of a workspace")
    expires_in = answer.get("expires_in")
    return Installation(
        app_id=str(answer["app_id"]),
        enterprise_id=enterprise.get("id"),
        enterprise_name=enterprise.get("name"),
        team_id=team.get("id"),
        team_name=team.get("name"),
        bot_token=_text(answer["access_token"]),
        bot_user_id=_text(answer["bot_user_id"]),
        bot_scopes=str(answer.get("scope") or ""),
        bot_refresh_token=answer.get("refresh_token"),
        bot_token_expires_in=None if expires_in is None else int(expires_in),
        user_id=str((answer.get("authed_user") or {}).get("id") or ""),
        is_enterprise_install=whole,
        token_type="bot",
        installed_at=time.time(),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("no text")
    return value
