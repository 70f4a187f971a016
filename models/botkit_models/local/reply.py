"""Tokens of one reply to pieces of text that may be shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from botkit_models.engine.job import Finished, Token, Tokens
from botkit_models.local.stops import StopFinder
from botkit_models.tokenizer import StreamDecoder, Tokenizer

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Piece:
    """Text to show, the tokens it is made of, and why the reply ends, if it does here."""

    text: str
    tokens: tuple[Token, ...]
    finish_reason: FinishReason | None = None


class ReplyWriter:
    """Writes one reply.

    Args:
        tokenizer: The model's.
        stops: The reply ends before the first of these texts.
        continuing: The reply continues a text, so that its first space is kept.
    """

    def __init__(
        self, tokenizer: Tokenizer, stops: Sequence[str], *, continuing: bool = False
    ) -> None:
        self._decoder = StreamDecoder(tokenizer, continuing=continuing)
        self._finder = StopFinder(stops)
        self._eos_ids = frozenset(tokenizer.eos_ids)
        self._pending: deque[tuple[int, Token]] = deque()  # where its text begins, token
        self._decoded = 0
        self._shown = 0
        self.count = 0
        self.logprob = 0.0

    @property
    def stopped(self) -> bool:
        """Whether a stop text ended the reply; what comes after it is not looked at."""
        return self._finder.stopped

    def write(self, event: Tokens | Finished) -> Piece:
        """The piece that an event of the engine completes; its text may be empty."""
        if isinstance(event, Finished):
            text = self._finder.push(self._decoder.flush()) + self._finder.flush()
            return self._piece(text, "stop" if self.stopped else event.reason)
        text = ""
        for token in event.tokens:
            if self.stopped:
                break
            text += self._write(token)
        return self._piece(text, "stop" if self.stopped else None)

    def _write(self, token: Token) -> str:
        self.count += 1
        self.logprob += token.logprob or 0.0
        if token.id not in self._eos_ids:
            self._pending.append((self._decoded, token))
        decoded = self._decoder.push(token.id)
        self._decoded += len(decoded)
        return self._finder.push(decoded)

    def _piece(self, text: str, reason: FinishReason | None) -> Piece:
        self._shown += len(text)
        tokens = []
        while self._pending and self._is_shown(self._pending[0][0], reason):
            tokens.append(self._pending.popleft()[1])
        return Piece(text, tuple(tokens), reason)

    def _is_shown(self, start: int, reason: FinishReason | None) -> bool:
        ended = reason is not None and not self.stopped
        return ended or start < self._shown
