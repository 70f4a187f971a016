"""Brings the model that the settings name, unless it is there or something else answers.

Arguments are handed on to ``botkit pull``.
"""

from __future__ import annotations

import sys

from botkit.cli import main
from botkit.errors import BotkitError
from botkit.settings import Settings
from botkit_models.home import find_model
from botkit_models.registry import KNOWN


def needed() -> str | None:
    """What to pull. A known model is always asked for: `pull` itself knows whether it is there."""
    settings = Settings.load()
    if settings.completion != "local":
        return None
    if settings.model not in KNOWN:
        find_model(settings.model, settings.home)
        return None
    return settings.model


try:
    wanted = needed()
except BotkitError as error:
    sys.exit(f"botkit: {error}")
if wanted is not None:
    sys.argv = ["botkit", "pull", *sys.argv[1:], wanted]
    main()
