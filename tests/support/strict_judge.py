"""A judge whose verdicts a test knows beforehand."""

from __future__ import annotations

from botkit.quality import Candidate, Verdict


class Strict:
    """Lets pass what ends like a sentence."""

    wants_logprobs = False

    async def judge(self, candidate: Candidate) -> Verdict:
        good = candidate.text.endswith(".")
        return Verdict(good, "" if good else "unfinished", "" if good else "Write a sentence.")
