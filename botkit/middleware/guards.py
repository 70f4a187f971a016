"""What stands around every bot's middleware, whatever its author chose."""

from __future__ import annotations

from botkit.middleware.limits import limits
from botkit.middleware.moderation import moderation
from botkit.middleware.redaction import redaction
from botkit.moderation import WordList
from botkit.pipeline import Middleware
from botkit.toolkit import Toolkit


def guards(kit: Toolkit) -> list[Middleware]:
    """What the settings ask for, outermost first. A reply from a cache further in costs no budget,
    and what moderation stops counts as said: a flood of it ends too.

    Raises:
        SettingsError, MissingExtraError: BOTKIT_MODERATION_FILE cannot be used.
    """
    settings, metrics = kit.settings, kit.metrics
    made: list[Middleware] = []
    if settings.redact:
        made.append(redaction)
    made.append(limits(kit))
    if settings.moderation_file is not None:
        words = WordList(settings.moderation_file.expanduser())
        made.append(moderation(words, lambda way: metrics.flagged.labels(way).inc()))
    return made
