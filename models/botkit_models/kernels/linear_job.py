"""What the parts of a projection's kernel tell one another."""

from __future__ import annotations

from botkit_models.kernels.arithmetic import LANES
from botkit_models.kernels.emit import F32, I32, I64, PTR
from botkit_models.kernels.record import Record

MAX_CHUNK = 256
"""Most outputs of a chunk of work."""

Job = Record(
    {
        "x": PTR,
        "width": I64,
        "norm": I32,
        "eps": F32,
        "top": F32,
        "rows": PTR,
        "count": I64,
        "whole": PTR,
        "stride": I64,
        "units": PTR,
        "weight": PTR,
        "scale": PTR,
        "outs": I64,
        "chunk": I64,
        "gated": I32,
        "residual": PTR,
        "y": PTR,
    }
)
"""``rows [count]`` are the numbers of the rows that are not padding; ``whole [count, stride]`` is
``x`` as int16 and ``units [count]`` what one unit is worth. ``residual`` may be null."""

SUMS, MORE_SUMS, SCALES, MORE_SCALES = (MAX_CHUNK * LANES * 4 * n for n in range(4))
"""Where a chunk's things lie in a thread's scratch memory; ``MORE`` are those of ``up``."""

SCRATCH_SIZE = MAX_CHUNK * LANES * 4 * 4
