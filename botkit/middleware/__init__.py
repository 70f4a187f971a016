"""What every turn passes, outermost first: see :func:`default_middleware`."""

from botkit.middleware.history import history
from botkit.middleware.tidy import tidy
from botkit.middleware.title import title
from botkit.pipeline import Middleware
from botkit.toolkit import Toolkit

__all__ = ["default_middleware", "history", "tidy", "title"]


def default_middleware(kit: Toolkit) -> list[Middleware]:
    """The middleware of a bot that names none, in order.

    A middleware that wraps ``turn.asking.completion`` is the nearer to the model the further out it
    stands: a reply from the cache costs no budget, and what the quality check asks again is
    counted like everything else.
    """
    settings = kit.settings
    return [
        history(settings.history_tokens),
        title,
        tidy,
    ]
