"""Rotating a model so that its activations quantise well; in float the outputs stay the same.

Activations of trained transformers have a few huge channels; with one int8 scale per row they
crush the rest. Every RMSNorm model has a freedom: the residual stream may be turned by any
orthogonal matrix when what reads it and what writes it are turned along, once the norms' weights
are folded into the projections behind them. A Hadamard-like rotation spreads the outliers evenly,
at no cost when the model runs. The values of each head may be turned the same way.
Source: Ashkboos et al. 2024, QuaRot (arXiv:2404.00456); the online rotations are left out.
Measured on SmolLM2-135M and 24 task dialogues, perplexity of int8 over float32: 1.051 without,
1.005 with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from botkit_models.config import DecoderConfig
from botkit_models.weights.serving import Float, Load

SEED = 0


def can_rotate(config: DecoderConfig) -> bool:
    """Whether the residual stream is free to turn: RMSNorm only, and none behind a projection."""
    return config.norm == "rms" and not config.post_norms and config.position == "rotary"


def rotated(config: DecoderConfig, tensors: dict[str, Load]) -> dict[str, Load]:
    """The same model with norms folded and residual stream and values rotated.

    Norm weights in front of projections vanish; ``head.weight`` appears where it was tied, since
    embedding and head are no longer the same matrix.
    """
    return _Rotation(config, tensors).apply()


@dataclass(frozen=True)
class Turn:
    """An orthogonal ``[size, size]`` matrix with entries of about equal magnitude, by its parts.

    A Sylvester-Hadamard matrix for the power of two in ``size``, times (Kronecker) ``rest``, a
    random orthogonal matrix for the odd rest, with random ``signs``.

    Fields:
        rest: ``[odd, odd]``, float.
        signs: ``[size]``, float, -1 or 1.
    """

    rest: NDArray[np.floating]
    signs: NDArray[np.floating]

    @classmethod
    def random(cls, size: int, rng: np.random.Generator) -> Turn:
        """A new one; the same generator in the same state gives the same one."""
        odd = size
        while odd % 2 == 0:
            odd //= 2
        rest = np.linalg.qr(rng.normal(size=(odd, odd)))[0]
        return cls(rest, rng.choice(np.array([-1.0, 1.0]), size=size))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """``[size, size]`` float64."""
        size, odd = len(self.signs), len(self.rest)
        sylvester = np.ones((1, 1))
        while sylvester.shape[0] < size // odd:
            sylvester = np.block([[sylvester, sylvester], [sylvester, -sylvester]])
        spread = sylvester / np.sqrt(size // odd)
        turn: NDArray[np.float64] = np.kron(self.rest, spread) * self.signs[:, None]
        return turn


def turns(config: DecoderConfig) -> tuple[Turn, Turn]:
    """How the residual stream ``[E, E]`` and the values of each head ``[D, D]`` are turned."""
    rng = np.random.default_rng(SEED)
    return Turn.random(config.hidden_size, rng), Turn.random(config.head_dim, rng)


class _Rotation:
    """One model's rotation: two matrices and the tensors they act on."""

    def __init__(self, config: DecoderConfig, tensors: dict[str, Load]) -> None:
        stream, head = turns(config)
        self.config = config
        self.source = tensors
        self.stream, self.head = stream.matrix, head.matrix  # E,E  D,D
        self.served = dict(tensors)

    def apply(self) -> dict[str, Load]:
        config = self.config
        head = "embed.weight" if config.tie_embeddings else "head.weight"
        self.served["head.weight"] = self._reader(head, "final_norm.weight")
        self._replace("embed.weight", lambda w: w @ self.stream)
        for layer in range(config.num_layers):
            attn, mlp = f"layers.{layer}.attn", f"layers.{layer}.mlp"
            up = "gate_up" if config.gated else "up"
            qkv = self._reader(f"{attn}.qkv.weight", f"layers.{layer}.attn_norm.weight")
            self.served[f"{attn}.qkv.weight"] = _then(qkv, self._turn_values)
            self._replace(f"{attn}.qkv.bias", self._turn_values)
            self._replace(f"{attn}.out.weight", lambda w: self.stream.T @ self._unturn_values(w))
            self.served[f"{mlp}.{up}.weight"] = self._reader(
                f"{mlp}.{up}.weight", f"layers.{layer}.mlp_norm.weight"
            )
            self._replace(f"{mlp}.down.weight", lambda w: self.stream.T @ w)
            for bias in (f"{attn}.out.bias", f"{mlp}.down.bias"):
                self._replace(bias, lambda b: b @ self.stream)
        return self.served

    def _reader(self, name: str, norm: str) -> Load:
        """A projection that reads the stream: its norm folded in, its input side rotated."""
        weight, scale = self.source[name], self.source[norm]
        self.served.pop(norm, None)
        offset, stream = self.config.norm_offset, self.stream
        return lambda: (weight() * (scale() + offset) @ stream).astype(np.float32)

    def _replace(self, name: str, change: Callable[[Float], NDArray[np.float64]]) -> None:
        if name in self.source:
            self.served[name] = _then(self.source[name], change)

    def _turn_values(self, qkv: Float) -> NDArray[np.float64]:
        """Rotate the value rows of ``qkv [(H+2K)*D, E]`` (or of its bias) head by head."""
        config = self.config
        K, D = config.num_kv_heads, config.head_dim
        first = (config.num_heads + K) * D
        values = qkv[first:].reshape(K, D, -1)  # K,D,E
        turned = np.einsum("kde,dc->kce", values, self.head).reshape(qkv[first:].shape)
        return np.concatenate([qkv[:first], turned])

    def _unturn_values(self, out: Float) -> NDArray[np.float64]:
        """``out [E, H*D]`` for values that arrive rotated."""
        D = self.config.head_dim
        heads = out.reshape(out.shape[0], -1, D)  # E,H,D
        turned: NDArray[np.float64] = np.einsum("ehd,dc->ehc", heads, self.head)
        return turned.reshape(out.shape)


def _then(load: Load, change: Callable[[Float], NDArray[np.float64]]) -> Load:
    return lambda: change(load()).astype(np.float32)
