"""Which modules of a model an adapter may change, by their checkpoint's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from botkit_models.config import DecoderConfig
from botkit_models.weights.huggingface_names import huggingface_name
from botkit_models.weights.shapes import layer_shapes


@dataclass(frozen=True)
class Module:
    """A matrix of the checkpoint, and the canonical projections that its rows are, in order.

    ``parts`` has one entry but for GPT-2, which stores q, k and v as one matrix.
    """

    shape: tuple[int, int]
    parts: tuple[str, ...]

    @property
    def layer(self) -> int:
        """Number of the layer it is in."""
        return int(self.parts[0].split(".")[1])


def adaptable_modules(config: DecoderConfig) -> Mapping[str, Module]:
    """Checkpoint name (``model.layers.0.self_attn.q_proj``) to module, every projection."""
    modules: dict[str, Module] = {}
    gpt2 = config.family == "gpt2"
    for layer in range(config.num_layers):
        for inner, shape in layer_shapes(config).items():
            if len(shape) != 2:
                continue
            canonical = f"layers.{layer}.{inner}"
            name = huggingface_name(canonical, gpt2=gpt2, post_norms=config.post_norms)
            name = name.removesuffix(".weight")
            out, inside = shape
            before = modules.get(name, Module((0, inside), ()))
            part = canonical.removesuffix(".weight")
            modules[name] = Module((before.shape[0] + out, inside), (*before.parts, part))
    return modules
