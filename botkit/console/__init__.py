"""``/console``: what the bot did and why, for whoever holds BOTKIT_CONSOLE_KEY.

Without the key nothing of this is imported and no route is there. With it a
:class:`~botkit.console.recorder.Recorder` keeps the last turns as trees of spans, in memory and
without anything that was said; what people said is read from the store when it is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from botkit.pseudonyms import Pseudonyms
from botkit.settings import Settings
from botkit.store import Store

if TYPE_CHECKING:
    from botkit.console.console import Console


def make_console(
    settings: Settings,
    store: Callable[[], Store],
    pseudonyms: Pseudonyms,
    platforms: Sequence[str],
    ready: Callable[[], bool],
    wake: Callable[[], Awaitable[None]],
) -> Console | None:
    """The console that the settings ask for; None without a key.

    Args:
        settings: What the environment says.
        store: The open store.
        pseudonyms: What conversations are called in spans.
        platforms: Of which there are conversations.
        ready: Whether the model can answer.
        wake: Told when something became due.
    """
    if settings.console_key is None:
        return None
    from botkit.console.console import Console

    model = settings.completion if settings.completion == "echo" else settings.model
    key = settings.console_key.get_secret_value()
    return Console(key, store, pseudonyms, platforms=platforms, model=model, ready=ready, wake=wake)
