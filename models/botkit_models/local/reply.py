"""Tokens of one reply to what may be shown of it: text, thoughts, calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from botkit_models.engine.job import Finished, Savings, Token, Tokens
from botkit_models.local.stops import StopFinder
from botkit_models.tokenizer import StreamDecoder, Tokenizer
from botkit_models.tools.parts import Arguments, CallClosed, CallOpened, Part, Said, Thought
from botkit_models.tools.reader import ReplyReader

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class CallPiece:
    """A piece of a call.

    Fields:
        index: Which call of the reply, from 0.
        name: The function's, with a call's first piece only.
        arguments: What their JSON text goes on with.
    """

    index: int
    name: str | None
    arguments: str


@dataclass(frozen=True)
class Piece:
    """What has come of a reply, and why the reply ends, if it does here.

    Fields:
        text: Text to show.
        tokens: Those that the text is made of.
        thought: What the model thought, before any text.
        calls: Pieces of calls.
    """

    text: str
    tokens: tuple[Token, ...]
    finish_reason: FinishReason | None = None
    thought: str = ""
    calls: tuple[CallPiece, ...] = ()


class _Place(NamedTuple):
    """A token that waits to be reported, and the characters it made."""

    start: int
    end: int
    token: Token


class _Span(NamedTuple):
    """Characters ``start`` to ``end`` of the raw reply are text, from its character ``said`` on."""

    start: int
    end: int
    said: int


class ReplyWriter:
    """Writes one reply.

    Args:
        tokenizer: The model's.
        stops: The reply ends before the first of these texts; thoughts and calls are not searched.
        continuing: The reply continues a text, so that its first space is kept.
        reader: Takes the reply apart; by default it is all text.

    Fields:
        count: Tokens so far, with the one that ends the reply.
        thinking: How many of them were thoughts.
        logprob: The sum of their log-probabilities, in nats.
        calls: How many calls have begun.
        finished: The engine's word on the end; None where a stop text came first.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        stops: Sequence[str],
        *,
        continuing: bool = False,
        reader: ReplyReader | None = None,
    ) -> None:
        self._reader = reader or ReplyReader()
        self._decoder = StreamDecoder(tokenizer, continuing=continuing, kept=self._reader.markers)
        self._finder = StopFinder(stops)
        self._eos_ids = frozenset(tokenizer.eos_ids)
        self._pending: deque[_Place] = deque()
        self._spans: deque[_Span] = deque()
        self._decoded = self._said = self._shown = 0
        self.count = self.thinking = self.calls = 0
        self.logprob = 0.0
        self.savings = Savings()

    @property
    def stopped(self) -> bool:
        """Whether a stop text ended the reply; what comes after it is not looked at."""
        return self._finder.stopped

    def write(self, event: Tokens | Finished) -> Piece:
        """The piece that an event of the engine completes; its text may be empty."""
        draft = _Draft()
        self.savings = event.savings
        if isinstance(event, Finished):
            self._take(self._reader.read(self._decoder.flush()), draft)
            if not self.stopped:
                self._take(self._reader.end(cut=event.reason == "length"), draft)
            self._show(self._finder.flush(), draft)
            return self._piece(draft, "stop" if self.stopped else event.reason)
        for token in event.tokens:
            if self.stopped:
                break
            self._write(token, draft)
        return self._piece(draft, "stop" if self.stopped else None)

    def _write(self, token: Token, draft: _Draft) -> None:
        self.count += 1
        self.logprob += token.logprob or 0.0
        self.thinking += self._reader.thinking
        decoded = self._decoder.push(token.id)
        start, self._decoded = self._decoded, self._decoded + len(decoded)
        if token.id not in self._eos_ids:
            self._pending.append(_Place(start, self._decoded, token))
        self._take(self._reader.read(decoded), draft)

    def _take(self, parts: Sequence[Part], draft: _Draft) -> None:
        for part in parts:
            if self.stopped:
                return
            match part:
                case Said(text, start):
                    self._say(text, start, draft)
                case Thought(text, _):
                    draft.thought += text
                case CallOpened(name):
                    self._show(self._finder.flush(), draft)  # a call ends what was said before it
                    draft.calls.append(CallPiece(self.calls, name, ""))
                    self.calls += 1
                case Arguments(text):
                    draft.calls.append(CallPiece(self.calls - 1, None, text))
                case CallClosed():
                    pass

    def _say(self, text: str, start: int, draft: _Draft) -> None:
        last = self._spans[-1] if self._spans else None
        if last is not None and last.end == start:
            self._spans[-1] = last._replace(end=start + len(text))
        else:
            self._spans.append(_Span(start, start + len(text), self._said))
        self._said += len(text)
        self._show(self._finder.push(text), draft)

    def _show(self, text: str, draft: _Draft) -> None:
        self._shown += len(text)
        draft.text += text

    def _piece(self, draft: _Draft, reason: FinishReason | None) -> Piece:
        ended = reason is not None and not self.stopped
        tokens = []
        while self._pending:
            place = self._pending[0]
            said = self._said_at(place)
            if said is None and not ended and place.end >= self._reader.position:
                break  # it may become text, or be of a text that goes on
            if said is not None and said >= self._shown and not ended:
                break
            self._pending.popleft()
            if said is not None or (ended and self._reader.saying):
                tokens.append(place.token)
        return Piece(draft.text, tuple(tokens), reason, draft.thought, draft.merged())

    def _said_at(self, place: _Place) -> int | None:
        """Where in the text a token's first character of it is; None if it has none."""
        while self._spans and self._spans[0].end <= place.start and len(self._spans) > 1:
            self._spans.popleft()
        if not self._spans:
            return None
        span = self._spans[0]
        first = max(place.start, span.start)
        if first >= span.end or (place.end <= span.start and place.end > place.start):
            return None
        return span.said + first - span.start


class _Draft:
    """A piece while it is put together."""

    def __init__(self) -> None:
        self.text = self.thought = ""
        self.calls: list[CallPiece] = []

    def merged(self) -> tuple[CallPiece, ...]:
        """The pieces of calls, those of one call put together."""
        whole: dict[int, CallPiece] = {}
        for piece in self.calls:
            known = whole.get(piece.index)
            whole[piece.index] = (
                piece
                if known is None
                else CallPiece(piece.index, known.name, known.arguments + piece.arguments)
            )
        return tuple(whole.values())
