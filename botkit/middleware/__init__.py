"""What every turn passes, outermost first: see :func:`default_middleware`."""

from botkit.judge import HeuristicJudge
from botkit.language import LanguageDetector
from botkit.middleware.cache import cache
from botkit.middleware.erasure import erasure
from botkit.middleware.history import history
from botkit.middleware.language import language
from botkit.middleware.moderation import moderation
from botkit.middleware.observe import observe
from botkit.middleware.quality import quality
from botkit.middleware.tidy import tidy
from botkit.middleware.title import title
from botkit.pipeline import Middleware
from botkit.toolkit import Toolkit

__all__ = [
    "cache",
    "default_middleware",
    "history",
    "language",
    "moderation",
    "observe",
    "quality",
    "tidy",
    "title",
]


def default_middleware(kit: Toolkit) -> list[Middleware]:
    """The middleware of a bot that names none, in order.

    A middleware that wraps ``turn.asking.completion`` is the nearer to the model the further out it
    stands: a reply from the cache costs no budget, and what the quality check asks again is
    counted like everything else.
    """
    settings = kit.settings
    detector = LanguageDetector()
    return [
        observe(kit),
        erasure(kit.forgetting),
        *([cache(kit)] if settings.cache_seconds else []),
        language(detector),
        history(settings.history_tokens, kit.counts, kit.summarizer),
        *([_quality(kit, detector)] if settings.quality_attempts else []),
        title,
        tidy,
    ]


def _quality(kit: Toolkit, detector: LanguageDetector) -> Middleware:
    return quality(
        HeuristicJudge(detector=detector),
        kit.settings.quality_attempts,
        hand_off=kit.hand_off,
        count=kit.metrics.judged,
    )
