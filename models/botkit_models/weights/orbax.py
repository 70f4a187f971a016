"""Checkpoints in Orbax: the canonical tensors as one tree, configuration and tokenizer beside it.

::

    config.json     DecoderConfig and metadata
    tokenizer.json  TokenizerSpec
    tensors/        an Orbax PyTree checkpoint, canonical name -> array

This is the form that training writes and that storage buckets hold (Orbax shards it).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from botkit.errors import ModelFileError, PullError
from botkit_models.config import DecoderConfig
from botkit_models.weights.checkpoint import Array, Checkpoint
from botkit_models.weights.native import read_tokenizer_spec
from botkit_models.weights.replacing import replacing, write_text
from botkit_models.weights.safetensors_file import parse_json_object
from botkit_models.weights.shapes import check_tensors
from botkit_models.weights.tokenizer_files import MAX_CONFIG_BYTES, read_text

FORMAT = "botkit-orbax"
TENSORS = "tensors"
FLOAT_KINDS = frozenset({"float32", "float16", "bfloat16"})


def write_orbax(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a checkpoint. All tensors are in memory while Orbax writes them.

    Raises:
        PullError: The folder cannot be written; nothing is left behind.
    """
    tree = {name: np.asarray(load()) for name, load in checkpoint.tensors.items()}
    about = {"format": FORMAT, "metadata": dict(checkpoint.metadata)}
    about["config"] = json.loads(checkpoint.config.to_json())
    spec = json.dumps(dataclasses.asdict(checkpoint.tokenizer))
    with replacing(folder) as place:
        write_text(place / "config.json", json.dumps(about, indent=1))
        write_text(place / "tokenizer.json", spec)
        try:
            _checkpointer().save(place.absolute() / TENSORS, tree)
        except (OSError, ValueError) as error:
            raise PullError(f"cannot write {folder}: {error}") from None


def read_orbax(folder: Path) -> Checkpoint:
    """Read what :func:`write_orbax` wrote; each tensor is restored when it is asked for.

    Raises:
        ModelFileError: A file is missing or damaged.
    """
    path = folder / "config.json"
    about = parse_json_object(read_text(path, MAX_CONFIG_BYTES).encode(), path)
    metadata = about.get("metadata")
    if about.get("format") != FORMAT or not isinstance(metadata, dict):
        raise ModelFileError(f"{folder} is no {FORMAT} folder")
    config = DecoderConfig.from_json(json.dumps(about.get("config")))
    shapes = stored_shapes(folder)
    check_tensors(config, shapes, folder)
    return Checkpoint(
        config=config,
        tokenizer=read_tokenizer_spec(folder / "tokenizer.json"),
        tensors={name: _loader(folder, name, shape) for name, shape in shapes.items()},
        metadata={str(key): str(value) for key, value in metadata.items()},
    )


def stored_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Name to shape of every tensor in ``folder/tensors``, all of them floats.

    Raises:
        ModelFileError: The tree is damaged, or holds other numbers.
    """
    try:
        found = _checkpointer().metadata(folder.absolute() / TENSORS)
        tree = dict(found.item_metadata.tree)
        shapes = {str(name): tuple(leaf.shape) for name, leaf in tree.items()}
        kinds = {np.dtype(leaf.dtype).name for leaf in tree.values()}
    except Exception as error:  # Orbax raises whatever its storage layers raise
        raise ModelFileError(f"{folder}: damaged Orbax checkpoint: {error!s:.200}") from None
    if not kinds <= FLOAT_KINDS:
        raise ModelFileError(f"{folder}: tensors of {sorted(kinds)}; expected floats")
    return shapes


def _loader(folder: Path, name: str, shape: tuple[int, ...]) -> Callable[[], Array]:
    return partial(restore_tensor, folder, name, shape)


def restore_tensor(folder: Path, name: str, shape: tuple[int, ...]) -> Array:
    """One tensor of ``folder/tensors``, as numpy.

    Raises:
        ModelFileError: It is damaged, or of another shape.
    """
    import orbax.checkpoint as ocp  # type: ignore[import-untyped]

    target = {name: np.zeros((), np.float32)}
    arguments = {name: ocp.RestoreArgs(restore_type=np.ndarray)}
    try:
        tree: Any = _checkpointer().restore(
            folder.absolute() / TENSORS,
            args=ocp.args.PyTreeRestore(target, restore_args=arguments, partial_restore=True),
        )
        array: Array = np.asarray(tree[name])
    except Exception as error:  # as above
        raise ModelFileError(f"{folder}: tensor {name} is damaged: {error!s:.200}") from None
    if array.shape != shape:
        raise ModelFileError(f"{folder}: tensor {name} has shape {list(array.shape)}")
    return array


def _checkpointer() -> Any:
    import orbax.checkpoint as ocp

    return ocp.PyTreeCheckpointer()
