"""``botkit conversations``: what is kept about whom, and its erasure."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from botkit.cli.database import limit_option, with_store
from botkit.completion.messages import message_text
from botkit.errors import SettingsError
from botkit.memory.summary import Summary
from botkit.store import Store
from botkit.types import ConversationKey


def moment(seconds: float) -> str:
    """A time, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _key(text: str) -> ConversationKey:
    try:
        return ConversationKey.parse(text)
    except ValueError as error:
        raise SettingsError(f"{error}; `botkit conversations list` shows them") from None


def _unknown(text: str) -> SettingsError:
    return SettingsError(f"there is no conversation {text}; `botkit conversations list` shows them")


@click.group(short_help="List, show, export and erase conversations.")
def conversations() -> None:
    """What is kept about conversations, in the database of BOTKIT_DATABASE_URL."""


@conversations.command("list")
@limit_option(50, "How many, the latest first.")
def list_(limit: int) -> None:
    """The latest conversations."""
    found = with_store(lambda store: store.conversations(limit))
    for each in found:
        waiting = f", {each.queued} waiting" if each.queued else ""
        click.echo(
            f"{each.conversation}  {moment(each.updated_at)}  {each.messages} messages{waiting}"
        )
    if not found:
        click.echo("no conversation yet", err=True)


@conversations.command()
@click.argument("conversation")
@limit_option(200, "Messages at most.")
def show(conversation: str, limit: int) -> None:
    """What was said in a conversation: its summary, then its messages."""
    key = _key(conversation)

    async def read(store: Store) -> list[str] | None:
        kept = await store.export(key)
        if kept is None:
            return None
        said = await store.history(key, limit)
        lines = [f"{message.role}: {message_text(message)}" for message in said]
        summary = str(Summary.from_json(kept["summary"]))
        return [f"summary: {summary}", *lines] if summary else lines

    lines = with_store(read)
    if lines is None:
        raise _unknown(conversation)
    click.echo("\n".join(lines))


@conversations.command()
@click.argument("conversation")
def export(conversation: str) -> None:
    """Everything kept about a conversation, as JSON."""
    key = _key(conversation)
    kept = with_store(lambda store: store.export(key))
    if kept is None:
        raise _unknown(conversation)
    click.echo(json.dumps(kept, ensure_ascii=False, indent=2))


@conversations.command()
@click.argument("conversation")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(conversation: str, yes: bool) -> None:
    """Erase everything kept about a conversation."""
    key = _key(conversation)
    if not yes:
        click.confirm(f"Erase {conversation} for good?", abort=True)
    if not with_store(lambda store: store.erase(key)):
        raise _unknown(conversation)
    click.echo(f"erased {conversation}")
