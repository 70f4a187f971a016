"""Where Slack's API is, and where Slack finds the bot. Imports nothing: commands need these too."""

from __future__ import annotations

API = "https://slack.com/api/"
EVENTS_PATH = "/slack/events"
INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
