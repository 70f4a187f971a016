"""The judge that costs nothing: it looks at a reply's length, circles, script and likelihood."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from botkit.language import NAMES, LanguageDetector, base
from botkit.leaks import leaks
from botkit.quality import Candidate, Verdict

_WORDS = re.compile(r"[\u2e80-\uffff]|[^\W\u2e80-\uffff]+|[^\w\s]")
"""Chinese and its neighbours write no spaces: there a character counts as a word."""

RULES = re.compile(r"^[\s\-=_*#~.|+:]+$")
"""Lines and tables are drawn with repetitions."""

LOOKED_AT = 8_000
"""Characters."""

LONGEST_PERIOD = 60
RUNS = 8
"""So often the same few characters in a row, at the end, are a circle."""

SHORTEST_RUN = 16
LONGEST_ROW = 100
"""Characters of a run without letters that still are no circle."""

FEWEST_GRAMS = 12
_CODE = re.compile(r"```[\s\S]*?(?:```|$)")

FEWEST_WORDS = 24
GRAM = 4
MOST_REPEATED = 0.45
"""The share of a reply's word 4-grams that may have been there before (Holtzman et al. 2020 find
degenerate text by repetition; people's own texts stay under a tenth)."""

LEAST_LOGPROB = -3.0
"""Nats per token: a model that is that surprised by its own words has lost the thread."""

LETTERS_TO_JUDGE = 30


@dataclass
class HeuristicJudge:
    """Refuses replies that are empty, go round in circles, leak the template, are in another
    language than the person's, or that the model itself finds unlikely.

    Fields:
        least_logprob: The mean log-probability, in nats per token, under which a reply is refused.
        detector: Who tells languages.
    """

    least_logprob: float = LEAST_LOGPROB
    detector: LanguageDetector = field(default_factory=LanguageDetector)

    @property
    def wants_logprobs(self) -> bool:
        """It looks at them where they come for nothing."""
        return True

    async def judge(self, candidate: Candidate) -> Verdict:
        """See :class:`botkit.quality.Judge`."""
        text = candidate.text.strip()
        if not text:
            return Verdict(False, "empty", "Answer the question; do not leave the answer empty.", 0)
        if leaks(text):
            return Verdict(False, "leaks", "Write only your answer, without special tokens.", 0.1)
        if repeats(text):
            return Verdict(False, "repeats", "Be brief and say nothing twice.", 0.2)
        if candidate.logprob is not None and candidate.logprob < self.least_logprob:
            return Verdict(False, "unlikely", "Answer simply and to the point.", 0.3)
        spoken = base(candidate.language)
        if spoken and await self._is_foreign(text, spoken):
            name = NAMES.get(spoken, spoken)
            return Verdict(False, "language", f"Answer in {name}.", 0.4)
        return Verdict(True)

    async def _is_foreign(self, text: str, spoken: str) -> bool:
        if "```" in text or sum(map(str.isalpha, text)) < LETTERS_TO_JUDGE:
            return False
        found = await self.detector.detect(text, spoken)
        return found != spoken


def repeats(text: str) -> bool:
    """Whether a text goes round in circles; those are at its end."""
    text = _CODE.sub(" ", text)
    if _ends_in_a_run(text):
        return True
    words = _WORDS.findall(text[-LOOKED_AT:].casefold())
    if len(words) < FEWEST_WORDS:
        return False
    found = zip(*(words[at:] for at in range(GRAM)), strict=False)
    # Of words alone: lists, markup and tables say the same between their words.
    grams = Counter(gram for gram in found if all(word.isalpha() for word in gram))
    total = sum(grams.values())
    if total < FEWEST_GRAMS:
        return False
    return total - len(grams) > MOST_REPEATED * total


def _ends_in_a_run(text: str) -> bool:
    """Whether the end is the same few characters over and over, and no line that was drawn."""
    for period in range(1, LONGEST_PERIOD + 1):
        # Digits and marks may well stand in a row: 1000000000000000000, !!!!!!!!!!!!!!!!
        shortest = SHORTEST_RUN if any(map(str.isalpha, text[-period:])) else LONGEST_ROW
        times = max(RUNS, -(-shortest // period))
        if len(text) < period * times:
            continue
        if text.endswith(text[-period:] * times) and not RULES.match(text[-period:]):
            return True
    return False
