"""Dialogues of people with assistants, as chat messages: the Schema-Guided Dialogue dataset.

Format: https://github.com/google-research-datasets/dstc8-schema-guided-dialogue (a list of
dialogues per file; each has ``turns`` with ``speaker`` and ``utterance``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botkit.errors import SettingsError

FOLDER = Path("datasets", "sgd", "dev")
ROLES = {"USER": "user", "SYSTEM": "assistant"}

Dialogue = list[dict[str, str]]


def find_dialogues(shared: Path | None) -> Path | None:
    """The dataset's folder below ``shared``, or below ``../shared``; None when it is not there."""
    folder = (shared or Path("..", "shared")) / FOLDER
    return folder if any(folder.glob("dialogues_*.json")) else None


def read_dialogues(folder: Path, count: int) -> list[Dialogue]:
    """``count`` dialogues as messages, taken evenly from all files in order of their names.

    Raises:
        SettingsError: The files are not what they should be.
    """
    try:
        found = [one for path in sorted(folder.glob("dialogues_*.json")) for one in _load(path)]
        step = max(len(found) // count, 1)
        return [_messages(dialogue) for dialogue in found[::step][:count]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"cannot read dialogues in {folder}: {error!r}") from None


def _load(path: Path) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return loaded


def _messages(dialogue: dict[str, Any]) -> Dialogue:
    return [
        {"role": ROLES[turn["speaker"]], "content": turn["utterance"]} for turn in dialogue["turns"]
    ]
