"""Opening an adapter's folder, whichever form its tensors have.

::

    adapter_config.json           as PEFT writes it
    adapter_model.safetensors     as PEFT writes it, or
    tensors/                      an Orbax PyTree checkpoint of the same names
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig
from botkit_models.lora.adapter import Adapter
from botkit_models.lora.options import read_options
from botkit_models.lora.tensors import StoredTensor, read_factors
from botkit_models.weights.orbax import TENSORS, restore_tensor, stored_shapes
from botkit_models.weights.safetensors_file import read_safetensors

SAFETENSORS = "adapter_model.safetensors"
PICKLED = ("adapter_model.bin", "adapter_model.pt", "adapter_model.pth")


def read_adapter(folder: Path, config: DecoderConfig) -> Adapter:
    """Read an adapter for a model of this shape; every tensor is checked.

    Raises:
        ModelFileError: A file is missing, damaged or pickled, the adapter is for another model,
            or it needs what is not supported.
    """
    options = read_options(folder)
    return Adapter(folder, read_factors(config, options, _stored(folder)))


def _stored(folder: Path) -> dict[str, StoredTensor]:
    path = folder / SAFETENSORS
    if path.is_file():
        file = read_safetensors(path)
        return {
            name: StoredTensor(entry.shape, partial(file.load, name))
            for name, entry in file.entries.items()
        }
    if (folder / TENSORS).is_dir():
        return {
            name: StoredTensor(shape, partial(restore_tensor, folder, name, shape))
            for name, shape in stored_shapes(folder).items()
        }
    if any((folder / name).exists() for name in PICKLED):
        raise ModelFileError(
            f"{folder} has only pickled weights, which can run code when they are opened; "
            "save the adapter as safetensors"
        )
    raise ModelFileError(f"{folder}: no {SAFETENSORS} and no Orbax checkpoint in {TENSORS}/")
