"""Text to token ids and back, over the ``tokenizers`` library.

Two things the library leaves to its caller are settled here: text from people is never parsed into
special tokens (``<|im_end|>`` typed by a user stays text), and a reply can be turned into text
token by token without ever showing half a character.
"""

from __future__ import annotations

import codecs
import json
import threading
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from botkit.errors import ModelFileError
from botkit_models.panics import is_failure
from botkit_models.token_bytes import TokenBytes, byte_scheme

if TYPE_CHECKING:
    import tokenizers

    from botkit_models.weights.checkpoint import TokenizerSpec


class Segment(NamedTuple):
    """A piece of a prompt; ``special`` when special-token texts in it mean those tokens."""

    text: str
    special: bool


class Tokenizer:
    """A model's tokenizer. Safe to share between threads.

    Raises:
        ModelFileError: The specification is damaged or of a kind that cannot be read.
    """

    def __init__(self, spec: TokenizerSpec) -> None:
        self.spec = spec
        self._lock = threading.Lock()
        self._backend = load_backend(spec.json)
        added = self._backend.get_added_tokens_decoder()
        self._special = {token.content: id for id, token in added.items() if token.special}
        self._special_ids = frozenset(self._special.values())
        self._bytes = TokenBytes(self._backend.id_to_token, byte_scheme(_decoder_json(spec.json)))

    @property
    def vocab_size(self) -> int:
        """How many tokens there are, added ones included."""
        return self._backend.get_vocab_size(with_added_tokens=True)

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """The ids that end a reply."""
        return self.spec.eos_ids

    @cached_property
    def bos_id(self) -> int | None:
        """The id that begins a text, or None."""
        return self._backend.token_to_id(self.spec.bos_token) if self.spec.bos_token else None

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Texts that mean special tokens where a template writes them, longest first."""
        return tuple(sorted(self._special, key=len, reverse=True))

    def encode(self, text: str, *, special: bool = False, bos: bool = False) -> list[int]:
        """Token ids of a text.

        Args:
            text: Any text; lone surrogates become U+FFFD.
            special: Whether special-token texts in it mean those tokens. Never for text that
                people wrote.
            bos: Whether to begin with the beginning-of-text token, where the model has one.
        """
        try:
            ids = self._ids(text, special)
        except (UnicodeError, TypeError):
            whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            ids = self._ids(whole, special)
        return [self.bos_id, *ids] if bos and self.bos_id is not None else ids

    def encode_segments(self, segments: Iterable[Segment]) -> list[int]:
        """Token ids of a rendered chat prompt."""
        return [id for text, special in segments for id in self.encode(text, special=special)]

    def decode(
        self, ids: Sequence[int], *, skip_special: bool = True, continuing: bool = False
    ) -> str:
        """The text of token ids; bytes that are no UTF-8 become U+FFFD.

        Args:
            ids: Token ids.
            skip_special: Leave special tokens out.
            continuing: The ids follow other text, so that a leading space is kept where a
                tokenizer of the SentencePiece kind would strip it.
        """
        decoder = StreamDecoder(self, skip_special=skip_special, continuing=continuing)
        return decoder.push(*ids) + decoder.flush()

    def token_bytes(self, id: int) -> bytes:
        """The exact bytes a token stands for; empty for an id without a token."""
        return self._bytes[id]

    def is_special(self, id: int) -> bool:
        """Whether an id is a special token, such as the end of a turn."""
        return id in self._special_ids

    def special_ids(self, texts: Collection[str]) -> frozenset[int]:
        """The ids of those of ``texts`` that are special tokens."""
        return frozenset(self._special[text] for text in texts if text in self._special)

    @property
    def strips_leading_space(self) -> bool:
        """Whether a text's first token carries a space that is not part of the text."""
        return self._bytes.scheme.strips_leading_space

    def _ids(self, text: str, special: bool) -> list[int]:
        # One backend for both ways: a second one would take tens of megabytes.
        with self._lock:
            self._backend.encode_special_tokens = not special
            ids: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        return ids


class StreamDecoder:
    """Turns a reply into text as its tokens arrive.

    The pieces, with the last :meth:`flush`, add up to :meth:`Tokenizer.decode` of all ids. A piece
    never ends inside a character: incomplete UTF-8 is held back until the rest arrives.
    ``kept`` special tokens are text even where others are skipped.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        skip_special: bool = True,
        continuing: bool = False,
        kept: Collection[str] = (),
    ) -> None:
        self._tokenizer = tokenizer
        self._skip_special = skip_special
        self._kept = tokenizer.special_ids(kept)
        self._strip = tokenizer.strips_leading_space and not continuing
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, *ids: int) -> str:
        """The text that these ids complete; empty while a character is incomplete."""
        tokenizer = self._tokenizer
        shown = [id for id in ids if not self._skip_special or self._is_text(id)]
        return self._stripped(self._utf8.decode(b"".join(map(tokenizer.token_bytes, shown))))

    def flush(self) -> str:
        """What is left at the end: U+FFFD for a character that was never completed."""
        return self._stripped(self._utf8.decode(b"", final=True))

    def _is_text(self, id: int) -> bool:
        return id in self._kept or not self._tokenizer.is_special(id)

    def _stripped(self, text: str) -> str:
        if self._strip and text:
            self._strip = False
            return text.removeprefix(" ")
        return text


def load_backend(text: str) -> tokenizers.Tokenizer:
    """The library's tokenizer for a ``tokenizer.json``, without padding or truncation.

    Raises:
        ModelFileError: The text is damaged. (The library panics on some damaged files; a panic
            is no ``Exception`` in Python, so it is caught by name.)
    """
    import tokenizers

    try:
        backend = tokenizers.Tokenizer.from_str(text)
        backend.no_padding()
        backend.no_truncation()
    except BaseException as error:
        if not is_failure(error):
            raise
        raise ModelFileError(f"the tokenizer is damaged: {str(error)[:200]}") from None
    return backend


def _decoder_json(text: str) -> Any:
    decoder = json.loads(text).get("decoder")
    return decoder if isinstance(decoder, dict) else {}
