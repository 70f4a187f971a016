"""What every turn passes, outermost first: see :func:`default_middleware`."""

from botkit.middleware.history import history
from botkit.middleware.tidy import tidy
from botkit.middleware.title import title
from botkit.pipeline import Middleware

__all__ = ["default_middleware", "history", "tidy", "title"]


def default_middleware(history_tokens: int) -> list[Middleware]:
    """The middleware of a bot that names none, in order."""
    return [history(history_tokens), title, tidy]
