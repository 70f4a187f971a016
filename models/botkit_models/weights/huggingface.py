"""Reading a Hugging Face model folder: ``config.json``, ``*.safetensors``, ``tokenizer.json``.

Nothing is unpickled: a folder that has only ``pytorch_model.bin`` is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig
from botkit_models.weights.checkpoint import Array, Checkpoint
from botkit_models.weights.fields import Fields
from botkit_models.weights.huggingface_config import decoder_config
from botkit_models.weights.huggingface_names import (
    GPT2_FUSED,
    huggingface_name,
    without_buffers,
)
from botkit_models.weights.safetensors_file import (
    SafetensorsFile,
    parse_json_object,
    read_safetensors,
)
from botkit_models.weights.shapes import check_tensors, tensor_shapes
from botkit_models.weights.tokenizer_files import MAX_CONFIG_BYTES, read_text, read_tokenizer

MAX_SHARDS = 1000
FLOAT_KINDS = frozenset({"float32", "float16", "bfloat16"})


def read_huggingface(folder: Path) -> Checkpoint:
    """Read a folder as ``save_pretrained`` or the Hub lays it out.

    Tensors come in the dtype they are stored in (float32, float16 or bfloat16); GPT-2's
    ``[in, out]`` matrices are transposed and its fused projection is split.

    Raises:
        ModelFileError: A file is missing or damaged, or the architecture is not supported.
    """
    path = folder / "config.json"
    raw = parse_json_object(read_text(path, MAX_CONFIG_BYTES).encode(), path)
    config = decoder_config(Fields(raw, path))
    stored = _stored_tensors(folder)
    tensors = _canonical(config, stored, folder)
    return Checkpoint(
        config=config,
        tokenizer=read_tokenizer(folder, raw),
        tensors=tensors,
        metadata={"name": folder.resolve().name, "source": "huggingface"},
    )


def _stored_tensors(folder: Path) -> dict[str, SafetensorsFile]:
    """Tensor name to the file it is in, over all shards."""
    stored: dict[str, SafetensorsFile] = {}
    for path in _weight_files(folder):
        file = read_safetensors(path)
        for name in without_buffers(file.entries):
            if name in stored:
                raise ModelFileError(f"{path}: tensor {name} is in two files")
            stored[name] = file
    return stored


def _weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = parse_json_object(read_text(index, 64 << 20).encode(), index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(v, str) for v in shards.values()):
            raise ModelFileError(f"{index}: weight_map is missing or damaged")
        names = sorted(set(shards.values()))
        if len(names) > MAX_SHARDS or any(Path(name).name != name for name in names):
            raise ModelFileError(f"{index}: file names lead out of the folder, or are too many")
        return [folder / name for name in names]
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
        raise ModelFileError(
            f"{folder} has only pickled weights, which can run code when they are opened; "
            "save the model as safetensors"
        )
    raise ModelFileError(f"{folder}: no model.safetensors and no model.safetensors.index.json")


def _canonical(
    config: DecoderConfig, stored: Mapping[str, SafetensorsFile], folder: Path
) -> dict[str, Callable[[], Array]]:
    gpt2 = config.family == "gpt2"
    # The Hub's gpt2 was saved without its wrapper and lacks the prefix.
    bare = gpt2 and "wte.weight" in stored
    tensors: dict[str, Callable[[], Array]] = {}
    found: dict[str, tuple[int, ...]] = {}
    used: set[str] = set()
    if config.num_layers > len(stored):
        raise ModelFileError(f"{folder}: {config.num_layers} layers, {len(stored)} tensors")
    for name in tensor_shapes(config):
        source = huggingface_name(name, gpt2=gpt2, post_norms=config.post_norms)
        source = source.removeprefix("transformer.") if bare else source
        if source not in stored:
            continue
        used.add(source)
        file = stored[source]
        shape = file.entries[source].shape
        if file.entries[source].dtype.name not in FLOAT_KINDS:
            raise ModelFileError(f"{file.path}: tensor {source} is not of a float dtype")
        load = partial(file.load, source)
        if gpt2 and name.startswith("layers.") and "norm" not in name:
            part = next((i for i, kind in enumerate(GPT2_FUSED) if f".{kind}." in name), None)
            shape = _conv1d_shape(shape, part)
            load = partial(_conv1d, load, part)
        found[name], tensors[name] = shape, load
    unused = set(stored) - used
    if config.tie_embeddings:
        unused.discard("lm_head.weight")  # a copy of the embedding
    for name in unused:
        found[name] = stored[name].entries[name].shape
    check_tensors(config, found, folder)
    return tensors


def _conv1d_shape(shape: tuple[int, ...], part: int | None) -> tuple[int, ...]:
    if part is not None and shape[-1] % 3 == 0:
        shape = (*shape[:-1], shape[-1] // 3)
    return shape[::-1]


def _conv1d(load: Callable[[], Array], part: int | None) -> Array:
    """A GPT-2 ``Conv1D`` weight [in, out] (or bias [out]) as [out, in], or its q, k or v third."""
    array = load()
    if part is not None:
        array = np.split(array, 3, axis=-1)[part]
    return np.ascontiguousarray(array.T)
