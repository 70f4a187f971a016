"""What every weight reader returns, whatever the file format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from botkit_models.config import DecoderConfig

Array = NDArray[np.generic]


@dataclass(frozen=True)
class TokenizerSpec:
    """A tokenizer as text, independent of where it came from.

    Fields:
        json: A Hugging Face ``tokenizer.json`` (a GGUF's metadata is turned into one).
        chat_template: The jinja2 chat template, or None when the model has none.
        bos_token, eos_token, pad_token: Their texts, or None. ``eos`` ends a reply.
        eos_ids: Every token id that ends a reply (end of text, end of turn).
        add_bos: Whether plain text is prefixed with ``bos_token``.
    """

    json: str
    chat_template: str | None = None
    bos_token: str | None = None
    eos_token: str | None = None
    pad_token: str | None = None
    eos_ids: tuple[int, ...] = ()
    add_bos: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """A model as read from disk: shapes, tokenizer, and tensors that are loaded when asked for.

    Fields:
        config: The decoder's shape.
        tokenizer: Its tokenizer.
        tensors: Canonical name (see :mod:`botkit_models.config`) to a function that returns the
            float array ``[out, in]`` or ``[dim]``, dtype float32, float16 or bfloat16 (ml_dtypes).
            Nothing is read before the call, so a 70B checkpoint can be converted tensor by tensor.
        metadata: Name, licence, source: short texts for people.
    """

    config: DecoderConfig
    tokenizer: TokenizerSpec
    tensors: Mapping[str, Callable[[], Array]]
    metadata: Mapping[str, str] = field(default_factory=dict)
