"""Finding calls in a reply while it is written.

A grammar sees to it that calls are well formed, but a reply may be cut anywhere, and nothing here
trusts it to be otherwise: what is no call after all is text, and what cannot be told yet waits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from botkit_models.tools.held import Held
from botkit_models.tools.json_value import JsonValue
from botkit_models.tools.parts import Arguments, CallClosed, CallOpened, Part, Said
from botkit_models.tools.syntax import PYTHON_TAG, CallSyntax

_HEAD = re.compile(
    r'\s*\{\s*"name"\s*:\s*("(?:[^"\\<]|\\.){1,256}")\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=\S)'
)


class CallReader:
    """Reads an answer: text and calls.

    Args:
        held: What waits to be read.
        syntax: How calls are written; None where there are none.
        names: The functions that may be called: what names another is text. None for any.
        formed: The answer is calls or a text of a form, never both: how it begins tells which.
    """

    def __init__(
        self,
        held: Held,
        syntax: CallSyntax | None,
        *,
        names: Collection[str] | None = None,
        formed: bool = False,
    ) -> None:
        self._held = held
        self._names = names
        self._formed = formed
        self._opening = "" if syntax is None else syntax.opening
        self._closing = "" if syntax is None else syntax.closing
        self._heads: tuple[str, ...] = ()
        if syntax is not None and not syntax.opening and formed and names is not None:
            self._heads = tuple(map(syntax.body_head, names))
        self._value = JsonValue()
        self._state: Callable[[], list[Part] | None] = self._text
        if syntax is not None and (formed or not syntax.opening):
            self._state = self._first

    @property
    def saying(self) -> bool:
        """Whether what comes next is text, as far as is known."""
        return self._state in (self._text, self._verbatim)

    def read(self) -> list[Part]:
        """What can be told from what waits."""
        parts: list[Part] = []
        while (found := self._state()) is not None:
            parts += found
        return parts

    def end(self, *, cut: bool) -> list[Part]:
        """What waits when nothing more comes: text, unless it is of a call that was ``cut``."""
        held = self._held
        if self._state in (self._tail, self._rest, self._after):
            return []
        if self._state == self._head:
            whole = self._whole_call(held.text)
            if whole is not None:
                return whole
            if self._opening and self._may_be_head():
                return []  # cut before its name was known
        if cut and self._state in (self._text, self._first):
            held.drop_overlap(self._opening)
        return self._say(len(held.text))

    def _text(self) -> list[Part] | None:
        """Text, up to a marker."""
        if not self._opening:
            return self._verbatim()
        held = self._held
        said = self._say(held.before(self._opening))
        if held.text.lstrip().startswith(self._opening):
            held.skip_spaces()
            held.take(len(self._opening))
            self._state = self._head
            return said
        return said or None

    def _verbatim(self) -> list[Part] | None:
        """Text to the end, whatever it holds."""
        return self._say(len(self._held.text)) or None

    def _first(self) -> list[Part] | None:
        """The beginning of an answer which alone tells whether it is a call."""
        held, tag = self._held, self._opening or PYTHON_TAG
        text = held.text.lstrip()
        if len(text) < len(tag) and tag.startswith(text):
            return None
        if text.startswith(tag):
            held.skip_spaces()
            held.take(len(tag))
            self._state = self._head if self._opening else self._first
            return []
        bare = not self._opening and text.startswith("{")
        self._state = self._head if bare else self._verbatim
        return []

    def _head(self) -> list[Part] | None:
        """A call, up to its arguments."""
        held = self._held
        if self._heads and not self._may_be_bare():
            self._state = self._verbatim
            return []
        head = _HEAD.match(held.text)
        if head is not None and self._callable(_name(head[1])):
            held.take(head.end())
            self._value = JsonValue()
            self._state = self._arguments
            return [CallOpened(_name(head[1]))]
        if head is not None and not self._opening:
            self._state = self._verbatim
            return []
        return self._odd_call()

    def _may_be_head(self) -> bool:
        """Whether what follows a marker is a call that was cut, and no text."""
        text = self._held.text.lstrip()
        return not text or (text[0] == "{" and _HEAD.match(text) is None)

    def _may_be_bare(self) -> bool:
        """Whether what waits is a call, or may become one, where JSON of a form may stand, too.

        A call is known by its head as grammars write it, so that a form's text is not kept waiting.
        """
        text = self._held.text.lstrip()
        return any(head.startswith(text) or text.startswith(head) for head in self._heads)

    def _callable(self, name: str) -> bool:
        return self._names is None or name in self._names

    def _odd_call(self) -> list[Part] | None:
        """A call that is written in another way, once it is whole; text if it is none."""
        place = self._held.text.find(self._closing) if self._closing else -1
        if place < 0:
            return None
        start = self._held.start
        payload = self._held.take(place)
        self._held.take(len(self._closing))
        self._state = self._after
        whole = self._whole_call(payload)
        return whole if whole is not None else [Said(payload, start)]

    def _whole_call(self, payload: str) -> list[Part] | None:
        """A call whose keys stand in any order; None if it is none."""
        call = _json(payload)
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            return None
        if not self._callable(call["name"]):
            return None
        arguments = call.get("arguments", call.get("parameters", {}))
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        return [CallOpened(call["name"]), Arguments(arguments), CallClosed()]

    def _arguments(self) -> list[Part] | None:
        count = self._value.read(self._held.text)
        piece = self._held.take(count)
        parts: list[Part] = [Arguments(piece)] if piece else []
        if self._value.ended:
            self._state = self._tail
            return [*parts, CallClosed()]
        return parts or None

    def _tail(self) -> list[Part] | None:
        """The end of a call: its brace and its marker."""
        held, closing = self._held, self._closing
        if not held.skip_spaces():
            return None
        if held.text[0] == "}":
            held.take(1)
            return []
        if held.text[0] == ",":
            self._state = self._rest
            return []
        if closing and held.may_become(closing):
            return None
        if closing and held.text.startswith(closing):
            held.take(len(closing))
        self._state = self._after
        return []

    def _rest(self) -> list[Part] | None:
        """What a call has besides name and arguments."""
        if not self._closing:
            self._held.take(len(self._held.text))  # nothing says where it ends
            return None
        place = self._held.text.find(self._closing)
        if place < 0:
            return None
        self._held.take(place + len(self._closing))
        self._state = self._after
        return []

    def _after(self) -> list[Part] | None:
        """White space after a call is no text; another call may follow."""
        if not self._held.skip_spaces():
            return None
        self._state = self._first if self._formed and self._opening else self._text
        return []

    def _say(self, count: int) -> list[Part]:
        if count == 0:
            return []
        start = self._held.start
        return [Said(self._held.take(count), start)]


def _name(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]


def _json(text: str) -> Any:
    """The value; None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
