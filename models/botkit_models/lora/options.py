"""``adapter_config.json`` as PEFT writes it: what is understood, and what is refused by name.

Source: ``LoraConfig`` of Hugging Face PEFT (https://huggingface.co/docs/peft/package_reference/lora).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botkit.errors import ModelFileError
from botkit_models.weights.fields import Fields
from botkit_models.weights.safetensors_file import parse_json_object
from botkit_models.weights.tokenizer_files import MAX_CONFIG_BYTES, read_text

CONFIG_FILE = "adapter_config.json"
MAX_RANK = 1024
MAX_TARGETS = 4096

_READ = frozenset(
    {
        "peft_type",
        "r",
        "lora_alpha",
        "use_rslora",
        "rank_pattern",
        "alpha_pattern",
        "target_modules",
        "exclude_modules",
        "layers_to_transform",
        "bias",
        "init_lora_weights",
        "base_model_name_or_path",
    }
)
# They steer training, or say again what the tensors' names say.
_WITHOUT_EFFECT = frozenset(
    {
        "task_type",
        "auto_mapping",
        "revision",
        "inference_mode",
        "lora_dropout",
        "fan_in_fan_out",
        "layers_pattern",
        "runtime_config",
        "peft_version",
        "loftq_config",
        "eva_config",
        "corda_config",
        "lora_ga_config",
        "qalora_group_size",
        "ensure_weight_tying",
    }
)
# Others (PiSSA, OLoRA, CorDA, LoftQ ...) train beside a base model whose weights they changed.
_HARMLESS_STARTS = (None, True, False, "gaussian", "eva", "orthogonal")
_LITERAL = re.compile(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True)
class LoraOptions:
    """How an adapter was trained, as far as serving it depends on that.

    Fields:
        path: The file this was read from.
        rank, alpha: Of modules that no pattern names.
        rslora: The scale is ``alpha / sqrt(rank)`` (arXiv:2312.03732), else ``alpha / rank``.
        ranks, alphas: Per module or end of a module's name.
        targets: Module names or their ends, or None where a pattern says them.
        layers: The layers that were trained, or None: all.
    """

    path: Path
    rank: int
    alpha: float
    rslora: bool = False
    ranks: Mapping[str, int] = field(default_factory=dict)
    alphas: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[str, ...] | None = None
    layers: frozenset[int] | None = None

    def rank_of(self, module: str) -> int:
        """The rank of a module, by its full name (``model.layers.0.self_attn.q_proj``)."""
        return next((v for key, v in self.ranks.items() if names_module(key, module)), self.rank)

    def scale_of(self, module: str) -> float:
        """What the product of a module's factors is multiplied by."""
        found = (v for key, v in self.alphas.items() if names_module(key, module))
        rank = self.rank_of(module)
        return next(found, self.alpha) / (rank**0.5 if self.rslora else rank)


def read_options(folder: Path) -> LoraOptions:
    """The options of an adapter's folder.

    Raises:
        ModelFileError: The file is missing or damaged, or asks for what is not supported here.
    """
    path = folder / CONFIG_FILE
    raw = parse_json_object(read_text(path, MAX_CONFIG_BYTES).encode(), path)
    _refuse_unsupported(raw, path)
    fields = Fields(raw, path)
    rank = _rank(fields.integer("r"), "r", path)
    return LoraOptions(
        path=path,
        rank=rank,
        alpha=fields.number("lora_alpha"),
        rslora=fields.flag("use_rslora"),
        ranks={
            key: _rank(value, f"rank_pattern[{key!r}]", path)
            for key, value in _pattern(raw, "rank_pattern", path).items()
        },
        alphas={
            key: Fields({key: value}, path).number(key)
            for key, value in _pattern(raw, "alpha_pattern", path).items()
        },
        targets=_targets(raw, path),
        layers=_layers(raw.get("layers_to_transform"), path),
    )


def names_module(key: str, module: str) -> bool:
    """Whether ``key`` is a module's name or its end, or with ``^`` the name from its beginning."""
    if key.startswith("^"):
        return key[1:] == module
    return module == key or module.endswith(f".{key}")


def _refuse_unsupported(raw: Mapping[str, Any], path: Path) -> None:
    kind = raw.get("peft_type")
    if kind != "LORA":
        raise ModelFileError(f"{path}: peft_type is {kind!r:.60}; only LORA is supported")
    if raw.get("bias", "none") != "none":
        raise ModelFileError(f"{path}: bias is {raw['bias']!r:.60}; trained biases are unsupported")
    start = raw.get("init_lora_weights")
    if start not in _HARMLESS_STARTS:
        raise ModelFileError(
            f"{path}: init_lora_weights is {start!r:.60}, which changes the base model, too; "
            "save the adapter converted to plain LoRA"
        )
    for name, value in raw.items():
        if value and name not in _READ | _WITHOUT_EFFECT:
            raise ModelFileError(f"{path}: {name} is {value!r:.60}; that is not supported here")


def _pattern(raw: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    """A table of modules, as names: a stranger's regular expression may never end."""
    table = raw.get(name) or {}
    if not isinstance(table, dict) or len(table) > MAX_TARGETS:
        raise ModelFileError(f"{path}: {name} must be a table of modules")
    found: dict[str, Any] = {}
    for key, value in table.items():
        literal = key.replace("\\.", ".")
        if not _LITERAL.fullmatch(literal.removeprefix("^")):
            raise ModelFileError(
                f"{path}: {name} has {key!r:.80}; only names of modules are supported, "
                "no regular expressions"
            )
        found[literal] = value
    return found


def _targets(raw: Mapping[str, Any], path: Path) -> tuple[str, ...] | None:
    targets = raw.get("target_modules")
    # With modules taken out again by a pattern, the tensors alone say what is there.
    if targets is None or isinstance(targets, str) or raw.get("exclude_modules"):
        return None
    whole = isinstance(targets, list) and len(targets) <= MAX_TARGETS
    if not whole or not all(isinstance(one, str) for one in targets):
        raise ModelFileError(f"{path}: target_modules must be a list of names")
    return tuple(targets)


def _layers(value: Any, path: Path) -> frozenset[int] | None:
    if value is None or value == []:
        return None
    layers = value if isinstance(value, list) else [value]
    if not all(type(one) is int for one in layers):
        raise ModelFileError(f"{path}: layers_to_transform must be numbers of layers")
    return frozenset(layers)


def _rank(value: Any, name: str, path: Path) -> int:
    if type(value) is not int or not 0 < value <= MAX_RANK:
        raise ModelFileError(f"{path}: {name} is {value!r:.60}; expected a rank, 1 to {MAX_RANK}")
    return value
