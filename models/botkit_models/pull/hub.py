"""A model from the Hugging Face Hub, without anything that could run code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from botkit.errors import MissingExtraError, PullError
from botkit_models.pull.progress import Report, watched

SAFE = ("*.safetensors", "*.json", "*.jinja")
_REFERENCE = re.compile(r"([\w.-]+/[\w.-]+)(?:/([\w./ -]+\.gguf))?(?:@([\w./-]+))?")


def fetch_hub(reference: str, staging: Path, report: Report) -> Path:
    """Download ``org/name``, ``org/name@revision`` or ``org/name/file.gguf``.

    A download that was interrupted goes on where it was.

    Returns:
        The folder, or the GGUF file.

    Raises:
        MissingExtraError: ``huggingface_hub`` is not installed.
        PullError: There is no such repository or file, or the download failed.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise PullError(f"hf:{reference} is not of the form hf:org/name or hf:org/name/file.gguf")
    repository, file, revision = match.groups()
    hub = _hub()
    sizes = _sizes(hub, repository, revision)
    if file is None and not any(name.endswith(".safetensors") for name in sizes):
        ggufs = sorted(name for name in sizes if name.endswith(".gguf"))
        choice = f"; choose one: hf:{repository}/{ggufs[0]}" if ggufs else ""
        raise PullError(f"{repository} has no safetensors weights{choice}")
    wanted = {name: size for name, size in sizes.items() if _wanted(name, file)}
    if file is not None and file not in wanted:
        raise PullError(f"{repository} has no file {file}")
    with watched(staging, "downloading", sum(wanted.values()), report):
        try:
            hub.snapshot_download(
                repository,
                revision=revision,
                local_dir=staging,
                allow_patterns=sorted(wanted),
            )
        except Exception as error:  # the library raises its own, its HTTP client's, and OSError
            raise _failed(repository, error) from None
    return staging / file if file is not None else staging


def _hub() -> Any:
    try:
        import huggingface_hub
    except ModuleNotFoundError:
        raise MissingExtraError("huggingface_hub", "hub") from None
    return huggingface_hub


def _sizes(hub: Any, repository: str, revision: str | None) -> dict[str, int]:
    try:
        found = hub.HfApi().model_info(repository, revision=revision, files_metadata=True)
    except Exception as error:  # as above
        raise _failed(repository, error) from None
    return {entry.rfilename: entry.size or 0 for entry in found.siblings or []}


def _wanted(name: str, file: str | None) -> bool:
    """Only the repository's own folder: sub-folders hold other formats and intermediate steps."""
    if file is not None:
        return name == file
    return "/" not in name and any(name.endswith(pattern[1:]) for pattern in SAFE)


def _failed(repository: str, error: Exception) -> PullError:
    lines = str(error).strip().splitlines()
    reason = (lines[0] if lines else type(error).__name__)[:300]
    return PullError(
        f"cannot download {repository}: {reason}; check the name, the network and, for a "
        "repository that asks for consent, `hf auth login`"
    )
