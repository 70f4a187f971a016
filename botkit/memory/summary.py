"""A conversation's rolling summary: what the model wrote, and facts in people's own words."""

from __future__ import annotations

from dataclasses import dataclass

from botkit.types import Json

HEADING = "Earlier in this conversation:"
FACTS_HEADING = "The person said:"


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said before the messages that the model is shown.

    Fields:
        text: Written by the model; empty when it wrote nothing of use.
        facts: What people stated about themselves, word by word, oldest first.
    """

    text: str = ""
    facts: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.text or self.facts)

    def __str__(self) -> str:
        """As the model is told it."""
        parts = [f"{HEADING} {self.text}"] if self.text else []
        if self.facts:
            parts.append("\n".join([FACTS_HEADING, *(f"- {fact}" for fact in self.facts)]))
        return "\n".join(parts)

    def to_json(self) -> Json:
        """For the store."""
        return {"text": self.text, "facts": list(self.facts)}

    @classmethod
    def from_json(cls, value: Json | None) -> Summary:
        """What :meth:`to_json` wrote; an empty summary of anything else."""
        if not isinstance(value, dict):
            return cls()
        text, facts = value.get("text"), value.get("facts")
        return cls(
            text if isinstance(text, str) else "",
            tuple(fact for fact in facts if isinstance(fact, str))
            if isinstance(facts, list)
            else (),
        )
