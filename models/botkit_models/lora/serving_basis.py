"""Carrying an adapter from the checkpoint's basis into the one that the model is served in.

What :mod:`botkit_models.weights.rotation` does to a projection ``W`` it does to ``b @ a`` too, side
by side: the input side of ``W`` is that of ``a``, the output side that of ``b``. And what
:mod:`botkit_models.weights.serving` stacks (q, k, v; gate, up) becomes one pair with the factors
on the diagonal, so that the change of a fused projection is two products, as any other's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from botkit_models.config import DecoderConfig
from botkit_models.lora.adapter import Adapter, Factors, Float
from botkit_models.weights.basis import Basis
from botkit_models.weights.shapes import layer_shapes

Wide = NDArray[np.float64]


def projections(config: DecoderConfig) -> dict[str, tuple[str, ...]]:
    """The projections of a served layer, and the canonical modules stacked in each, in order."""
    fed = {"mlp.gate_up": ("mlp.gate", "mlp.up")} if config.gated else {"mlp.up": ("mlp.up",)}
    return {
        "attn.qkv": ("attn.q", "attn.k", "attn.v"),
        "attn.out": ("attn.out",),
        **fed,
        "mlp.down": ("mlp.down",),
    }


def serving_factors(config: DecoderConfig, basis: Basis, adapter: Adapter) -> dict[str, Factors]:
    """Served projection (``layers.3.attn.qkv``) to its change, where the adapter has one.

    Factors are float32, ``a [r, in]`` and ``b [out, r]``, ``r`` the sum of the parts' ranks.
    """
    shapes = layer_shapes(config)
    served: dict[str, Factors] = {}
    for layer in range(config.num_layers):
        for projection, parts in projections(config).items():
            changed = [adapter.factors.get(f"layers.{layer}.{part}") for part in parts]
            if all(one is None for one in changed):
                continue
            rows = [shapes[f"{part}.weight"][0] for part in parts]
            turned = [
                None if one is None else _turned(config, basis, layer, part, one)
                for part, one in zip(parts, changed, strict=True)
            ]
            served[f"layers.{layer}.{projection}"] = _on_diagonal(turned, rows)
    return served


def _turned(
    config: DecoderConfig, basis: Basis, layer: int, part: str, factors: Factors
) -> Factors:
    """The change of one module, in the serving basis."""
    a: Wide = factors.a.astype(np.float64)  # r,in
    b: Wide = factors.b.astype(np.float64)  # out,r
    block, name = part.split(".")
    if name in ("out", "down"):
        if name == "out":
            a = _turn_heads(a.T, config.head_dim, basis.head).T  # r,H*D
        b = b if basis.stream is None else basis.stream.T @ b  # E,r
    else:
        folded = basis.folded.get(f"layers.{layer}.{block}_norm")
        a = a if folded is None else a * folded  # r,E
        a = a if basis.stream is None else a @ basis.stream  # r,E
        if name == "v":
            b = _turn_heads(b, config.head_dim, basis.head)  # K*D,r
    return Factors(a.astype(np.float32), b.astype(np.float32))


def _turn_heads(rows: Wide, size: int, head: Wide | None) -> Wide:
    """Values ``[heads * D, r]`` turned head by head."""
    if head is None:
        return rows
    split = rows.reshape(-1, size, rows.shape[1])  # heads,D,r
    turned: Wide = np.einsum("hdr,dc->hcr", split, head).reshape(rows.shape)
    return turned


def _on_diagonal(parts: Sequence[Factors | None], rows: Sequence[int]) -> Factors:
    """One pair for projections that are stacked; ``rows`` says how many outputs each has."""
    there = [part for part in parts if part is not None]
    a = np.concatenate([part.a for part in there])  # r,in
    b: Float = np.zeros((sum(rows), len(a)), np.float32)  # out,r
    row = column = 0
    for part, size in zip(parts, rows, strict=True):
        if part is not None:
            b[row : row + size, column : column + part.rank] = part.b
            column += part.rank
        row += size
    return Factors(a, b)
