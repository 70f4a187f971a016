"""A jinja2 sandbox in which a hostile chat template can neither reach out nor run away.

jinja2's own sandbox keeps templates from Python's internals; it does not keep them from looping or
from doubling a text forty times. Here only the filters, functions and methods that chat templates
need exist, and everything that can make a value larger, loop or call pays from a budget
(:mod:`botkit_models.template_budget`). The environment otherwise behaves as Hugging Face's does
(``trim_blocks``, ``lstrip_blocks``, loop controls, ``tojson`` without ASCII escapes).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import Environment, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, pass_context
from jinja2.visitor import NodeTransformer

from botkit_models.template_budget import BudgetError, measure, spend


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILTERS = _names(
    "abs capitalize count d default dictsort e escape first float int items join last length list "
    "lower map max min reject rejectattr replace reverse safe select selectattr sort string title "
    "trim unique upper"
)
METHODS: dict[type, frozenset[str]] = {
    str: _names(
        "capitalize count endswith find index isalnum isalpha isdigit isnumeric isspace join lower "
        "lstrip partition removeprefix removesuffix replace rfind rindex rpartition rsplit rstrip "
        "split splitlines startswith strip title upper"
    ),
    dict: _names("get items keys values"),
    list: _names("count index"),
    tuple: _names("count index"),
    LoopContext: _names("changed cycle"),
    Cycler: _names("next reset"),
}
REFUSED_NODES = (
    nodes.Block,
    nodes.Extends,
    nodes.FromImport,
    nodes.Import,
    nodes.Include,
)
JINJA_KWARGS = frozenset({"_loop_vars", "_block_vars"})  # jinja2 adds them to calls in loops
MAX_INDENT = 16
MAX_INTEGER_BITS = 256


class RefusedError(Exception):
    """The template called ``raise_exception``: it does not want these messages."""


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """The environment chat templates are compiled and rendered in.

    Args:
        now: The clock behind ``strftime_now``.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            finalize=_finalize,
            extensions=["jinja2.ext.loopcontrols", GenerationTag],
        )
        self.filters = {name: _paid(self.filters[name]) for name in FILTERS}
        self.filters |= {"join": _join, "replace": _replace, "string": _string, "tojson": _tojson}
        self.filters |= _GUARDS
        self.globals = {
            name: self.globals[name] for name in ("range", "dict", "namespace", "joiner", "cycler")
        }
        self.globals |= {"raise_exception": _refuse, "strftime_now": _clock(now)}
        self._callables = {id(value) for value in self.globals.values()}
        self.macro_chars = 0

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template names, if chat templates have business calling it."""
        spend(self.macro_chars if isinstance(obj, Macro) else 0)
        self._check_callable(obj)
        if isinstance(getattr(obj, "__self__", None), str):
            own = {name: value for name, value in kwargs.items() if name not in JINJA_KWARGS}
            result = _text_method(obj, args, own)
        else:
            result = super().call(context, obj, *args, **kwargs)
        spend(measure(result) if obj is dict else _shallow(result))
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator that can make values larger."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("formatting with % is not available")
        if isinstance(left, int) and isinstance(right, int):
            _check_integers(operator, left, right)
        elif operator == "*":
            _check_repetition(left, right)
        result = super().call_binop(context, operator, left, right)
        spend(_shallow(result) if isinstance(result, str) else measure(result))
        return result

    def _check_callable(self, obj: Any) -> None:
        if isinstance(obj, Macro | Joiner) or id(obj) in self._callables:
            return
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        for kind, names in METHODS.items():
            if isinstance(owner, kind) and name in names:
                return
        raise SecurityError(f"calling {str(name)[:40]!r} is not available to chat templates")


class Guard(NodeTransformer):
    """Rewrites a parsed template so that loops, joins, slices and literals pay their way.

    The names of the guarding filters hold a space, so that no template can call them.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Refuse what leads out of the template, then look inside."""
        if isinstance(node, REFUSED_NODES):
            raise SecurityError("blocks, inheritance and inclusion are not available")
        if isinstance(node, nodes.Getattr):
            _check_name(node.attr)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            _check_name(node.arg.value)
        return super().generic_visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's protocol
        """A loop pays for its own text in each round."""
        if node.recursive:
            raise SecurityError("recursive loops are not available")
        cost = nodes.Const(static_chars(node), lineno=node.lineno)
        self.generic_visit(node)
        node.iter = self._guarded("loop guard", node.iter, [cost])
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """``a ~ b``."""
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return self._guarded("concat guard", parts, [])

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        """``a[b:c]``; a plain index makes nothing larger."""
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        parts = (node.arg.start, node.arg.stop, node.arg.step)
        bounds = [part or nodes.Const(None, lineno=node.lineno) for part in parts]
        return self._guarded("slice guard", node.node, bounds)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        """A list may hold a long one twice."""
        self.generic_visit(node)
        return self._guarded("literal guard", node, [])

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        """As a list."""
        self.generic_visit(node)
        return self._guarded("literal guard", node, [])

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        """As a list, except where it names variables to assign to."""
        self.generic_visit(node)
        return node if node.ctx != "load" else self._guarded("literal guard", node, [])

    def _guarded(self, name: str, node: nodes.Node, args: list[nodes.Expr]) -> nodes.Filter:
        guarded = nodes.Filter(node, name, args, [], None, None, lineno=node.lineno)
        guarded.set_environment(self._environment)
        return guarded


class GenerationTag(Extension):
    """``{% generation %}``: marks the assistant's text for training; renders as if absent."""

    tags = {"generation"}  # noqa: RUF012 - the extension protocol

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The statements inside the tag."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def static_chars(node: nodes.Node) -> int:
    """Characters of plain text inside a node, nested ones included."""
    return sum(len(data.data) for data in node.find_all(nodes.TemplateData))


def _check_name(name: Any) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"the attribute {name[:40]!r} is not available to chat templates")


def _shallow(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


@pass_context
def _finalize(context: Context, value: Any) -> Any:
    """Every ``{{ ... }}`` pays for what it writes."""
    spend(len(value) if isinstance(value, str) else measure(value))
    return value


def _paid(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result is paid for."""

    def paid(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        spend(_shallow(result))
        return result

    # jinja2 reads from the function whether it wants the context or the environment.
    paid.__dict__.update(getattr(function, "__dict__", {}))
    return paid


def _join(value: Iterable[Any], d: Any = "", attribute: Any = None) -> str:
    if attribute is not None:
        raise SecurityError("join by attribute is not available to chat templates")
    parts = [part if isinstance(part, str) else _string(part) for part in value]
    spend(sum(map(len, parts)) + len(str(d)) * len(parts))
    return str(d).join(parts)


def _replace(s: Any, old: str, new: str, count: int | None = None) -> str:
    text = s if isinstance(s, str) else _string(s)
    places = text.count(str(old)) if count is None else min(int(count), text.count(str(old)))
    spend(len(text) + max(places, 0) * len(str(new)))
    return text.replace(str(old), str(new), -1 if count is None else int(count))


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    spend(measure(value))
    return str(value)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as Hugging Face's templates expect it: no ASCII and no HTML escapes."""
    if indent is not None and not (isinstance(indent, int) and 0 <= indent <= MAX_INDENT):
        raise SecurityError(f"an indent of {indent!r:.20} is not available to chat templates")
    spend(measure(value) * (1 if indent is None else 1 + indent))
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _text_method(method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method of a text; those that can make it longer go through the guarded filters."""
    if method.__name__ == "replace":
        return _replace(method.__self__, *args, **kwargs)
    if method.__name__ == "join":
        (parts,) = args
        return _join(parts, method.__self__)
    return method(*args, **kwargs)


def _loop(values: Any, chars: int) -> Iterator[Any]:
    for value in values:
        spend(chars)
        yield value


def _concat(parts: list[Any]) -> str:
    return _join(parts)


def _slice(value: Any, start: Any, stop: Any, step: Any) -> Any:
    result = value[start:stop:step]
    spend(_shallow(result))
    return result


def _literal(value: Any) -> Any:
    spend(measure(value))
    return value


_GUARDS: dict[str, Callable[..., Any]] = {
    "loop guard": _loop,
    "concat guard": _concat,
    "slice guard": _slice,
    "literal guard": _literal,
}


def _check_integers(operator: str, left: int, right: int) -> None:
    if operator == "**" and (abs(right) > MAX_INTEGER_BITS or abs(left) > 1 << 64):
        raise BudgetError("it makes numbers that are too large")
    if left.bit_length() + right.bit_length() > MAX_INTEGER_BITS:
        raise BudgetError("it makes numbers that are too large")


def _check_repetition(left: Any, right: Any) -> None:
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(count, int):
            spend(measure(sequence) * max(count, 0))


def _refuse(message: Any) -> NoReturn:
    raise RefusedError(str(message)[:500])


def _clock(now: Callable[[], datetime]) -> Callable[[str], str]:
    def strftime_now(pattern: str) -> str:
        if len(pattern) > 200:
            raise BudgetError("its date pattern is too long")
        return now().strftime(pattern)

    return strftime_now
