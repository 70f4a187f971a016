"""Finding calls in a reply while it is written.

A grammar sees to it that calls are well formed, but a reply may be cut anywhere, and nothing here
trusts it to be otherwise: what is no call after all is text, and what cannot be told yet waits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
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
    """

    def __init__(self, held: Held, syntax: CallSyntax | None) -> None:
        self._held = held
        self._syntax = syntax
        self._value = JsonValue()
        self._spoken = False
        self._state: Callable[[], list[Part] | None] = self._text
        if syntax is not None and not syntax.opening:
            self._state = self._first

    @property
    def saying(self) -> bool:
        """Whether what comes next is text, as far as is known."""
        return self._state == self._text

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
            whole = _whole_call(held.text)
            if whole is not None:
                return whole
            if self._marked and (not held.text.strip() or held.text.lstrip()[0] == "{"):
                return []  # cut before its name was known
        if cut and self._syntax is not None and self._state == self._text:
            held.drop_overlap(self._syntax.opening)
        return self._say(len(held.text))

    @property
    def _marked(self) -> bool:
        return self._syntax is not None and bool(self._syntax.opening)

    def _text(self) -> list[Part] | None:
        """Text, up to a marker."""
        held = self._held
        if self._syntax is None or not self._syntax.opening:
            return self._say(len(held.text)) or None
        opening = self._syntax.opening
        said = self._say(held.before(opening))
        if held.text.lstrip().startswith(opening):
            held.skip_spaces()
            held.take(len(opening))
            self._state = self._head
            return said
        return said or None

    def _first(self) -> list[Part] | None:
        """The beginning of an answer in which a call has no marker."""
        text = self._held.text.lstrip()
        if len(text) < len(PYTHON_TAG) and PYTHON_TAG.startswith(text):
            return None
        if text.startswith(PYTHON_TAG):
            self._held.skip_spaces()
            self._held.take(len(PYTHON_TAG))
            return []
        self._state = self._head if text.startswith("{") else self._text
        return []

    def _head(self) -> list[Part] | None:
        """A call, up to its arguments."""
        held = self._held
        head = _HEAD.match(held.text)
        if head is not None:
            held.take(head.end())
            self._value = JsonValue()
            self._state = self._arguments
            return [CallOpened(_name(head[1]))]
        return self._odd_call()

    def _odd_call(self) -> list[Part] | None:
        """A call that is written in another way, once it is whole; text if it is none."""
        if self._syntax is None or not self._syntax.closing:
            return None
        place = self._held.text.find(self._syntax.closing)
        if place < 0:
            return None
        start = self._held.start
        payload = self._held.take(place)
        self._held.take(len(self._syntax.closing))
        self._state = self._after
        whole = _whole_call(payload)
        return whole if whole is not None else [Said(payload, start)]

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
        held = self._held
        closing = self._syntax.closing if self._syntax is not None else ""
        if not held.skip_spaces():
            return None
        if held.text[0] == "}":
            held.take(1)
            return []
        if closing and held.text[0] == ",":
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
        closing = self._syntax.closing if self._syntax is not None else ""
        place = self._held.text.find(closing)
        if place < 0:
            return None
        self._held.take(place + len(closing))
        self._state = self._after
        return []

    def _after(self) -> list[Part] | None:
        """White space after a call is no text; another call may follow."""
        if not self._held.skip_spaces():
            return None
        self._state = self._text
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


def _whole_call(payload: str) -> list[Part] | None:
    """A call whose keys stand in another order; None if it is none."""
    try:
        call: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments = call.get("arguments", call.get("parameters", {}))
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return [CallOpened(call["name"]), Arguments(written), CallClosed()]
