"""The tokenizer in a GGUF file's metadata, as a Hugging Face ``tokenizer.json``.

Two kinds: ``gpt2`` is byte-level BPE with a merge list and a named pre-tokenizer; ``llama`` is
SentencePiece BPE, whose merges follow from the pieces' scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botkit.errors import ModelFileError
from botkit_models.weights.checkpoint import TokenizerSpec
from botkit_models.weights.fields import Fields
from botkit_models.weights.gguf_header import GGUFHeader
from botkit_models.weights.sentencepiece_bpe import SPACE, sentencepiece_parts

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6

# GGUF names one end; these control tokens end a reply too, where a model has them.
TURN_ENDS = frozenset(
    {"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>", "<end_of_turn>"}
    | {"</s>", "<eos>"}
)

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
_WORDS = {**_BYTE_LEVEL, "use_regex": True}
_BYTES = {**_BYTE_LEVEL, "use_regex": False}


def _split(digits: str) -> dict[str, Any]:
    """Qwen 2 and Llama 3 split words alike and differ in how many digits stay together."""
    contractions = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    words = r"[^\r\n\p{L}\p{N}]?\p{L}+"
    rest = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    pattern = {"Regex": f"{contractions}|{words}|{digits}|{rest}"}
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


def _sequence(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Sequence", "pretokenizers": list(steps)}


PRE_TOKENIZERS: Mapping[str, dict[str, Any]] = {
    "default": _WORDS,
    "gpt-2": _WORDS,
    "smollm": _sequence({"type": "Digits", "individual_digits": True}, _WORDS),
    "qwen2": _sequence(_split(r"\p{N}"), _BYTES),
    "llama-bpe": _sequence(_split(r"\p{N}{1,3}"), _BYTES),
}


def read_gguf_tokenizer(header: GGUFHeader) -> TokenizerSpec:
    """The tokenizer of a GGUF file.

    Raises:
        ModelFileError: The metadata is damaged, or of a kind that cannot be read.
    """
    fields = Fields(header.metadata, header.path, "tokenizer.ggml.")
    kind = fields.text("model")
    tokens, types = _tokens(fields)
    adds_space = False
    if kind == "gpt2":
        parts = _byte_level_parts(fields, tokens, types)
        adds_bos = fields.text("pre", "default") == "llama-bpe"
    elif kind == "llama":
        scores = _numbers(fields, "scores", len(tokens))
        adds_space = fields.flag("add_space_prefix", True)
        parts, adds_bos = sentencepiece_parts(tokens, types, scores, adds_space), True
    else:
        raise ModelFileError(f"{header.path}: tokenizer {kind!r:.40} is not supported")
    added = _added_tokens(tokens, types, spaces=kind == "llama" and not adds_space)
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    template = header.metadata.get("tokenizer.chat_template")
    return TokenizerSpec(
        json=json.dumps(whole | parts, ensure_ascii=False),
        chat_template=template if isinstance(template, str) else None,
        bos_token=_named(fields, tokens, "bos_token_id"),
        eos_token=_named(fields, tokens, "eos_token_id"),
        pad_token=_named(fields, tokens, "padding_token_id"),
        eos_ids=_ends(fields, tokens, types),
        add_bos=fields.flag("add_bos_token", adds_bos),
    )


def _tokens(fields: Fields) -> tuple[list[str], list[int]]:
    tokens = fields.items("tokens")
    if not tokens or not all(isinstance(token, str) for token in tokens):
        raise ModelFileError(f"{fields.source}: the token list is missing or damaged")
    if fields.get("token_type") is None:
        return tokens, [NORMAL] * len(tokens)
    return tokens, [int(kind) for kind in _numbers(fields, "token_type", len(tokens))]


def _numbers(fields: Fields, name: str, count: int) -> list[float]:
    values = fields.get(name)
    if not hasattr(values, "tolist") or len(values) != count:
        raise ModelFileError(f"{fields.source}: tokenizer.ggml.{name} does not fit the tokens")
    numbers: list[float] = values.tolist()
    return numbers


def _byte_level_parts(fields: Fields, tokens: list[str], types: list[int]) -> dict[str, Any]:
    pre = fields.text("pre", "default")
    if pre not in PRE_TOKENIZERS:
        raise ModelFileError(
            f"{fields.source}: pre-tokenizer {pre!r:.40} is not supported; "
            f"known are {', '.join(PRE_TOKENIZERS)}"
        )
    vocabulary = {
        token: id for id, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind != UNUSED
    }  # fmt: skip
    model = {
        "type": "BPE",
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": pre == "llama-bpe",
        "vocab": vocabulary,
        "merges": [_merge(fields, merge) for merge in fields.items("merges")],
    }
    return {
        "normalizer": {"type": "NFC"} if pre == "qwen2" else None,
        "pre_tokenizer": PRE_TOKENIZERS[pre],
        "post_processor": None,
        "decoder": {**_WORDS, "add_prefix_space": True},
        "model": model,
    }


def _merge(fields: Fields, merge: Any) -> list[str]:
    left, space, right = merge.partition(" ") if isinstance(merge, str) else ("", "", "")
    if not (left and space and right):
        raise ModelFileError(f"{fields.source}: {merge!r:.40} is no merge")
    return [left, right]


def _added_tokens(tokens: list[str], types: list[int], *, spaces: bool) -> list[dict[str, Any]]:
    """Control tokens are special; user-defined ones are whole words of ordinary text.

    Args:
        spaces: Whether user-defined tokens may hold U+2581 for spaces (Gemma's runs of them).
            The library then looks for them in normalised text, which goes wrong where
            normalising puts a space in front; there such pieces are left to the merges.
    """
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    return [
        {
            "id": id,
            "content": token,
            "normalized": spaces and kind == USER_DEFINED,
            "special": kind != USER_DEFINED,
            **flags,
        }
        for id, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if token and kind in (CONTROL, USER_DEFINED, UNKNOWN)
        if spaces or kind != USER_DEFINED or SPACE not in token
    ]


def _named(fields: Fields, tokens: list[str], name: str) -> str | None:
    id = fields.integer(name, -1)
    return tokens[id] if 0 <= id < len(tokens) else None


def _ends(fields: Fields, tokens: list[str], types: list[int]) -> tuple[int, ...]:
    ids = {fields.integer(name, -1) for name in ("eos_token_id", "eot_token_id", "eom_token_id")}
    known = {
        id for id, (token, kind) in enumerate(zip(tokens, types, strict=True))
        if kind == CONTROL and token in TURN_ENDS
    }  # fmt: skip
    return tuple(sorted(id for id in ids | known if 0 <= id < len(tokens)))
