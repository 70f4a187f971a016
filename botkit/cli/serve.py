"""``botkit serve``: a bot on its platforms, the model over HTTP, and a page to try it."""

from __future__ import annotations

import asyncio
import errno
import shlex
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from botkit.completion import Completion
from botkit.errors import SettingsError
from botkit.logs import log_to_stderr
from botkit.plugins import load_completion
from botkit.settings import EVERY_INTERFACE, LOOPBACK, Settings

if TYPE_CHECKING:
    from botkit.app import BotApplication


@click.command(short_help="Serve a bot on its platforms, and the model over HTTP.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--host", metavar="ADDRESS", help="Address to listen on [BOTKIT_HOST].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0: a free one [BOTKIT_PORT].")
@click.option("--model", metavar="NAME", help="Model that answers [BOTKIT_MODEL].")
@click.option("--reload", is_flag=True, help="Start again when a file beside FILE changes.")
def serve(
    file: Path | None, host: str | None, port: int | None, model: str | None, reload: bool
) -> None:
    """Answer on every platform whose variables are set (SLACK_*, TELEGRAM_*), and on the web.

    FILE holds your bot; without one, the model answers everything. OpenAI clients are served too,
    and a page at / to try the bot.

    Listens at once and loads the model meanwhile; Ctrl-C lets running replies finish.
    """
    if reload:
        _serve_reloading(file)
        return
    settings = Settings.load(host=host, port=port, model=model)
    log_to_stderr(settings.log_level, settings.log_format)
    asyncio.run(_serve(settings, file))


def _serve_reloading(file: Path | None) -> None:
    """Run this very command without ``--reload``, again after each change of a Python file."""
    from watchfiles import PythonFilter, run_process

    command = [sys.executable, "-m", "botkit", *(a for a in sys.argv[1:] if a != "--reload")]
    folder = (file or Path()).resolve()
    watched = folder.parent if file else folder
    run_process(
        watched,
        target=shlex.join(command),
        target_type="command",
        watch_filter=PythonFilter(),
        callback=lambda _: click.echo("a file has changed: starting again ..."),
    )


async def _serve(settings: Settings, file: Path | None) -> None:
    from botkit.server import ServerLimits, create_app
    from botkit.server import serve as run
    from botkit.server.page import PAGE

    completion = load_completion(settings)
    bot = _bot(settings, completion, file)
    app = create_app(
        completion,
        api_keys=[key.get_secret_value() for key in settings.api_keys],
        aliases=settings.model_aliases,
        limits=ServerLimits.of(settings),
        page=PAGE,
        open_routes=bot.open_routes if bot else (),
        routes=bot.routes if bot else (),
    )
    announcer = _Announcer(settings, completion, bot)
    try:
        await run(
            app,
            settings.host,
            settings.port,
            drain_seconds=settings.shutdown_timeout,
            on_listening=announcer.listening,
            on_ready=announcer.ready,
            companion=bot,
        )
    except OSError as error:
        if announcer.address:
            raise
        raise _cannot_listen(settings, error) from None


def _bot(settings: Settings, completion: Completion, file: Path | None) -> BotApplication | None:
    """The bot of the file, or the one without handlers; None when there is neither a platform for
    it nor a console to look at."""
    from botkit.plugins import load_adapters

    adapters = load_adapters(settings)
    if file is None and not adapters and settings.console_key is None:
        return None
    from botkit.bot import Bot
    from botkit.cli.bot_file import load_bot

    bot = Bot() if file is None else load_bot(file)
    return bot.application(settings, completion, adapters)


NO_PLATFORM = (
    "no platform is set up; set SLACK_..., TELEGRAM_... or BOTKIT_WEB_ORIGINS, see `botkit doctor`"
)
WEB = "web"


class _Announcer:
    """Tells the person at the terminal how far the server is."""

    def __init__(
        self, settings: Settings, completion: Completion, bot: BotApplication | None
    ) -> None:
        self._settings = settings
        self._bot = bot
        self._completion = completion
        self.address = ""
        self._since = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def listening(self, address: str) -> None:
        """The socket is open."""
        self.address = address.replace(f"//{EVERY_INTERFACE}:", f"//{LOOPBACK}:")
        click.echo(f"botkit {metadata.version('botkit')} listens on {address}")
        if self._bot is not None:
            platforms = ", ".join(name.capitalize() for name in self._bot.adapters)
            click.echo(f"the bot answers on: {platforms}" if platforms else NO_PLATFORM)
        click.echo("the model is loading ...")

    def ready(self) -> None:
        """The model can answer."""
        seconds = time.monotonic() - self._since
        self._task = asyncio.get_running_loop().create_task(self._explain(seconds))

    async def _explain(self, seconds: float) -> None:
        models = await self._completion.models()
        model = models[0].id if models else self._settings.model
        click.echo(f"{model} is ready after {seconds:.1f} s")
        web = self._bot is not None and WEB in self._bot.adapters
        needs_key = bool(self._settings.api_keys)
        console = self._bot is not None and self._settings.console_key is not None
        click.echo(how_to_call(self.address, model, needs_key=needs_key, web=web, console=console))
        if self._settings.host != LOOPBACK and not self._settings.api_keys:
            click.echo(
                f"Everyone who reaches {self._settings.host} may ask; set BOTKIT_API_KEYS to keep "
                "others out.\n"
            )


def how_to_call(
    address: str, model: str, *, needs_key: bool, web: bool = False, console: bool = False
) -> str:
    """Lines to copy: the page, the widget, the console, curl, and the OpenAI SDK."""
    key = "$KEY" if needs_key else "none"
    header = " -H 'authorization: Bearer '$KEY" if needs_key else ""
    widget = f'\n  widget  <script async src="{address}/widget.js"></script>' if web else ""
    looking = f"\n  console {address}/console" if console else ""
    return f"""
  page    {address}/{widget}{looking}
  curl    curl {address}/v1/chat/completions{header} -H 'content-type: application/json' \\
            -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello!"}}]}}'
  Python  from openai import OpenAI
          client = OpenAI(base_url="{address}/v1", api_key="{key}")
          client.chat.completions.create(
              model="{model}", messages=[{{"role": "user", "content": "Hello!"}}]
          )

Ctrl-C stops the server.
"""


def _cannot_listen(settings: Settings, error: OSError) -> SettingsError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"{where} is in use already; stop what listens there, or choose another port with "
            "--port or BOTKIT_PORT"
        )
    reason = error.strerror or str(error)
    return SettingsError(f"cannot listen on {where}: {reason}; set BOTKIT_HOST and BOTKIT_PORT")
