"""From a Python file to the bot in it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from botkit.bot import Bot
from botkit.cli.blame import blame
from botkit.errors import SettingsError

MODULE = "botkit_user_bot"


def load_bot(path: Path) -> Bot:
    """Run the file and return its bot: the variable ``bot``, or the only one there is.

    The file's folder can be imported from, as with ``python FILE``.

    Raises:
        SettingsError: There is no such file, not one bot in it, or an error that it raises; the
            message says where.
    """
    if not path.is_file():
        raise SettingsError(f"there is no file {path}; `botkit new mybot` writes one")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"{path} is no Python file: its name must end with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a bot file is imported, not run
        raise SettingsError(blame(error)) from None
    return _the_bot(module, path)


def _the_bot(module: ModuleType, path: Path) -> Bot:
    named = getattr(module, "bot", None)
    if isinstance(named, Bot):
        return named
    bots = {name: value for name, value in vars(module).items() if isinstance(value, Bot)}
    different = {id(value) for value in bots.values()}
    if len(different) == 1:
        return next(iter(bots.values()))
    found = f"{len(bots)} bots ({', '.join(bots)})" if bots else "no bot"
    raise SettingsError(f"{path} has {found}; one should be named bot, as in: bot = Bot()")
