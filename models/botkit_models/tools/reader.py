"""A reply, taken apart while it is written: thoughts, text, calls."""

from __future__ import annotations

from collections.abc import Collection

from botkit_models.tools.calls import CallReader
from botkit_models.tools.held import Held
from botkit_models.tools.parts import Part
from botkit_models.tools.syntax import PYTHON_TAG, CallSyntax
from botkit_models.tools.thoughts import CLOSING, OPENING, ThoughtReader


class ReplyReader:
    """Reads one reply. Where its pieces begin and end changes nothing.

    Args:
        syntax: How calls are written; None where none are looked for.
        names: The functions that may be called; None for any.
        formed: What is no call is a text of a form.
        thinks: The reply may begin with a thought.
        opened: The prompt has begun that thought already.

    Fields:
        markers: The texts that the reply is taken apart by. They may be special tokens.
    """

    def __init__(
        self,
        syntax: CallSyntax | None = None,
        *,
        names: Collection[str] | None = None,
        formed: bool = False,
        thinks: bool = False,
        opened: bool = False,
    ) -> None:
        self.markers = _markers(syntax, thinks or opened)
        self._held = Held()
        self._thoughts = ThoughtReader(self._held, opened=opened)
        self._thoughts.over = not (thinks or opened)
        self._calls = CallReader(self._held, syntax, names=names, formed=formed)
        self._answered = self._thoughts.over

    @property
    def thinking(self) -> bool:
        """Whether the end of the reply so far is a thought."""
        return self._thoughts.thinking

    @property
    def saying(self) -> bool:
        """Whether what comes next is text for the reader, as far as is known."""
        return self._thoughts.over and self._calls.saying

    @property
    def position(self) -> int:
        """How many characters of the reply were told apart; those after it wait."""
        return self._held.start

    def read(self, piece: str) -> list[Part]:
        """The parts that a piece completes or goes on with."""
        self._held.add(piece)
        parts: list[Part] = []
        if not self._thoughts.over:
            parts += self._thoughts.read()
        if self._thoughts.over and self._begins_answer():
            parts += self._calls.read()
        return parts

    def end(self, *, cut: bool = False) -> list[Part]:
        """The parts that were waited with, now that nothing more comes.

        Args:
            cut: The reply was cut off, so that a beginning of a marker is one, and no text.
        """
        parts: list[Part] = []
        if not self._thoughts.over:
            parts += self._thoughts.end(cut=cut)
        if self._thoughts.over and self._begins_answer():
            parts += [*self._calls.read(), *self._calls.end(cut=cut)]
        return parts

    def _begins_answer(self) -> bool:
        """White space between a thought and the answer is neither."""
        if not self._answered:
            self._answered = not self._thoughts.closed or self._held.skip_spaces()
        return self._answered


def _markers(syntax: CallSyntax | None, thinks: bool) -> tuple[str, ...]:
    calls = () if syntax is None else (syntax.opening, syntax.closing, PYTHON_TAG)
    return (*calls, OPENING, CLOSING) if thinks else calls
