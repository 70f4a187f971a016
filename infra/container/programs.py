"""Compiles the programs of the model that the settings name, for this processor.

Usage: programs.py all|essential. ``essential`` is what a first short question needs; the rest is
then compiled beside the first conversations.
"""

from __future__ import annotations

import sys

from botkit.errors import BotkitError
from botkit.settings import Settings
from botkit_models.engine.config import EngineConfig
from botkit_models.home import find_model
from botkit_models.local.load import load_runtime


def compile_programs(which: str) -> int:
    """Keep them where the server looks for them; how many there are."""
    settings = Settings.load()
    folder = find_model(settings.model, settings.home)
    config = EngineConfig.of(settings)
    programs = load_runtime(folder, config, settings.compile_cache).engine.programs
    keys = programs.essential() if which == "essential" else list(programs.reachable())
    for key in keys:
        programs.keep(key)
    return len(keys)


if __name__ == "__main__":
    try:
        count = compile_programs(sys.argv[1])
    except BotkitError as error:
        sys.exit(f"botkit: {error}")
    print(f"{count} programs are compiled")
