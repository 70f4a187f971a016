"""Reading a compiled program's text (XLA's HLO): exchanges between devices, and kernels."""

from __future__ import annotations

import math
import re
from collections import Counter

from botkit_models.aot.order import Traffic

_BITS = {"pred": 8, "s4": 4, "u4": 4, "bf16": 16, "f16": 16}
_SHAPE = re.compile(r"\b(pred|bf16|[sufc]\d+)(?:e\dm\d\w*)?\[([\d,]*)\]")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = (\(.*?\)|\S+) ([a-z][\w-]*)\(")
_COLLECTIVES = (
    "all-reduce",
    "all-gather",
    "reduce-scatter",
    "all-to-all",
    "collective-permute",
)
_TARGET = re.compile(r'custom_call_target="([^"]+)"')
_KIND = re.compile(r'"kind":"(__[\w$]+)"')
_FUSION = re.compile(r"kind=k(\w+)")


def collectives(text: str) -> dict[str, Traffic]:
    """Exchanges by kind; bytes are those of their results on one device."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for line in text.splitlines():
        match = _INSTRUCTION.match(line)
        if match is None:
            continue
        shape, started = match[1], match[2].endswith("-start")
        kind = match[2].removesuffix("-start")
        if kind in _COLLECTIVES:
            counts[kind] += 1
            sizes[kind] += _bytes(shape, last=started)
    return {kind: Traffic(counts[kind], sizes[kind]) for kind in sorted(counts)}


def kernels(text: str) -> dict[str, int]:
    """What the program launches, by kind: fusions, matrix products, library calls."""
    counts: Counter[str] = Counter()
    inside = False
    for line in text.splitlines():
        if not line.startswith(" "):
            inside = line.startswith("ENTRY")
            continue
        match = _INSTRUCTION.match(line) if inside else None
        if match is None:
            continue
        if match[2] == "fusion":
            named, plain = _KIND.search(line), _FUSION.search(line)
            if named is not None:
                counts[f"fusion {named[1].strip('_')}"] += 1
            elif plain is not None:
                counts[f"fusion {plain[1].lower()}"] += 1
        elif match[2] == "custom-call":
            target = _TARGET.search(line)
            counts[f"call {target[1].strip('_') if target else '?'}"] += 1
        elif match[2] in {"scatter", "gather", "sort", "copy", "convolution", "dot", "while"}:
            counts[match[2]] += 1
    return dict(sorted(counts.items()))


def _bytes(shape: str, *, last: bool) -> int:
    """Of a shape or a tuple of them; of the last one only where an exchange is asynchronous."""
    sizes = [
        math.prod(int(n) for n in dimensions.split(",") if n) * _bits(kind) // 8
        for kind, dimensions in _SHAPE.findall(shape)
    ]
    sizes = [size for size in sizes if size > 8]  # asynchronous ones carry flags as well
    return sizes[-1] if last and sizes else sum(sizes)


def _bits(kind: str) -> int:
    return _BITS.get(kind) or int(kind[1:])
