"""What other packages add to botkit, found through entry points.

=====================  =======================================================================
group                  what the entry point is
=====================  =======================================================================
``botkit.adapters``     ``factory(settings) -> Adapter | None``; None when its variables are not set
``botkit.completions``  ``factory(settings) -> Completion``; chosen by ``BOTKIT_COMPLETION``
``botkit.handlers``     ``register(bot)``; adds handlers to every bot that names it
``botkit.commands``     a ``click.Command``, which becomes ``botkit NAME``
``botkit.checks``       ``checks(settings) -> list[Check]``; asked by ``botkit doctor``
=====================  =======================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

from botkit.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from botkit.adapter import Adapter
    from botkit.completion import Completion
    from botkit.settings import Settings

ADAPTERS = "botkit.adapters"
COMPLETIONS = "botkit.completions"
HANDLERS = "botkit.handlers"
COMMANDS = "botkit.commands"
CHECKS = "botkit.checks"


@dataclass(frozen=True)
class Check:
    """One finding of ``botkit doctor``.

    Fields:
        name: What was looked at, in a word or two.
        status: ``fail`` makes the command end with 1.
        found: What is there.
        advice: What to do; empty when ``ok``.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""


def load_completion(settings: Settings) -> Completion:
    """Make the completion that ``settings.completion`` names.

    Raises:
        SettingsError: No installed package offers it; the message lists those that are.
        MissingExtraError: It needs an extra of botkit.
    """
    factory: Callable[[Settings], Completion] = load(COMPLETIONS, settings.completion)
    try:
        return factory(settings)
    except ModuleNotFoundError as error:
        raise _missing(error, f"completion {settings.completion!r}") from None


def load_adapters(settings: Settings) -> list[Adapter]:
    """Make the adapter of every platform whose variables are set.

    Raises:
        SettingsError: The variables of one are wrong or half set.
        MissingExtraError: One needs an extra of botkit.
    """
    made = (load(ADAPTERS, name)(settings) for name in names(ADAPTERS))
    return [adapter for adapter in made if adapter is not None]


def run_checks(settings: Settings) -> list[Check]:
    """Ask every installed plugin; one that cannot be loaded is itself a finding."""
    found: list[Check] = []
    for name in names(CHECKS):
        try:
            found += load(CHECKS, name)(settings)
        except (MissingExtraError, SettingsError) as error:
            found.append(Check(name, "warn", "not available", str(error)))
    return found


def names(group: str) -> list[str]:
    """The names offered in a group, sorted. Nothing is imported."""
    return sorted({entry.name for entry in metadata.entry_points(group=group)})


def load(group: str, name: str) -> Any:
    """Import what the entry point ``name`` of ``group`` points to.

    Raises:
        SettingsError: No such entry point, or it points to nothing.
        MissingExtraError: It imports a package that an extra of botkit brings.
    """
    kind = group.removeprefix("botkit.").removesuffix("s")
    for entry in metadata.entry_points(group=group, name=name):
        try:
            return entry.load()
        except ModuleNotFoundError as error:
            raise _missing(error, f"{kind} {name!r}") from None
        except (ImportError, AttributeError) as error:
            raise SettingsError(f"the {kind} {name!r} could not be loaded: {error}") from error
    installed = ", ".join(names(group)) or "none"
    raise SettingsError(f"there is no {kind} {name!r}; installed: {installed}")


def _missing(error: ModuleNotFoundError, what: str) -> MissingExtraError | SettingsError:
    module = (error.name or "").partition(".")[0]
    extra = extra_of(module)
    if extra is not None:
        return MissingExtraError(module, extra)
    return SettingsError(f"the {what} could not be loaded: {error}")


def extra_of(module: str) -> str | None:
    """The extra of botkit that brings a top-level module, or None."""
    wanted = module.lower().replace("_", "-")
    extras: set[str] = set()
    for requirement in metadata.requires("botkit") or ():
        package = re.match(r"[A-Za-z0-9._-]+", requirement)
        extra = re.search(r"""extra\s*==\s*['"]([^'"]+)['"]""", requirement)
        if package and extra and package[0].lower().replace("_", "-") == wanted:
            extras.add(extra[1])
    # "all" repeats what the others bring: the small one is the better advice.
    return min(extras - {"all"}, default=None)
