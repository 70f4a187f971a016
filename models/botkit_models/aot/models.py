"""Models by name, as shapes only: no weights are needed to compile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig, RopeScaling

_LLAMA_3 = RopeScaling("llama3", factor=8.0)

SHAPES: Mapping[str, DecoderConfig] = MappingProxyType(
    {
        "smollm2-135m": DecoderConfig(
            family="llama",
            vocab_size=49152,
            hidden_size=576,
            intermediate_size=1536,
            num_layers=30,
            num_heads=9,
            num_kv_heads=3,
            head_dim=64,
            max_positions=8192,
            rope_theta=100_000.0,
        ),
        "llama-3-8b": DecoderConfig(
            family="llama",
            vocab_size=128256,
            hidden_size=4096,
            intermediate_size=14336,
            num_layers=32,
            num_heads=32,
            num_kv_heads=8,
            head_dim=128,
            max_positions=131072,
            rope_theta=500_000.0,
            rope_scaling=_LLAMA_3,
            tie_embeddings=False,
        ),
        "llama-3-70b": DecoderConfig(
            family="llama",
            vocab_size=128256,
            hidden_size=8192,
            intermediate_size=28672,
            num_layers=80,
            num_heads=64,
            num_kv_heads=8,
            head_dim=128,
            max_positions=131072,
            rope_theta=500_000.0,
            rope_scaling=_LLAMA_3,
            tie_embeddings=False,
        ),
    }
)


def shape_of(name: str, home: Path) -> DecoderConfig:
    """The configuration of a model of the table, or of one that is installed.

    Raises:
        ModelFileError: It is neither.
    """
    if name in SHAPES:
        return SHAPES[name]
    from botkit_models.home import find_model
    from botkit_models.weights.native import open_native

    try:
        return open_native(find_model(name, home)).config
    except ModelFileError as error:
        raise ModelFileError(f"{error}; as shapes there are: {', '.join(SHAPES)}") from None
