"""Adapters for the tiny models, written as PEFT writes them, and the models they make."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tiny_models import FIXTURES

Float = NDArray[np.float32]

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
GPT2_PROJECTIONS = ("c_attn", "c_proj", "c_fc")


@dataclasses.dataclass(frozen=True)
class TinyAdapter:
    """An adapter of a fixture family before it is written.

    Fields:
        family: The fixture.
        config: What ``adapter_config.json`` will say.
        tensors: PEFT's names to ``lora_A [r, in]`` and ``lora_B [out, r]``.
    """

    family: str
    config: Mapping[str, Any]
    tensors: Mapping[str, Float]

    def write(self, folder: Path) -> Path:
        """As ``save_pretrained`` does."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "adapter_config.json").write_text(json.dumps(self.config))
        save_file(dict(self.tensors), folder / "adapter_model.safetensors", {"format": "pt"})
        return folder

    def write_merged(self, folder: Path) -> Path:
        """The fixture with the adapter merged into it, a Hugging Face folder of its own."""
        shutil.copytree(FIXTURES / self.family, folder)
        path = folder / "model.safetensors"
        weights = load_file(path)
        for name in list(self.tensors):
            if not name.endswith(".lora_A.weight"):
                continue
            module = name.removesuffix(".lora_A.weight")
            a, b = self.tensors[name], self.tensors[f"{module}.lora_B.weight"]
            delta = np.float32(self._scale(module)) * (b @ a)
            stored = f"{module.removeprefix('base_model.model.')}.weight"
            weights[stored] = weights[stored] + (delta.T if self.family == "gpt2" else delta)
        save_file(weights, path, {"format": "pt"})
        return folder

    def _scale(self, module: str) -> float:
        rank = len(self.tensors[f"{module}.lora_A.weight"])
        alphas = self.config.get("alpha_pattern", {})
        alpha = next((v for k, v in alphas.items() if k in module), self.config["lora_alpha"])
        return alpha / (rank**0.5 if self.config.get("use_rslora") else rank)


def tiny_adapter(
    family: str = "llama",
    *,
    targets: tuple[str, ...] | None = None,
    rank: int = 4,
    ranks: Mapping[str, int] | None = None,
    strength: float = 0.3,
    seed: int = 0,
    **options: Any,
) -> TinyAdapter:
    """A random adapter of ``targets`` (by default every projection) in every layer.

    ``ranks`` overrides ``rank`` per target; ``strength`` is the size of the factors' numbers.
    """
    known = GPT2_PROJECTIONS if family == "gpt2" else PROJECTIONS
    targets = targets or known
    weights = load_file(FIXTURES / family / "model.safetensors")
    rng = np.random.default_rng(seed)
    tensors: dict[str, Float] = {}
    for stored, weight in sorted(weights.items()):
        target = stored.removesuffix(".weight").rpartition(".")[2]
        if not re.search(r"\.(layers|h)\.\d+\.", stored) or target not in targets:
            continue
        if weight.ndim != 2:
            continue
        out, inside = weight.shape[::-1] if family == "gpt2" else weight.shape
        r = (ranks or {}).get(target, rank)
        module = f"base_model.model.{stored.removesuffix('.weight')}"
        tensors[f"{module}.lora_A.weight"] = _numbers(rng, (r, inside), strength)
        tensors[f"{module}.lora_B.weight"] = _numbers(rng, (out, r), strength)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": f"tiny/{family}",
        "r": rank,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.05,
        "bias": "none",
        "fan_in_fan_out": family == "gpt2",
        "inference_mode": True,
        "target_modules": list(targets),
        "modules_to_save": None,
        "use_dora": False,
        "use_rslora": False,
        "rank_pattern": dict(ranks or {}),
        "alpha_pattern": {},
        "layers_to_transform": None,
    }
    return TinyAdapter(family, config | options, tensors)


def _numbers(rng: np.random.Generator, shape: tuple[int, int], strength: float) -> Float:
    return (rng.standard_normal(shape) * strength).astype(np.float32)
