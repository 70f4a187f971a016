"""``botkit serve``: the model behind OpenAI's HTTP interface, and a page to try it."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from importlib import metadata
from typing import TYPE_CHECKING

import click

from botkit.completion import Completion
from botkit.errors import SettingsError
from botkit.plugins import load_completion
from botkit.settings import EVERY_INTERFACE, LOOPBACK, Settings

if TYPE_CHECKING:
    from botkit.server import ServerLimits


@click.command(short_help="Serve a model over HTTP, with a page to try it.")
@click.option("--host", metavar="ADDRESS", help="Address to listen on [BOTKIT_HOST].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0: a free one [BOTKIT_PORT].")
@click.option("--model", metavar="NAME", help="Model that answers [BOTKIT_MODEL].")
def serve(host: str | None, port: int | None, model: str | None) -> None:
    """Serve a model to OpenAI clients, and a page at / to try it.

    Listens at once and loads the model meanwhile; Ctrl-C lets running replies finish.
    """
    settings = Settings.load(host=host, port=port, model=model)
    _log_to_stderr(settings)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from botkit.server import create_app
    from botkit.server import serve as run
    from botkit.server.page import PAGE

    completion = load_completion(settings)
    app = create_app(
        completion,
        api_keys=[key.get_secret_value() for key in settings.api_keys],
        aliases=settings.model_aliases,
        limits=_limits(settings),
        page=PAGE,
    )
    announcer = _Announcer(settings, completion)
    try:
        await run(
            app,
            settings.host,
            settings.port,
            drain_seconds=settings.shutdown_timeout,
            on_listening=announcer.listening,
            on_ready=announcer.ready,
        )
    except OSError as error:
        if announcer.address:
            raise
        raise _cannot_listen(settings, error) from None


class _Announcer:
    """Tells the person at the terminal how far the server is."""

    def __init__(self, settings: Settings, completion: Completion) -> None:
        self._settings = settings
        self._completion = completion
        self.address = ""
        self._since = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def listening(self, address: str) -> None:
        """The socket is open."""
        self.address = address.replace(f"//{EVERY_INTERFACE}:", f"//{LOOPBACK}:")
        click.echo(f"botkit {metadata.version('botkit')} listens on {address}")
        click.echo("the model is loading ...")

    def ready(self) -> None:
        """The model can answer."""
        seconds = time.monotonic() - self._since
        self._task = asyncio.get_running_loop().create_task(self._explain(seconds))

    async def _explain(self, seconds: float) -> None:
        models = await self._completion.models()
        model = models[0].id if models else self._settings.model
        click.echo(f"{model} is ready after {seconds:.1f} s")
        click.echo(how_to_call(self.address, model, needs_key=bool(self._settings.api_keys)))
        if self._settings.host != LOOPBACK and not self._settings.api_keys:
            click.echo(
                f"Everyone who reaches {self._settings.host} may ask; set BOTKIT_API_KEYS to keep "
                "others out.\n"
            )


def how_to_call(address: str, model: str, *, needs_key: bool) -> str:
    """Lines to copy: the page, curl, and the OpenAI SDK."""
    key = "$KEY" if needs_key else "none"
    header = " -H 'authorization: Bearer '$KEY" if needs_key else ""
    return f"""
  page    {address}/
  curl    curl {address}/v1/chat/completions{header} -H 'content-type: application/json' \\
            -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello!"}}]}}'
  Python  from openai import OpenAI
          client = OpenAI(base_url="{address}/v1", api_key="{key}")
          client.chat.completions.create(
              model="{model}", messages=[{{"role": "user", "content": "Hello!"}}]
          )

Ctrl-C stops the server.
"""


def _limits(settings: Settings) -> ServerLimits:
    from botkit.server import ServerLimits

    return ServerLimits(
        body_bytes=settings.max_body_bytes,
        head_seconds=min(ServerLimits.head_seconds, settings.read_timeout),
        body_seconds=settings.read_timeout,
        connections=settings.max_connections,
    )


def _log_to_stderr(settings: Settings) -> None:
    """Only botkit's own loggers speak below warning: an SDK's debug lines hold message text."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botkit").setLevel(settings.log_level.upper())
    logging.getLogger("botkit_models").setLevel(settings.log_level.upper())


def _cannot_listen(settings: Settings, error: OSError) -> SettingsError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"{where} is in use already; stop what listens there, or choose another port with "
            "--port or BOTKIT_PORT"
        )
    reason = error.strerror or str(error)
    return SettingsError(f"cannot listen on {where}: {reason}; set BOTKIT_HOST and BOTKIT_PORT")
