"""What stands around every bot's middleware, whatever its author chose."""

from __future__ import annotations

from botkit.metrics import Metrics
from botkit.middleware.moderation import moderation
from botkit.middleware.redaction import redaction
from botkit.moderation import WordList
from botkit.pipeline import Middleware
from botkit.settings import Settings


def guards(settings: Settings, metrics: Metrics) -> list[Middleware]:
    """What the settings ask for, outermost first.

    Raises:
        SettingsError, MissingExtraError: BOTKIT_MODERATION_FILE cannot be used.
    """
    made: list[Middleware] = []
    if settings.redact:
        made.append(redaction)
    if settings.moderation_file is not None:
        words = WordList(settings.moderation_file.expanduser())
        made.append(moderation(words, lambda way: metrics.flagged.labels(way).inc()))
    return made
