"""From a Python file to the bot in it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from botkit.app import Bot
from botkit.errors import SettingsError

MODULE = "botkit_user_bot"


def load_bot(path: Path) -> Bot:
    """Run the file and return its bot: the variable ``bot``, or the only one there is.

    The file's folder can be imported from, as with ``python FILE``.

    Raises:
        SettingsError: There is no such file, or not one bot in it.
        BotkitError: A handler in it cannot be registered.
    """
    if not path.is_file():
        raise SettingsError(f"there is no file {path}; `botkit new mybot` writes one")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"{path} is no Python file: its name must end with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    named = getattr(module, "bot", None)
    bots = [value for value in vars(module).values() if isinstance(value, Bot)]
    if isinstance(named, Bot):
        return named
    if len(bots) == 1:
        return bots[0]
    found = "several bots" if bots else "no bot"
    raise SettingsError(f"{path} has {found}; it should say: bot = Bot()")
