"""``botkit slack manifest``: the app, described for Slack."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from botkit_adapters.slack.addresses import EVENTS_PATH, REDIRECT_PATH
from botkit_adapters.slack.scopes import SCOPES

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
@click.option("--distribute", is_flag=True, help="Many workspaces add the app, at /slack/install.")
@click.option("--rotate-tokens", is_flag=True, help="With --distribute: tokens live for 12 hours.")
def print_manifest(
    name: str, url: str | None, commands: tuple[str, ...], distribute: bool, rotate_tokens: bool
) -> None:
    """Print the manifest to paste at https://api.slack.com/apps: New app, From a manifest.

    Without --url the app uses Socket Mode.
    """
    if url and not re.fullmatch(r"https://[^\s/?#]+(/[^\s?#]*)?", url):
        raise click.UsageError(f"--url {url}: Slack takes https://bot.example.com and the like")
    if distribute and not url:
        raise click.UsageError("--distribute needs --url: Slack sends people back there")
    if rotate_tokens and not distribute:
        # Slack does not let go of rotation again, and SLACK_BOT_TOKEN would end after 12 hours.
        raise click.UsageError("--rotate-tokens needs --distribute")
    described = manifest(name, url, commands, distribute=distribute, rotate_tokens=rotate_tokens)
    click.echo(json.dumps(described, indent=2))


def manifest(
    name: str,
    url: str | None,
    commands: tuple[str, ...],
    *,
    distribute: bool = False,
    rotate_tokens: bool = False,
) -> dict[str, Any]:
    """The manifest (https://docs.slack.dev/reference/app-manifest).

    Args:
        name: What people see.
        url: Where Slack reaches the server; None for Socket Mode.
        commands: Slash commands.
        distribute: Many workspaces add the app; needs ``url``.
        rotate_tokens: Their tokens live for twelve hours.
    """
    endpoint = {"url": url.rstrip("/") + EVENTS_PATH} if url else {}
    request_url = {"request_url": endpoint["url"]} if endpoint else {}
    redirects = {"redirect_urls": [url.rstrip("/") + REDIRECT_PATH]} if url and distribute else {}
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
        "oauth_config": {**redirects, "scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": rotate_tokens,
        },
    }
