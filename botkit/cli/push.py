"""``botkit push``: have a server work on what is due."""

from __future__ import annotations

import asyncio

import click

from botkit.errors import BotkitError, SettingsError
from botkit.settings import Settings


@click.command(short_help="Have a server work on what is due.")
def push() -> None:
    """Ask the server at BOTKIT_TURNS_URL, or at BOTKIT_PUBLIC_URL, to work on what is due.

    For a scheduler, where the platform lets a process run only while it answers a request: what
    has to be tried again later waits there for the next request. Signed with BOTKIT_SECRET_KEY.
    """
    status = asyncio.run(_push(Settings.load()))
    if status == 401:
        raise SettingsError("the server refuses the signature: BOTKIT_SECRET_KEY differs there")
    if status not in (200, 503):
        raise BotkitError(f"the server answered {status}; is it botkit's /internal/turns?")
    click.echo("nothing is due" if status == 200 else "something is left for later")


async def _push(settings: Settings) -> int:
    from botkit.push import PUSH_ERRORS, make_pusher

    pusher = make_pusher(settings)
    try:
        return await pusher.ask(None)
    except PUSH_ERRORS as error:
        raise BotkitError(f"the server cannot be reached: {type(error).__name__}") from None
    finally:
        await pusher.aclose()
