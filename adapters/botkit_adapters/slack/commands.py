"""``botkit slack manifest``: the app, described for Slack."""

from __future__ import annotations

import json
from typing import Any

import click

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "users:read",
)
EVENTS = (
    "app_mention",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)


@click.group(short_help="Set a Slack app up.")
def slack() -> None:
    """Slack."""


@slack.command("manifest")
@click.option("--name", default="botkit", show_default=True, help="What people see.")
@click.option("--url", help="Where Slack reaches this server, as https://bot.example.com.")
@click.option("--command", "commands", multiple=True, metavar="NAME", help="A slash command.")
def print_manifest(name: str, url: str | None, commands: tuple[str, ...]) -> None:
    """Print the manifest to paste at https://api.slack.com/apps: New app, From a manifest.

    Without --url the app uses Socket Mode.
    """
    click.echo(json.dumps(manifest(name, url, commands), indent=2))


def manifest(name: str, url: str | None, commands: tuple[str, ...]) -> dict[str, Any]:
    """The manifest (https://docs.slack.dev/reference/app-manifest)."""
    endpoint = {"url": f"{url.rstrip('/')}/slack/events"} if url else {}
    request_url = {"request_url": endpoint["url"]} if endpoint else {}
    features: dict[str, Any] = {
        "bot_user": {"display_name": name[:80], "always_online": True},
        "app_home": {"messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "assistant_view": {"assistant_description": f"Ask {name[:30]} anything."},
    }
    if commands:
        features["slash_commands"] = [
            {
                "command": f"/{each.removeprefix('/')}",
                "description": each.removeprefix("/"),
                **endpoint,
            }
            for each in commands
        ]
    return {
        "display_information": {"name": name[:35]},
        "features": features,
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }
