"""What was said so far in a chat on the terminal."""

from __future__ import annotations

from dataclasses import dataclass, field

from botkit.completion import Message
from botkit.completion.messages import AssistantMessage, SystemMessage, UserMessage


@dataclass
class Conversation:
    """Messages in order, the system message apart.

    Fields:
        system: Instructions that stay when the rest is forgotten, or None.
        exchanges: What the user said, and the answer (None while there is none yet).
    """

    system: str | None = None
    exchanges: list[tuple[str, str | None]] = field(default_factory=list)

    def ask(self, text: str) -> None:
        """The user says ``text``."""
        self.exchanges.append((text, None))

    def answer(self, text: str) -> None:
        """The model answered the last question; an empty answer takes the question back."""
        question, _ = self.exchanges.pop()
        if text:
            self.exchanges.append((question, text))

    def take_back(self) -> str | None:
        """Remove the last exchange and return its question; None when there is none."""
        return self.exchanges.pop()[0] if self.exchanges else None

    def forget_oldest(self) -> bool:
        """Drop the oldest exchange, never the last one; False when only that is left."""
        if len(self.exchanges) < 2:
            return False
        del self.exchanges[0]
        return True

    def reset(self) -> None:
        """Forget everything but the system message."""
        self.exchanges.clear()

    def messages(self) -> list[Message]:
        """The conversation as Chat Completions messages."""
        said: list[Message] = []
        if self.system:
            said.append(SystemMessage(role="system", content=self.system))
        for question, answer in self.exchanges:
            said.append(UserMessage(role="user", content=question))
            if answer is not None:
                said.append(AssistantMessage(role="assistant", content=answer))
        return said
