"""What the parts of the attention kernel tell one another."""

from __future__ import annotations

from botkit_models.kernels.emit import F32, I64, PTR
from botkit_models.kernels.record import Record

BLOCK = 16
"""Positions per block of the cache."""

SPLIT = 128
"""Positions whose weights are summed on their own, before the sums are merged in order. Splits lie
at multiples of this, so a query's bits do not depend on how its keys were divided for work."""

ROWS = 48
"""Most query rows (tokens times heads of a group) that share the loading of keys."""

Job = Record(
    {
        "q": PTR,
        "k": PTR,
        "v": PTR,
        "cos": PTR,
        "sin": PTR,
        "positions": PTR,
        "slots": PTR,
        "tables": PTR,
        "keys": PTR,
        "values": PTR,
        "mixed": PTR,
        "tokens": I64,
        "heads": I64,
        "kv_heads": I64,
        "group": I64,
        "head_dim": I64,
        "table_width": I64,
        "window": I64,
        "scale": F32,
        "softcap": F32,
        "tile_tokens": I64,
        "tiles": PTR,
        "splits": I64,
        "partials": PTR,
    }
)

Tile = Record({"first": I64, "count": I64})
"""Neighbouring tokens of one slot."""
