"""The table: which axis of which array goes over which axis of the mesh.

Axes have names (``heads``, ``mlp``, ...) in weights, caches and activations alike, so that one
line here decides for all three. With ``heads`` and ``mlp`` over ``tensor``, a layer needs one sum
over devices after attention and one after the feed-forward (Shoeybi et al. 2019, Megatron-LM,
arXiv:1909.08053). With ``embed`` over ``data``, every device holds its part of each weight only, as
in FSDP; steps of a few rows then leave the weights where they are and exchange activations, which
are smaller (Pope et al. 2022, "2D weight-stationary", arXiv:2211.05102).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from botkit_models.config import DecoderConfig

DATA, TENSOR = "data", "tensor"
Axes = tuple[str, ...]

RULES: Mapping[str, str | None] = MappingProxyType(
    {
        "vocab": TENSOR,
        "heads": TENSOR,
        "kv_heads": TENSOR,
        "mlp": TENSOR,
        "embed": DATA,
        "slots": DATA,  # conversations, where each has a cache
        "rows": None,  # conversations, in activations: every device needs all of them
        "tokens": None,
        "context": None,
        "head_dim": None,
        "position": None,
    }
)

_MATRICES: Mapping[str, Axes] = MappingProxyType(
    {
        "embed": ("vocab", "embed"),
        "position": ("position", "embed"),
        "head": ("vocab", "embed"),
        "attn.q": ("heads", "embed"),
        "attn.k": ("kv_heads", "embed"),
        "attn.v": ("kv_heads", "embed"),
        "attn.out": ("embed", "heads"),
        "mlp.gate": ("mlp", "embed"),
        "mlp.up": ("mlp", "embed"),
        "mlp.down": ("embed", "mlp"),
    }
)
_HEAD_NORMS = ("attn.q_norm", "attn.k_norm")

CACHE: Axes = ("slots", "kv_heads", "context", "head_dim")
RESIDUAL: Axes = ("rows", "tokens", "embed")


def parameter_axes(name: str) -> Axes:
    """The axes of a tensor: a canonical name of :mod:`botkit_models.config`, or its ``.scale``."""
    pieces = name.split(".")
    layered = pieces[0] == "layers"
    module = ".".join(pieces[2:-1] if layered else pieces[:-1])
    if module in _HEAD_NORMS:
        return ("head_dim",)
    if module not in _MATRICES:
        return ("embed",)  # the other norms
    axes = _MATRICES[module]
    return axes if pieces[-1] == "weight" else axes[:1]


def axis_sizes(config: DecoderConfig, slots: int) -> dict[str, int]:
    """How many parts each axis of the table that goes over a mesh can be cut into.

    Query heads stay beside the key/value head that they share, so there are as many parts of them.
    """
    return {
        "vocab": config.vocab_size,
        "heads": config.num_kv_heads,
        "kv_heads": config.num_kv_heads,
        "mlp": config.intermediate_size,
        "embed": config.hidden_size,
        "slots": slots,
    }
