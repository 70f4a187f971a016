"""An environment variable as people see it: in ``botkit doctor`` and in the README."""

from __future__ import annotations

import os
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

MASK = "********"


def comma_separated(value: Any) -> Any:
    """``a, b,`` as ``("a", "b")``; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def lower_case(value: Any) -> Any:
    """A text in lower case; what is none stays as it is."""
    return value.lower() if isinstance(value, str) else value


@dataclass(frozen=True)
class Variable:
    """One variable.

    Fields:
        names: As in the environment; the first is the name, the others count too.
        field: The attribute of ``Settings`` that it fills.
        type: In plain words: text, number, path, ...
        default: As text; empty when there is none.
        description: One sentence.
        secret: Whether its value must never be shown.
    """

    names: tuple[str, ...]
    field: str
    type: str
    default: str
    description: str
    secret: bool

    @property
    def name(self) -> str:
        """What people call it."""
        return self.names[0]

    @property
    def value_set(self) -> bool:
        """Whether the environment sets it now; empty counts as unset."""
        return any(os.environ.get(name) for name in self.names)

    @property
    def in_use(self) -> str:
        """The name that the environment sets now, or the first one."""
        return next((name for name in self.names if os.environ.get(name)), self.name)

    @property
    def shown(self) -> str:
        """What may be printed of its value: secrets are masked, an unset one is empty."""
        if not self.value_set:
            return ""
        return MASK if self.secret else mask_password(os.environ[self.in_use])


def mask_password(text: str) -> str:
    """The text without the user and password of any URL in it, wherever a URL may hold them."""
    masked = re.sub(r"//[^/\s]*@", f"//{MASK}@", text)
    return re.sub(r"(?i)([?&](?:user|password|sslpassword)=)[^&\s'\"]*", rf"\1{MASK}", masked)


def variable_of(field: str, info: FieldInfo) -> Variable:
    """The variable that fills a settings field."""
    alias = info.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else (alias,)
    kind, secret = _kind(info.annotation)
    return Variable(
        names=tuple(str(name) for name in choices),
        field=field,
        type=kind,
        default=_default(info),
        description=info.description or "",
        secret=secret,
    )


def markdown_table(variables: Sequence[Variable]) -> str:
    """The README's table; ends without a newline."""
    lines = ["| variable | default | what it is |", "| --- | --- | --- |"]
    for variable in variables:
        default = f"`{variable.default}`" if _is_literal(variable) else variable.default
        description = variable.description + (" Secret." if variable.secret else "")
        lines.append(f"| `{variable.name}` | {default} | {description} |")
    return "\n".join(lines)


def _is_literal(variable: Variable) -> bool:
    """Whether the default is a value one could type, and not a phrase about it."""
    return bool(variable.default) and " " not in variable.default and "'" not in variable.default


def _default(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    value = info.get_default()
    return "" if value in (None, ()) else f"{value:g}" if isinstance(value, float) else str(value)


def _kind(annotation: Any) -> tuple[str, bool]:
    """The type in plain words, and whether it is secret."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _kind(next(part for part in arguments if part is not type(None)))
    if origin is Annotated:
        return _kind(arguments[0])
    if origin is Literal:
        return " | ".join(str(choice) for choice in arguments), False
    if origin is tuple:
        return "comma list", arguments[0] is SecretStr
    names: dict[Any, str] = {
        bool: "true | false",
        int: "number",
        float: "seconds",
        Path: "path",
        str: "text",
        Mapping[str, Path]: "name=folder list",
    }
    if annotation is SecretStr:
        return "text", True
    return names.get(annotation, "alias=model list"), False
