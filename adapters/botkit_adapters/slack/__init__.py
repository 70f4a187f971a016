"""Slack. Importing this does not bring slack_sdk: a cold process must acknowledge at once.

Requests over HTTP are verified, parsed and acknowledged by this package itself; slack_sdk makes
the calls and keeps the socket of Socket Mode. slack-bolt stays outside the message path: it
acknowledges after its listener ran, keeps nothing on disk, and answers 500 to malformed headers.
"""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING

from botkit.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from botkit.settings import Settings
    from botkit_adapters.slack.adapter import SlackAdapter
    from botkit_adapters.slack.tokens import Tokens

__all__ = ["slack_adapter"]

logger = logging.getLogger(__name__)


def slack_adapter(settings: Settings) -> SlackAdapter | None:
    """The adapter, or None where no variable of Slack's is set.

    SLACK_BOT_TOKEN is the token of one workspace; without it, SLACK_CLIENT_ID and
    SLACK_CLIENT_SECRET let any workspace add the app.

    Raises:
        SettingsError: Half of what is needed is missing.
        MissingExtraError: The extra ``slack`` is not installed.
    """
    secret, app_token = settings.slack_signing_secret, settings.slack_app_token
    if not _has_tokens(settings):
        if secret is not None or app_token is not None:
            raise SettingsError(
                "SLACK_BOT_TOKEN is missing: the app's page shows it (xoxb-...). For many "
                "workspaces set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET instead"
            )
        return None
    if secret is None and app_token is None:
        raise SettingsError(
            "set SLACK_SIGNING_SECRET for events over HTTP, or SLACK_APP_TOKEN for Socket Mode"
        )
    if importlib.util.find_spec("slack_sdk") is None:
        raise MissingExtraError("slack_sdk", "slack")
    from botkit_adapters.slack.adapter import SlackAdapter

    return SlackAdapter(
        _tokens(settings),
        secret.get_secret_value() if secret else "",
        app_token.get_secret_value() if app_token else "",
        settings.slack_api_base_url,
    )


def _has_tokens(settings: Settings) -> bool:
    """Whether one workspace is served, or many."""
    if settings.slack_bot_token is not None:
        return True
    if settings.slack_client_id is None and settings.slack_client_secret is None:
        return False
    for name, value in (
        ("SLACK_CLIENT_ID", settings.slack_client_id),
        ("SLACK_CLIENT_SECRET", settings.slack_client_secret),
    ):
        if value is None:
            raise SettingsError(
                f"{name} is missing: the app's page shows it (Basic Information, App Credentials)"
            )
    if settings.secret_key is None:
        raise SettingsError(
            "BOTKIT_SECRET_KEY is missing: it encrypts the tokens of the workspaces. Make one with "
            "`openssl rand -base64 32`, and keep it: without it every workspace must add the app "
            "again"
        )
    return True


def _tokens(settings: Settings) -> Tokens:
    token, client_secret = settings.slack_bot_token, settings.slack_client_secret
    if token is not None:
        from botkit_adapters.slack.tokens import OneToken

        if settings.slack_client_id is not None:
            logger.warning("SLACK_CLIENT_ID is not used: SLACK_BOT_TOKEN serves one workspace")
        return OneToken(token.get_secret_value())
    from botkit_adapters.slack.addresses import API
    from botkit_adapters.slack.oauth.app import App
    from botkit_adapters.slack.oauth.installations import Installations

    assert settings.slack_client_id is not None
    assert client_secret is not None
    assert settings.secret_key is not None
    app = App(
        settings.slack_client_id,
        client_secret.get_secret_value(),
        settings.slack_api_base_url or API,
        settings.public_url,
    )
    return Installations(app, settings.secret_key.get_secret_value())
