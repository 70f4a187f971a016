"""The pairs of matrices in an adapter's tensors, by PEFT's names, every shape checked.

``base_model.model.MODULE.lora_A.weight [r, in]`` and ``... .lora_B.weight [out, r]``; GPT-2's, too,
although its own matrices are stored ``[in, out]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig
from botkit_models.lora.adapter import Factors, Float
from botkit_models.lora.modules import Module, adaptable_modules
from botkit_models.lora.options import LoraOptions, names_module
from botkit_models.weights.checkpoint import Array
from botkit_models.weights.orbax import FLOAT_KINDS

PREFIX = "base_model.model."
A, B = "lora_A", "lora_B"


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of an adapter that has not been read yet."""

    shape: tuple[int, ...]
    load: Callable[[], Array]


def peft_name(module: str, factor: str) -> str:
    """PEFT's name of a module's ``lora_A`` or ``lora_B``."""
    return f"{PREFIX}{module}.{factor}.weight"


def read_factors(
    config: DecoderConfig, options: LoraOptions, stored: Mapping[str, StoredTensor]
) -> dict[str, Factors]:
    """Canonical module to factors, scaled; ``stored`` is everything the adapter has.

    Raises:
        ModelFileError: A tensor or module is missing, unknown, of a wrong shape or damaged.
    """
    modules = adaptable_modules(config)
    found = _found(modules, stored, options)
    _check_targets(modules, found, options)
    factors: dict[str, Factors] = {}
    for name in found:
        factors |= _factors(name, modules[name], options, stored)
    return factors


def _found(
    modules: Mapping[str, Module], stored: Mapping[str, StoredTensor], options: LoraOptions
) -> list[str]:
    """Names of the modules that have a pair, in the model's order."""
    known = {peft_name(name, factor): name for name in modules for factor in (A, B)}
    for name in stored:
        if name not in known:
            raise ModelFileError(
                f"{options.path.parent}: {name} is no low-rank pair of a projection of this model; "
                "embeddings, heads, norms and saved modules cannot be adapted here"
            )
    found = [name for name in modules if any(peft_name(name, f) in stored for f in (A, B))]
    for name in found:
        for tensor in (peft_name(name, A), peft_name(name, B)):
            if tensor not in stored:
                raise ModelFileError(f"{options.path.parent}: tensor {tensor} is missing")
    if not found:
        raise ModelFileError(f"{options.path.parent}: the adapter has no tensors")
    return found


def _check_targets(modules: Mapping[str, Module], found: list[str], options: LoraOptions) -> None:
    """What is there must be what the configuration promises, where it says it by name."""
    if options.targets is None:
        return
    promised: set[str] = set()
    for target in options.targets:
        mine = {name for name in modules if names_module(target, name)}
        if not mine:
            raise ModelFileError(
                f"{options.path}: target module {target!r:.80} is no projection of this model"
            )
        promised |= mine
    if options.layers is not None:
        promised = {name for name in promised if modules[name].layer in options.layers}
    for name in sorted(promised ^ set(found)):
        problem = "has no tensors" if name in promised else "is not among the target modules"
        raise ModelFileError(f"{options.path.parent}: {name} {problem}")


def _factors(
    name: str, module: Module, options: LoraOptions, stored: Mapping[str, StoredTensor]
) -> dict[str, Factors]:
    """The module's factors, one pair per canonical part."""
    rank = options.rank_of(name)
    out, inside = module.shape
    a = _load(name, A, (rank, inside), options, stored)
    b = _load(name, B, (out, rank), options, stored) * np.float32(options.scale_of(name))
    rows = np.split(b, len(module.parts))  # out/parts,r each
    return {part: Factors(a, mine) for part, mine in zip(module.parts, rows, strict=True)}


def _load(
    name: str,
    factor: str,
    shape: tuple[int, int],
    options: LoraOptions,
    stored: Mapping[str, StoredTensor],
) -> Float:
    tensor = stored[peft_name(name, factor)]
    where = f"{options.path.parent}: {factor} of {name}"
    if tensor.shape != shape:
        raise ModelFileError(
            f"{where} has shape {list(tensor.shape)}; with rank {options.rank_of(name)} this model "
            f"needs {list(shape)}"
        )
    array = tensor.load()
    if array.dtype.name not in FLOAT_KINDS:
        raise ModelFileError(f"{where} is of {array.dtype.name}; expected floats")
    values = array.astype(np.float32)
    if not np.isfinite(values).all():
        raise ModelFileError(f"{where} holds numbers that are not finite")
    return values
