"""Slack. Importing this does not bring slack_sdk: a cold process must acknowledge at once.

Requests over HTTP are verified, parsed and acknowledged by this package itself; slack_sdk makes
the calls and keeps the socket of Socket Mode. slack-bolt stays outside the message path: it
acknowledges after its listener ran, keeps nothing on disk, and answers 500 to malformed headers.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from botkit.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from botkit.settings import Settings
    from botkit_adapters.slack.adapter import SlackAdapter

__all__ = ["slack_adapter"]


def slack_adapter(settings: Settings) -> SlackAdapter | None:
    """The adapter, or None where no SLACK_BOT_TOKEN is set.

    Raises:
        SettingsError: Half of what is needed is missing.
        MissingExtraError: The extra ``slack`` is not installed.
    """
    token = settings.slack_bot_token
    secret, app_token = settings.slack_signing_secret, settings.slack_app_token
    if token is None:
        if secret is not None or app_token is not None:
            raise SettingsError("SLACK_BOT_TOKEN is missing: the app's page shows it (xoxb-...)")
        return None
    if secret is None and app_token is None:
        raise SettingsError(
            "set SLACK_SIGNING_SECRET for events over HTTP, or SLACK_APP_TOKEN for Socket Mode"
        )
    if importlib.util.find_spec("slack_sdk") is None:
        raise MissingExtraError("slack_sdk", "slack")
    from botkit_adapters.slack.adapter import SlackAdapter
    from botkit_adapters.slack.tokens import OneToken

    return SlackAdapter(
        OneToken(token.get_secret_value()),
        secret.get_secret_value() if secret else "",
        app_token.get_secret_value() if app_token else "",
        settings.slack_api_base_url,
    )
