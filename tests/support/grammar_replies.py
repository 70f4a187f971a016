"""Replies that a fake model writes under a grammar: any allowed token, by chance."""

from __future__ import annotations

import functools
import json
import random
from dataclasses import dataclass

import numpy as np
import tokenizers

from botkit_models.structured import Grammar
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.checkpoint import TokenizerSpec

_WORDS = ["the", "of", "and", "name", "value", "item", "order", "price", "city", "date", "list"]
_WORDS += ["true", "null", "é", "ü", "日本", "😀", "tool"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@functools.cache
def json_tokenizer(size: int = 1500) -> Tokenizer:
    """Byte-level BPE that joins what JSON joins, as ``"}``; two ids end replies."""
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_corpus(), trainer)
    return Tokenizer(TokenizerSpec(json=backend.to_str(), eos_ids=(0, 2)))


@functools.cache
def piece_tokenizer() -> Tokenizer:
    """SentencePiece-like: U+2581 for spaces, bytes twice over, a space before each text."""
    letters = [chr(code) for code in range(0x21, 0x7F)]
    joined = ['{"', '":', '"}', "▁a", "▁the", '▁"', "},", "▁{"]
    vocab = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocab += ["▁", *letters, "é", "▁t", "he", *joined]
    merges = [("{", '"'), ('"', ":"), ('"', "}"), ("▁", "a"), ("▁", "t"), ("h", "e")]
    merges += [("▁t", "he"), ("▁", '"'), ("}", ","), ("▁", "{")]
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE(
            vocab={piece: id for id, piece in enumerate(vocab)},
            merges=merges,
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    normal, decode = tokenizers.normalizers, tokenizers.decoders
    backend.normalizer = normal.Sequence([normal.Prepend("▁"), normal.Replace(" ", "▁")])
    backend.decoder = decode.Sequence(
        [decode.Replace("▁", " "), decode.ByteFallback(), decode.Fuse(), decode.Strip(" ", 1, 0)]
    )
    backend.add_special_tokens(["<s>", "</s>"])
    return Tokenizer(TokenizerSpec(json=backend.to_str(), bos_token="<s>", eos_ids=(2,)))


def _corpus() -> list[str]:
    chance = random.Random(7)

    def value(depth: int) -> object:
        kinds = [chance.choice(_WORDS), chance.randrange(1000), chance.random() < 0.5, None]
        if depth:
            kinds += [[value(depth - 1) for _ in range(3)]]
            kinds += [{chance.choice(_WORDS): value(depth - 1) for _ in range(3)}]
        return chance.choice(kinds)

    texts = [json.dumps(value(3), ensure_ascii=chance.random() < 0.2) for _ in range(1500)]
    return [*texts, *(" ".join(chance.choices(_WORDS, k=12)) for _ in range(500))]


@dataclass(frozen=True)
class Written:
    """A reply.

    Fields:
        ids: Its tokens, without the one that ended it.
        ended: Whether one did, or the budget was used up.
        shortened: Whether it was closed early.
    """

    ids: list[int]
    text: str
    ended: bool
    shortened: bool


def allowed_ids(mask: np.ndarray) -> np.ndarray:
    """Ids that a mask ``[W]`` int32 allows."""
    return np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little"))


def write(
    grammar: Grammar, chance: np.random.Generator, budget: int, *, closes: bool = True
) -> Written:
    """A reply of at most ``budget`` tokens; unless it ``closes``, the grammar is not told so."""
    tokenizer = grammar.vocabulary.tokenizer
    constraint = grammar.constraint(budget=budget if closes else None)
    ids: list[int] = []
    ended = False
    while len(ids) < budget and not ended:
        allowed = allowed_ids(constraint.masks([])[0])
        assert allowed.size, tokenizer.decode(ids)
        token = int(chance.choice(allowed))
        constraint.accept(token)
        ended = token in tokenizer.eos_ids
        ids += [] if ended else [token]
    raw = b"".join(map(tokenizer.token_bytes, ids))
    return Written(ids, raw.decode("utf-8", "replace"), ended, constraint.shortened)


def accepts(grammar: Grammar, *pieces: str) -> bool:
    """Whether a reply may be this text; special tokens are what pieces that name them are."""
    tokenizer = grammar.vocabulary.tokenizer
    constraint = grammar.constraint()
    for piece in pieces:
        left = piece.encode()
        while left:
            allowed = allowed_ids(constraint.masks([])[0])
            if piece in tokenizer.special_tokens:
                fitting = [id for id in tokenizer.encode(piece, special=True) if id in allowed]
            else:
                fitting = [id for id in allowed if _begins(tokenizer, int(id), left)]
            if not fitting:
                return False
            token = max(fitting, key=lambda id: len(tokenizer.token_bytes(int(id))))
            constraint.accept(int(token))
            left = left[len(tokenizer.token_bytes(int(token))) :]
    ending = set(allowed_ids(constraint.masks([])[0])) & set(tokenizer.eos_ids)
    return ending == set(tokenizer.eos_ids)


def _begins(tokenizer: Tokenizer, id: int, text: bytes) -> bool:
    return not tokenizer.is_special(id) and text.startswith(tokenizer.token_bytes(id))
