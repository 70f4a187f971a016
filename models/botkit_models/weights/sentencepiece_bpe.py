"""SentencePiece BPE as the parts of a ``tokenizer.json``.

A SentencePiece BPE model (Kudo & Richardson 2018) keeps pieces with scores: at each step the
neighbours whose join has the best score are joined. A ranked merge list says the same: every way
to cut a piece into two pieces is a merge, ranked by the piece's score.
"""

from __future__ import annotations

from typing import Any

from botkit.errors import ModelFileError

MAX_CUTS = 3_000_000  # Gemma's 256,000 pieces have 1.7 million
SPACE = "▁"
MERGEABLE = frozenset({1, 4})  # normal and user-defined pieces
UNKNOWN = 2


def sentencepiece_parts(
    tokens: list[str], types: list[int], scores: list[float], add_space_prefix: bool
) -> dict[str, Any]:
    """Normaliser, decoder and model.

    Args:
        tokens: The pieces; their index is their id.
        types: SentencePiece's piece types.
        scores: Log-probabilities or negative ranks, one per piece.
        add_space_prefix: Whether a text is given a space in front (Llama 2 yes, Gemma no).

    Raises:
        ModelFileError: The pieces would need more merges than any real model has.
    """
    space = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    prefix = {"type": "Prepend", "prepend": SPACE}
    steps: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if add_space_prefix:
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    unknown = next((t for t, kind in zip(tokens, types, strict=True) if kind == UNKNOWN), None)
    model = {
        "type": "BPE",
        "unk_token": unknown,
        "fuse_unk": True,
        "byte_fallback": True,
        "ignore_merges": False,
        "vocab": {token: id for id, token in enumerate(tokens)},
        "merges": _merges(tokens, types, scores),
    }
    return {
        "normalizer": {
            "type": "Sequence",
            "normalizers": [prefix, space] if add_space_prefix else [space],
        },
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": steps},
        "model": model,
    }


def _merges(tokens: list[str], types: list[int], scores: list[float]) -> list[tuple[str, str]]:
    pieces = {t: s for t, k, s in zip(tokens, types, scores, strict=True) if k in MERGEABLE}
    if sum(map(len, pieces)) > MAX_CUTS:
        raise ModelFileError("the tokenizer's pieces need too many merges")
    merges: list[tuple[float, str, str]] = []
    for piece, score in pieces.items():
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in pieces and right in pieces:
                merges.append((score, left, right))
    merges.sort(key=lambda merge: -merge[0])
    return [(left, right) for _, left, right in merges]
