"""The person's language: noted from turn to turn, and told to the model."""

from __future__ import annotations

from dataclasses import replace

from botkit.language import NAMES, LanguageDetector, base
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.turn import Turn

NOTE = "language"
"""Where the notes hold it."""


def language(detector: LanguageDetector) -> Middleware:
    """Set ``turn.language`` and have the model answer in it.

    What was said counts first, then what the person spoke before, then the platform's locale. A
    model that has no instructions answers English in English by itself.
    """

    async def speak(turn: Turn, call_next: CallNext) -> Reply | None:
        before = turn.notes.get(NOTE) or base(turn.user.locale)
        turn.language = await detector.detect(_own_words(turn), before)
        if turn.language:
            if turn.event.kind == "message" and turn.language != before:
                turn.notes[NOTE] = turn.language
            turn.asking = replace(turn.asking, language=turn.language)
        if turn.language and (turn.language != "en" or turn.instructions):
            name = NAMES.get(turn.language, turn.language)
            turn.context.append(f"The person writes in {name}: answer in {name}.")
        return await call_next(turn)

    return speak


def _own_words(turn: Turn) -> str:
    """What the person wrote; a command or a button says nothing about that."""
    return "\n".join(event.text for event in turn.events if event.kind == "message")
