"""What a bot may remember about a person, where the person asked it to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from botkit.memory.facts import ABOUT_SELF, with_stated
from botkit.types import Json

ROOM = 2_000
"""Characters of facts that are kept about a person."""

HEADING = "What you know about the person you talk to, in their own words:"


@dataclass(frozen=True, slots=True)
class Profile:
    """A person's facts, in all of their conversations with the bot.

    Fields:
        on: Whether the person asked to be remembered.
        facts: In their own words, oldest first.
    """

    on: bool = False
    facts: tuple[str, ...] = ()

    def learned(self, texts: Iterable[str]) -> Profile:
        """With what the person states in ``texts``; the same when that is nothing new."""
        if not self.on:
            return self
        return replace(self, facts=with_stated(self.facts, ABOUT_SELF, texts, ROOM))

    def without(self, number: int) -> Profile:
        """Without the fact of that number, counted from 1; the same when there is none."""
        at = number - 1
        if not 0 <= at < len(self.facts):
            return self
        return replace(self, facts=self.facts[:at] + self.facts[at + 1 :])

    def __str__(self) -> str:
        """As the model is told it; empty when there is nothing to tell."""
        if not (self.on and self.facts):
            return ""
        return "\n".join([HEADING, *(f"- {fact}" for fact in self.facts)])

    def to_json(self) -> Json:
        """For the store."""
        return {"on": self.on, "facts": list(self.facts)}

    @classmethod
    def from_json(cls, value: Json | None) -> Profile:
        """What :meth:`to_json` wrote; a profile that is off of anything else."""
        if not isinstance(value, dict) or not isinstance(value.get("facts"), list):
            return cls()
        facts = tuple(fact for fact in value["facts"] if isinstance(fact, str))
        return cls(value.get("on") is True, facts)
