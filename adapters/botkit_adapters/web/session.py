"""Who visits: one conversation, and the one person in it."""

from __future__ import annotations

from dataclasses import dataclass

from botkit.types import ConversationKey, Sender

PLATFORM = "web"
SPACE = "site"


def conversation_of(session: str) -> ConversationKey:
    """The conversation of the session of that id."""
    return ConversationKey(PLATFORM, SPACE, session)


@dataclass(frozen=True, slots=True)
class Session:
    """One visitor's.

    Fields:
        id: Names the conversation.
        sender: The visitor's id: ``v_`` and chance, or ``u_`` and whom the site named.
        identified: The site has said who it is.
        name: How the site calls the visitor; empty when it did not say.
        locale, timezone: As the browser has them; empty when unknown.
    """

    id: str
    sender: str
    identified: bool = False
    name: str = ""
    locale: str = ""
    timezone: str = ""

    @property
    def conversation(self) -> ConversationKey:
        """What orders its turns."""
        return conversation_of(self.id)

    def person(self, locale: str = "") -> Sender:
        """Who speaks, with the locale of the moment."""
        return Sender(self.sender, self.name, locale or self.locale, self.timezone)
