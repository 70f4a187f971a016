"""A handler: a user's function, its parameters inspected once.

Parameters are taken by name. These come from the turn: ``turn``, ``event``, ``text``, ``message``,
``history``, ``user``, ``state``, ``value``, ``arguments``. Any other is parsed from the words after
a command, or from a named group of a message's pattern, and converted as its annotation says.
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from botkit.errors import HandlerError

if TYPE_CHECKING:
    from botkit.turn import Turn

Kind = Literal["message", "command", "action", "feedback", "lifecycle"]

FROM_TURN: Mapping[str, Callable[[Turn], Any]] = {
    "turn": lambda turn: turn,
    "event": lambda turn: turn.event,
    "text": lambda turn: turn.text,
    "message": lambda turn: turn.message,
    "history": lambda turn: turn.history,
    "user": lambda turn: turn.user,
    "state": lambda turn: turn.state,
    "value": lambda turn: turn.event.value,
    "arguments": lambda turn: turn.event.text,
}


class UsageError(Exception):
    """The words after a command do not fit; the message is for the person who typed them."""


@dataclass(frozen=True)
class Parameter:
    """A parameter that is parsed from text.

    Fields:
        name: As in the signature.
        type: Converts text, or refuses it.
        label: How to call the type in a sentence about usage.
        required: Whether it has no default.
        rest: It takes all that is left: ``*words``, or the last ``str``.
        many: It is ``*words``.
    """

    name: str
    type: TypeAdapter[Any]
    label: str
    required: bool
    rest: bool = False
    many: bool = False

    def convert(self, text: str) -> Any:
        """The value that ``text`` writes.

        Raises:
            UsageError: It writes none.
        """
        try:
            return self.type.validate_python(text)
        except ValidationError:
            raise UsageError(f"{self.name} should be {self.label}, not “{text}”.") from None


@dataclass(frozen=True)
class Handler:
    """A function and how to call it."""

    function: Callable[..., Any]
    kind: Kind
    from_turn: tuple[str, ...]
    parsed: tuple[Parameter, ...]

    @property
    def name(self) -> str:
        """The function's."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def call(self, turn: Turn, texts: Mapping[str, str]) -> Any:
        """What the function returns: an awaitable or an asynchronous iterator.

        Raises:
            UsageError: The event's words do not fit the parameters.
        """
        named = {name: FROM_TURN[name](turn) for name in self.from_turn}
        if self.kind == "command" and self.parsed:
            many, parsed = parse_words(self.parsed, turn.event.text)
            return self.function(*many, **named, **parsed)
        parsed = {
            parameter.name: parameter.convert(texts[parameter.name])
            for parameter in self.parsed
            if parameter.name in texts
        }
        return self.function(**named, **parsed)

    def usage(self, command: str) -> str:
        """How to write the command, as ``/order <item> [count]``."""
        words = [
            f"<{parameter.name}>" if parameter.required else f"[{parameter.name}]"
            for parameter in self.parsed
        ]
        return " ".join([f"/{command}", *words])


def inspect_handler(function: Callable[..., Any], kind: Kind, groups: frozenset[str]) -> Handler:
    """The handler that ``function`` is.

    Raises:
        HandlerError: It is not asynchronous, or has a parameter that nothing can fill.
    """
    name = getattr(function, "__name__", repr(function))
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        raise HandlerError(f"{name} must be asynchronous: write `async def {name}(...)`")
    try:
        hints = get_type_hints(function)
    except Exception as error:
        raise HandlerError(f"the annotations of {name} cannot be read: {error}") from error
    from_turn: list[str] = []
    parsed: list[Parameter] = []
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            raise HandlerError(f"{name}: **{parameter.name} cannot be filled; name what it needs")
        if parameter.name in FROM_TURN and parameter.kind is not parameter.VAR_POSITIONAL:
            _refuse_positional_only(name, parameter)
            from_turn.append(parameter.name)
        elif kind == "command" or parameter.name in groups:
            _refuse_positional_only(name, parameter)
            parsed.append(_parameter(parameter, hints.get(parameter.name, str)))
        elif parameter.default is parameter.empty:
            known = ", ".join([*FROM_TURN, *sorted(groups)])
            raise HandlerError(
                f"{name}: nothing fills the parameter {parameter.name!r}; there are: {known}"
            )
    return Handler(function, kind, tuple(from_turn), _with_rest(parsed))


def _refuse_positional_only(name: str, parameter: inspect.Parameter) -> None:
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise HandlerError(f"{name}: {parameter.name!r} must be allowed by name")


def _parameter(parameter: inspect.Parameter, hint: Any) -> Parameter:
    many = parameter.kind is parameter.VAR_POSITIONAL
    try:
        converter: TypeAdapter[Any] = TypeAdapter(hint)
    except Exception as error:
        raise HandlerError(
            f"text cannot be converted for the parameter {parameter.name!r}: {error}"
        ) from None
    return Parameter(
        parameter.name,
        converter,
        _label(hint),
        required=not many and parameter.default is parameter.empty,
        rest=many,
        many=many,
    )


def _with_rest(parsed: list[Parameter]) -> tuple[Parameter, ...]:
    """The last parameter, when it is text, takes all words that are left."""
    if parsed and not parsed[-1].many and parsed[-1].label == "text":
        last = parsed.pop()
        parsed.append(Parameter(last.name, last.type, last.label, last.required, rest=True))
    return tuple(parsed)


def _label(hint: Any) -> str:
    labels = {str: "text", int: "a whole number", float: "a number", bool: "yes or no"}
    return labels.get(hint) or str(getattr(hint, "__name__", hint))


def parse_words(parameters: tuple[Parameter, ...], text: str) -> tuple[list[Any], dict[str, Any]]:
    """The values for ``*words``, and those by name.

    Quotes keep words together, as in a shell.

    Raises:
        UsageError: A word is missing, is one too many, or does not fit.
    """
    words = _split(text)
    many: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.many:
            many, words = [parameter.convert(word) for word in words], []
        elif not words:
            if parameter.required:
                raise UsageError(f"{parameter.name} is missing.")
        elif parameter.rest:
            named[parameter.name], words = parameter.convert(" ".join(words)), []
        else:
            named[parameter.name] = parameter.convert(words.pop(0))
    if words:
        raise UsageError(f"“{' '.join(words)}” is too much.")
    return many, named


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an apostrophe is not always a quote
        return text.split()
