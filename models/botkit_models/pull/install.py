"""From a source to an installed model: fetch, read, convert, put in place."""

from __future__ import annotations

import dataclasses
import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from botkit.errors import MissingExtraError, ModelFileError, PullError
from botkit_models.home import DOWNLOADS, model_folder, source_file
from botkit_models.pull.lock import locked
from botkit_models.pull.progress import Report, silent
from botkit_models.pull.source import find_source, read_checkpoint
from botkit_models.registry import KNOWN, KnownModel

if TYPE_CHECKING:
    from botkit_models.weights.checkpoint import Checkpoint

Weights = Literal["int8", "bfloat16", "float32"]
NEEDED = ("numpy", "ml_dtypes", "gguf", "tokenizers")


class Convert(Protocol):
    """Writes a checkpoint as a serving folder, whole or not at all."""

    def __call__(self, checkpoint: Checkpoint, folder: Path, *, weights: Weights) -> None:
        """Quantise and write."""
        ...


def pull(
    source: str,
    *,
    home: Path,
    name: str | None = None,
    weights: Weights = "int8",
    force: bool = False,
    keep_source: bool = False,
    progress: Report = silent,
    convert: Convert | None = None,
    known: Mapping[str, KnownModel] = KNOWN,
) -> Path:
    """Install a model under ``home``.

    Args:
        source: A known name, ``file.gguf``, a Hugging Face or Orbax folder, ``hf:org/name`` or
            ``hf:org/name/file.gguf``.
        home: ``$BOTKIT_HOME``.
        name: What to call it; made from the source when None.
        weights: The form it is served from.
        force: Bring a known model again although it is there.
        keep_source: Keep a GGUF file that was downloaded; see
            :func:`botkit_models.home.source_file`.
        progress: Told about every stage.
        convert: Writes the serving folder; quantisation by default.
        known: The models that have names.

    Returns:
        The serving folder.

    Raises:
        PullError: It could not be brought, or there is no room; nothing is half-installed.
        ModelFileError: What was brought cannot be read.
        MissingExtraError: The source needs a package that is not installed.
    """
    _check_packages()
    found = find_source(source, known)
    folder = model_folder(name or found.name, home)
    staging = home / DOWNLOADS / folder.name
    _make(folder.parent)
    with locked(folder.parent / f".{folder.name}.lock"):
        _sweep(folder)
        there = source in known and not force and _is_there(folder, known[source], weights)
        kept = source_file(folder.name, home)
        if there and (kept.is_file() or not keep_source):
            return folder
        _make(staging)
        path = found.fetch(staging, progress)
        if not there:
            progress("converting", 0, None)
            _convert(path, found.metadata, folder, weights, convert or _quantise())
        if keep_source and path.is_file() and path.is_relative_to(staging):
            _make(kept.parent)
            path.replace(kept)
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _convert(
    path: Path, metadata: Mapping[str, str], folder: Path, weights: Weights, convert: Convert
) -> None:
    from botkit_models.weights.shapes import count_parameters

    checkpoint = read_checkpoint(path)
    about = {**checkpoint.metadata, **metadata, "id": folder.name}
    about["parameters"] = str(count_parameters(checkpoint.config))
    checkpoint = dataclasses.replace(checkpoint, metadata=about)
    try:
        convert(checkpoint, folder, weights=weights)
    except OSError as error:
        raise PullError(f"cannot write {folder}: {error.strerror or error}") from None


def _quantise() -> Convert:
    from botkit_models.weights.convert import convert

    return convert


def _check_packages() -> None:
    for package in NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "jax")


def _is_there(folder: Path, model: KnownModel, weights: Weights) -> bool:
    """Whether this very model is installed whole, in the form asked for."""
    from botkit_models.weights.native import open_native, weights_kind

    try:
        installed = open_native(folder)
    except ModelFileError:
        return False
    return installed.metadata.get("sha256") == model.sha256 and weights_kind(installed) == weights


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PullError(f"cannot write to {folder}: {error.strerror or error}") from None


def _sweep(folder: Path) -> None:
    """Remove what an interrupted pull left beside the model; put back what it moved aside."""
    for aside in folder.parent.glob(f".{folder.name}.*.old"):
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(folder)
    for partial in folder.parent.glob(f".{folder.name}.*.partial"):
        shutil.rmtree(partial, ignore_errors=True)
