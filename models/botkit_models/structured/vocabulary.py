"""A model's tokens as grammars see them: bytes, special tokens, and the ids that end a reply."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from botkit_models.tokenizer import Tokenizer

if TYPE_CHECKING:
    import llguidance

_SENTINEL = "\x02"


class Vocabulary:
    """The tokens of a model; built at first use. Safe to share between threads.

    Args:
        tokenizer: The model's tokenizer.
        size: Width of the model's logits, which may be more or less than the tokenizer has tokens.
            Ids without a token never come.
    """

    def __init__(self, tokenizer: Tokenizer, size: int) -> None:
        self.tokenizer, self.size = tokenizer, size
        self.eos_ids = tuple(id for id in tokenizer.eos_ids if id < size)
        self.words = -(-size // 32)
        self._lock = threading.Lock()
        self._backend: llguidance.LLTokenizer | None = None

    @property
    def backend(self) -> llguidance.LLTokenizer:
        """The library's tokenizer: a trie of all tokens' bytes."""
        with self._lock:
            if self._backend is None:
                self._backend = self._build()
            return self._backend

    @cached_property
    def text_only(self) -> NDArray[np.int32]:
        """Mask ``[ceil(V / 32)]`` int32 of tokens that leave a JSON string as open as it was:
        whole characters, none of which is a quote, a backslash or a control character."""
        return self._mask_of(lambda text: '"' not in text and "\\" not in text and min(text) >= " ")

    @cached_property
    def letters_only(self) -> NDArray[np.int32]:
        """Of :attr:`text_only`, the tokens of one ASCII character."""
        return self._mask_of(lambda text: len(text) == 1 and text.isascii()) & self.text_only

    @cached_property
    def words_only(self) -> NDArray[np.int32]:
        """Mask ``[ceil(V / 32)]`` int32 of tokens of letters, perhaps after a space: many may come
        only where free text is written."""
        return self._mask_of(lambda text: text.removeprefix(" ").isalpha())

    def special_id(self, text: str) -> int | None:
        """The id of a special token's text, or None."""
        if text not in self.tokenizer.special_tokens:
            return None
        ids = self.tokenizer.encode(text, special=True)
        return ids[0] if len(ids) == 1 and ids[0] < self.size else None

    def ids_of(self, texts: list[bytes]) -> list[int]:
        """Ids of the tokens with exactly these bytes, in their order; without those not there."""
        ids: dict[bytes, int] = {}
        for id in range(self.size):
            if not self.tokenizer.is_special(id):
                ids.setdefault(self.tokenizer.token_bytes(id), id)
        return [ids[text] for text in texts if text in ids]

    def encode(self, text: str | bytes) -> list[int]:
        """Token ids of text in the middle of a reply."""
        whole = text if isinstance(text, str) else text.decode("utf-8", "replace")
        if not self.tokenizer.strips_leading_space:
            return self.tokenizer.encode(whole)
        # SentencePiece's tokenizers put a space before a text; a sentinel takes it.
        ids = self.tokenizer.encode(_SENTINEL + whole)
        prefix = (" " + _SENTINEL).encode()
        for count in range(1, len(ids) + 1):
            read = b"".join(map(self.tokenizer.token_bytes, ids[:count]))
            if read in (prefix, _SENTINEL.encode()):
                return ids[count:]
        return self.tokenizer.encode(whole)

    def _mask_of(self, wanted: Callable[[str], bool]) -> NDArray[np.int32]:
        """The tokens that are whole characters, as wanted; never special ones."""
        allowed = np.zeros(self.words * 32, bool)
        for id in range(self.size):
            token = self.tokenizer.token_bytes(id)
            try:
                allowed[id] = (
                    token != b"" and wanted(token.decode()) and not self.tokenizer.is_special(id)
                )
            except UnicodeDecodeError:
                continue
        return packed(allowed)

    def _build(self) -> llguidance.LLTokenizer:
        import llguidance

        return llguidance.LLTokenizer(
            llguidance.TokenizerWrapper(_Tokens(self)),
            n_vocab=self.size,
            eos_token=list(self.eos_ids),
        )


class _Tokens:
    """What ``llguidance.TokenizerWrapper`` reads."""

    bos_token_id: int | None = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        tokenizer, eos_ids = vocabulary.tokenizer, vocabulary.eos_ids
        self.eos_token_id = eos_ids[0]
        self.tokens = [tokenizer.token_bytes(id) for id in range(vocabulary.size)]
        self.special_token_ids = [
            id for id in range(vocabulary.size) if tokenizer.is_special(id) or id in eos_ids
        ]
        self._encode = vocabulary.encode

    def __call__(self, text: str | bytes) -> list[int]:
        return self._encode(text)


def packed(allowed: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A mask ``[V]`` bool, ``V`` a multiple of 32, as ``[V / 32]`` int32."""
    return np.packbits(allowed, bitorder="little").view(np.int32)


def count_bits(mask: NDArray[np.int32]) -> int:
    """How many tokens a mask ``[W]`` int32 allows."""
    return int(np.bitwise_count(mask.view(np.uint32)).sum())


def unpacked(mask: NDArray[np.int32]) -> NDArray[np.bool_]:
    """A mask ``[..., W]`` int32 as ``[..., 32 * W]`` bool."""
    return np.unpackbits(mask.view(np.uint8), axis=-1, bitorder="little").astype(bool)


def set_bits(mask: NDArray[np.int32], ids: Iterable[int]) -> None:
    """Allow tokens in a mask ``[W]`` int32."""
    words = mask.view(np.uint32)
    for id in ids:
        words[id >> 5] |= np.uint32(1 << (id & 31))
