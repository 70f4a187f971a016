"""What a handler receives: one turn of a conversation."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterator,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botkit.adapter import CommandHelp
from botkit.answer import Answer
from botkit.asking import Asking
from botkit.completion import Message
from botkit.completion.messages import AssistantMessage, SystemMessage, UserMessage, as_text
from botkit.draft import Draft
from botkit.memory.profile import Profile
from botkit.memory.summary import Summary
from botkit.replies import Reply
from botkit.spans import NO_SPAN, Attribute, Span
from botkit.store.types import Erase
from botkit.types import Attachment, ConversationKey, Event, Json, Sender

SendNow = Callable[[Reply], Awaitable[None]]
ShowText = Callable[[AsyncIterable[str]], Awaitable[str]]
Fetch = Callable[[Attachment], Awaitable[bytes]]


@dataclass
class Turn:
    """One turn: what to answer, and the means to.

    Fields:
        events: What to answer, oldest first; more than one only where messages of a person were
            merged.
        messages: What was said in this turn, as Chat Completions messages.
        user: Who said it: id, name, locale, time zone.
        state: Durable values of this conversation; change it in place, JSON values only.
        past: The conversation's last messages as the store has them.
        history: Those of them that the model is shown; the history middleware sets it.
        instructions: The system message; empty for none.
        commands: What commands the bot knows.
        said: The texts of replies that this turn has sent already.
        remembers: Whether what is said in this turn goes into the history.
        remembered: What this turn adds to the history.
        vision: Whether the model is shown images.
        asking: How the model is asked; middleware replaces fields of it.
        public: Whether the model's replies may be given to everybody who asks the same; a handler
            sets it before it asks.
        summary: What was said before :attr:`past`.
        profile: What is kept about the person; it is kept anew where it changed.
        stated: What the person said, to be searched for what the profile may learn. That is kept
            unless the profile was changed elsewhere meanwhile, as by a command that erases it.
        notes: The middleware's own, per conversation; change it in place, JSON values only.
        language: What the person speaks, as ``de``; empty when unknown.
        context: Notes for the model beside the instructions, as what language to answer in.
        span: The part of the turn that is under way.
    """

    events: Sequence[Event]
    messages: Sequence[UserMessage]
    user: Sender
    state: dict[str, Json]
    past: Sequence[Message]
    instructions: str
    commands: Sequence[CommandHelp]
    vision: bool
    asking: Asking = field(repr=False)
    _send: SendNow = field(repr=False)
    _show: ShowText = field(repr=False)
    _fetch: Fetch = field(repr=False)
    history: list[Message] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    remembered: list[Message] = field(default_factory=list)
    remembers: bool = True
    public: bool = False
    summary: Summary = field(default_factory=Summary)
    profile: Profile = field(default_factory=Profile)
    stated: list[str] = field(default_factory=list)
    notes: dict[str, Json] = field(default_factory=dict)
    language: str = ""
    context: list[str] = field(default_factory=list)
    span: Span = field(default=NO_SPAN, repr=False)
    _erase: Erase | None = field(default=None, repr=False)

    @property
    def event(self) -> Event:
        """The event to answer; the last one where messages were merged."""
        return self.events[-1]

    @property
    def conversation(self) -> ConversationKey:
        """Which conversation this is."""
        return self.event.conversation

    @property
    def message(self) -> UserMessage:
        """What was said last, as a Chat Completions message."""
        return self.messages[-1]

    @property
    def text(self) -> str:
        """What was said in this turn, as plain text."""
        return "\n".join(event.text for event in self.events if event.text)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files that came with it."""
        return tuple(each for event in self.events for each in event.attachments)

    async def fetch(self, attachment: Attachment) -> bytes:
        """The bytes of an attachment.

        Raises:
            DeliveryError: It cannot be had; the message is for a person.
        """
        return await self._fetch(attachment)

    async def reply(self, reply: str | Reply) -> None:
        """Say something now, before the handler has returned.

        It is sent once, even when the turn has to run again after a crash, as long as the turn's
        replies come in the same order then.

        Raises:
            StoreError: It could not be kept.
        """
        reply = Reply(reply) if isinstance(reply, str) else reply
        if reply.empty:
            return
        reply = await self.checked(reply)
        await self._send(reply)
        if not reply.ephemeral:
            self.said.append(reply.text)

    async def stream(self, pieces: AsyncIterable[str]) -> str:
        """Show text while it is written; returns it whole, for the handler to return."""
        if self.asking.checks and not isinstance(pieces, Answer):
            asking, unchecked = self.asking, pieces
            pieces = Answer(lambda shown, attempts: asking.checked(unchecked))
        return await self._show(pieces)

    async def checked(self, reply: Reply) -> Reply:
        """The reply when every check of :attr:`asking` lets it pass, else what is said instead."""
        shown = [reply.text, *(button.label for button in reply.buttons), *reply.suggestions]
        instead = await self.asking.stopped("\n".join(part for part in shown if part))
        return reply if instead is None else Reply(instead, ephemeral=reply.ephemeral)

    def ask(self, *messages: Message | str, **options: Any) -> Answer:
        """Ask the model: instructions, history, what was said in this turn, then ``messages``.

        Args:
            messages: More messages; a string is one of the user's.
            options: Fields of the request by wire name, as ``temperature`` or ``max_tokens``.

        Returns:
            Await it for the whole text, iterate it for pieces, or return it to stream.
        """
        asked: list[Message] = []
        system = "\n\n".join(part for part in (self.instructions, *self.context) if part)
        if system:
            asked.append(SystemMessage(role="system", content=system))
        asked += [*self.history, *self.messages]
        asked += [_message(message) for message in messages]
        asking, span = self.asking, self.span

        def drafts(shown: bool, attempts: int | None) -> AsyncGenerator[Draft, None]:
            return asking.drafts(asked, options, shown=shown, attempts=attempts, span=span)

        return Answer(drafts)

    def reset(self) -> None:
        """Begin the conversation anew: its messages, summary and state are erased with this turn,
        of which nothing is remembered either."""
        self.state.clear()
        self.notes.clear()
        self._erase = self._erase or "conversation"

    def forget(self) -> None:
        """Erase everything that is kept about the person, in all conversations, with this turn."""
        self.reset()
        self.profile = Profile()
        self._erase = "person"

    @property
    def erases(self) -> Erase | None:
        """What :meth:`reset` or :meth:`forget` asked for."""
        return self._erase

    @contextmanager
    def part(
        self, name: str, /, *, client: bool = False, **attributes: Attribute
    ) -> Iterator[Span]:
        """Trace a part of this turn, as ``with turn.part("look up the order"):``.

        What begins in the block is part of it; the arguments are those of
        :meth:`botkit.spans.Span.child`. They must not hold what a person said.
        """
        outer = self.span
        with outer.child(name, client=client, **attributes) as inner:
            self.span = inner
            try:
                yield inner
            finally:
                self.span = outer

    def remember(self, *messages: Message) -> None:
        """Add messages to what this turn leaves in the history."""
        self.remembered.extend(messages)

    def remember_exchange(self, replied: str = "") -> None:
        """Add what was said in this turn, by the person and by the bot, to what it leaves.

        Args:
            replied: The reply, after what :meth:`reply` has sent; empty where there is none.
        """
        self.remember(*(kept for each in self.messages if (kept := as_text(each)).content))
        text = "\n\n".join(part for part in (*self.said, replied) if part)
        if text:
            self.remember(AssistantMessage(role="assistant", content=text))


def _message(message: Message | str) -> Message:
    return UserMessage(role="user", content=message) if isinstance(message, str) else message
