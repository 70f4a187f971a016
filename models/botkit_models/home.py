"""Where models live: ``$BOTKIT_HOME/models/NAME/``, one serving folder each.

Light on imports: ``botkit models`` and ``botkit doctor`` ask here before anything is loaded.
"""

from __future__ import annotations

import re
from pathlib import Path

from botkit.errors import ModelFileError, PullError

MODELS = "models"
DOWNLOADS = "downloads"
SOURCES = "sources"
MARKER = "config.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


def model_folder(name: str, home: Path) -> Path:
    """Where the model of this name is, or would be.

    Raises:
        PullError: The name is not one a folder can have.
    """
    if not _NAME.fullmatch(name):
        raise PullError(
            f"{name!r} is no model name; use lower-case letters, digits, dots, dashes, underscores"
        )
    return home / MODELS / name


def source_file(name: str, home: Path) -> Path:
    """Where the GGUF file that a model was made of is, when it was kept."""
    return home / SOURCES / f"{name}.gguf"


def name_for(text: str) -> str:
    """A model name made from a file's or repository's: ``My Model.Q4.gguf`` is ``my-model.q4``."""
    stem = text.lower().removesuffix(".gguf")
    name = re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")[:80]
    if not name:
        raise PullError(f"no model name can be made from {text!r}; give one with --name")
    return name


def installed_models(home: Path) -> list[str]:
    """Names of the models that are there, sorted."""
    folder = home / MODELS
    if not folder.is_dir():
        return []
    return sorted(
        path.name
        for path in folder.iterdir()
        if _NAME.fullmatch(path.name) and (path / MARKER).is_file()
    )


def find_model(name_or_path: str, home: Path) -> Path:
    """The serving folder of an installed model, by name or by path.

    Raises:
        ModelFileError: There is none; the message says how to get it.
    """
    if _NAME.fullmatch(name_or_path):
        folder = home / MODELS / name_or_path
        if (folder / MARKER).is_file():
            return folder
    path = Path(name_or_path).expanduser()
    if (path / MARKER).is_file():
        return path
    installed = installed_models(home)
    there = f"installed are: {', '.join(installed)}" if installed else "none is installed yet"
    raise ModelFileError(
        f"the model {name_or_path!r} is not installed; run: botkit pull {name_or_path} ({there})"
    )
