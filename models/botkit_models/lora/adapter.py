"""An adapter as every reader returns it, in the basis of the checkpoint it was trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Factors:
    """A change of one projection: ``delta = b @ a``, its scale in ``b``.

    Fields:
        a: ``[r, in]`` float32.
        b: ``[out, r]`` float32.
    """

    a: Float
    b: Float

    @property
    def rank(self) -> int:
        """``r``."""
        return len(self.a)

    @property
    def delta(self) -> Float:
        """The whole change, ``[out, in]`` float32."""
        return self.b @ self.a


@dataclass(frozen=True)
class Adapter:
    """What one adapter changes.

    Fields:
        source: The folder it came from.
        factors: Canonical module (``layers.3.attn.q``, :mod:`botkit_models.config`) to its change.
    """

    source: Path
    factors: Mapping[str, Factors]

    @property
    def digest(self) -> str:
        """SHA-256 of everything it changes, in hexadecimal."""
        digest = hashlib.sha256()
        for name, factors in sorted(self.factors.items()):
            digest.update(f"{name} {factors.a.shape} {factors.b.shape}\n".encode())
            digest.update(factors.a.tobytes() + factors.b.tobytes())
        return digest.hexdigest()
