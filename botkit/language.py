"""What language a person writes in: py3langid over the message, else what is known already."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

logger = logging.getLogger(__name__)

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish",
    "sw": "Swahili", "ta": "Tamil", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""The languages that are told apart: with more, short messages are taken for rare ones."""

LOOKED_AT = 400
"""Characters; more do not make it surer."""

SURE = 0.8
ALIKE = 0.1
"""How likely the language that was spoken before must be to count as spoken still."""

FEWEST_LETTERS = 8
"""Shorter messages, as ``ok``, are of any language, but in scripts with words of few letters."""


def base(tag: str) -> str:
    """The language of a tag: ``pt`` of ``pt-BR`` or ``pt_BR``."""
    return tag.replace("_", "-").partition("-")[0].lower()


class LanguageDetector:
    """Detects languages. The model (0.7 s, some 60 MB) is loaded when it is first needed; without
    the package ``py3langid`` (extra ``language``) nothing is detected."""

    def __init__(self) -> None:
        self._identifier: Any = None
        self._missing = False
        self._loading = asyncio.Lock()

    async def detect(self, text: str, before: str = "") -> str:
        """The language of ``text``, as ``de``; ``before`` where the text does not tell.

        Args:
            text: What was said.
            before: What the person spoke until now; empty when unknown.
        """
        text = text[:LOOKED_AT]
        letters = sum(map(str.isalpha, text))
        if letters < (2 if any(char > "\u2e80" for char in text) else FEWEST_LETTERS):
            return before
        if self._identifier is None and not await self._load():
            return before
        ranked = dict(self._identifier.rank(text))
        likeliest = max(ranked, key=ranked.__getitem__)
        if before and ranked.get(before, 0.0) >= ALIKE:
            return before
        return likeliest if ranked[likeliest] >= (SURE if before else SURE / 2) else before

    async def _load(self) -> bool:
        async with self._loading:
            if self._identifier is None and not self._missing:
                try:
                    self._identifier = await asyncio.to_thread(_identifier)
                except ImportError:
                    self._missing = True
                    logger.info("languages are not detected: pip install 'botkit[language]'")
        return self._identifier is not None


def _identifier() -> Any:
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_modelpath(MODEL_DIR / MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(NAMES))
    return identifier
