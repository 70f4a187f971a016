"""How long a reply has grown, seen from outside."""

from __future__ import annotations

from dataclasses import dataclass, field

from botkit.completion.chat import ChatCompletionChunk, ChunkChoice
from botkit.completion.counting import TokenCounts, estimate_text
from botkit.completion.usage import Usage

LONG_TOKEN = 8
"""Characters: where nobody counts, a reply is too long when its tokens had to be longer."""

AGAIN = 1.25
"""A text is counted again when it has grown so much: all counts together take little longer than
the last."""


@dataclass
class _Reply:
    """One choice.

    Fields:
        count_at: Characters at which it is counted next.
        pieces: Chunks that held something, each a token at least.
        characters: Of all texts.
    """

    count_at: float
    pieces: int = 0
    texts: list[str] = field(default_factory=list)
    characters: int = 0
    finished: bool = False


class Meter:
    """Counts the tokens of a stream.

    Fields:
        begun: Whether anything came.
        over: Whether a reply is longer than it may be.
        usage: What the stream itself says.

    Args:
        limit: Tokens of each reply.
        choices: Replies.
        counts: Counts texts.
    """

    def __init__(self, limit: int, choices: int, counts: TokenCounts) -> None:
        self.begun = False
        self.over = False
        self.usage: Usage | None = None
        self._limit = limit
        self._counts = counts
        # A character is a token at most, or nearly always.
        first = limit if counts.counts else LONG_TOKEN * limit
        self._replies = [_Reply(first + 1) for _ in range(choices)]

    @property
    def tokens(self) -> int:
        """About how many there are, exactly where somebody counts; never more than are allowed."""
        return sum(min(self._limit, self._tokens(reply)) for reply in self._replies)

    @property
    def unfinished(self) -> list[int]:
        """Numbers of the replies that have no finish reason."""
        return [number for number, reply in enumerate(self._replies) if not reply.finished]

    def add(self, chunk: ChatCompletionChunk) -> None:
        """The next chunk came."""
        self.begun = True
        self.usage = chunk.usage or self.usage
        for choice in chunk.choices:
            if choice.index < len(self._replies):
                self._grow(self._replies[choice.index], choice)

    def _grow(self, reply: _Reply, choice: ChunkChoice) -> None:
        reply.finished = reply.finished or choice.finish_reason is not None
        text = _said(choice)
        if not text:
            return
        told = choice.logprobs.content if choice.logprobs is not None else None
        reply.pieces += len(told) if told else 1
        reply.texts.append(text)
        reply.characters += len(text)
        if reply.pieces > self._limit:
            self.over = True
        elif reply.characters >= reply.count_at:
            reply.count_at = AGAIN * reply.characters
            self.over = self.over or self._certainly(reply) > self._limit

    def _certainly(self, reply: _Reply) -> int:
        """Tokens that there are at least."""
        exact = self._counts.exact("".join(reply.texts))
        return reply.characters // LONG_TOKEN if exact is None else exact

    def _tokens(self, reply: _Reply) -> int:
        text = "".join(reply.texts)
        exact = self._counts.exact(text)
        return max(reply.pieces, estimate_text(text) if exact is None else exact)


def _said(choice: ChunkChoice) -> str:
    """What a chunk adds, with thoughts and the calls of tools."""
    delta = choice.delta
    if not (delta.tool_calls or delta.reasoning_content):
        return (delta.content or "") + (delta.refusal or "")
    calls = [call.function for call in delta.tool_calls or () if call.function is not None]
    said = [part for call in calls for part in (call.name, call.arguments) if part]
    thought = delta.reasoning_content or ""
    return "".join((thought, delta.content or "", delta.refusal or "", *said))
