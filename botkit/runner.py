"""Running one turn: from what the store gives to what it gets back."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botkit import defaults
from botkit.adapter import Adapter, CommandHelp, Outgoing, Preview, Stoppable
from botkit.asking import Asking
from botkit.completion.messages import ImagePart, ImageUrl, TextPart, UserMessage
from botkit.deliverer import Deliverer
from botkit.errors import DeliveryError, HandlerError, LeaseLostError
from botkit.handler import Handler, UsageError
from botkit.holding import Holding
from botkit.memory.profile import Profile
from botkit.memory.summary import Summary
from botkit.persistence import keep, to_its_end
from botkit.pipeline import Middleware, fold
from botkit.replies import Reply
from botkit.routing import Router
from botkit.shown import Shown
from botkit.spans import NO_SPAN, Span
from botkit.stopping import StoppedError, unless_stopped
from botkit.store import (
    DeliveryResult,
    Feedback,
    QueuedEvent,
    Sent,
    Store,
    TurnInput,
    TurnOutput,
)
from botkit.turn import Turn
from botkit.types import Attachment, Event, Json, Sender

logger = logging.getLogger(__name__)

RECORD_SECONDS = 60.0
"""For which a turn waits to record what it has sent, while the store is away."""


@dataclass(frozen=True)
class Runner:
    """Everything that is the same for every turn.

    Fields:
        store, adapters, deliverer: Where turns come from and replies go.
        router, middleware: Who answers.
        asking: How to ask the model.
        instructions: The system message.
        vision: Whether the model is shown images.
    """

    store: Store
    adapters: Callable[[str], Adapter]
    deliverer: Deliverer
    router: Router
    middleware: Sequence[Middleware]
    asking: Asking
    instructions: str
    vision: bool

    @property
    def commands(self) -> tuple[CommandHelp, ...]:
        """The commands of the bot's handlers."""
        return self.router.commands

    def begin(self, holding: Holding, given: TurnInput) -> RunningTurn:
        """The turn that answers the events of ``given``."""
        return RunningTurn(self, holding, given)


class RunningTurn:
    """One turn under way.

    Fields:
        given: What it started from.
    """

    def __init__(self, runner: Runner, holding: Holding, given: TurnInput) -> None:
        self.given = given
        self._runner = runner
        self._lease = holding.lease
        self._holds = holding.holds
        self._head: QueuedEvent = given.events[0]
        self._event: Event = given.events[-1].event
        self._adapter = runner.adapters(self._event.conversation.platform)
        self._saved: Json | None = self._head.preview
        self._ordinal = 0
        self._held_up = False
        self._stopped = False
        self._shows = False
        self._span = NO_SPAN
        self._state_before = _dumped(given.state)
        self._notes_before = _dumped(given.notes)
        self._profile_before = Profile.from_json(given.profile)

    async def run(self, span: Span = NO_SPAN) -> TurnOutput:
        """Answer the events; whatever a handler raises passes through. What is done is part of
        ``span``."""
        self._span = span
        turn = await self._turn()
        reply = await self._unless_stopped(turn, fold(self._runner.middleware, self._answer)(turn))
        return self._output(turn, reply)

    def apology(self) -> TurnOutput:
        """What to send when the turn is given up; where nobody waits for an answer, only what
        takes a preview away."""
        silent = self._head.event.kind in ("feedback", "lifecycle")
        reply = Reply() if silent else Reply(defaults.APOLOGY)
        return TurnOutput(payloads=self._payloads(reply))

    async def _turn(self) -> Turn:
        """What the handler gets."""
        runner = self._runner
        events = [queued.event for queued in self.given.events]
        return Turn(
            events=events,
            messages=[await self._message(event) for event in events],
            user=await self._user(),
            state=dict(self.given.state),
            past=self.given.history,
            summary=Summary.from_json(self.given.summary),
            profile=self._profile_before,
            notes=dict(self.given.notes),
            instructions=runner.instructions,
            commands=runner.commands,
            vision=runner.vision,
            asking=runner.asking,
            _send=self._send,
            _show=self._show,
            _fetch=self._fetch,
            span=self._span,
        )

    async def _unless_stopped(self, turn: Turn, answering: Awaitable[Reply | None]) -> Reply | None:
        """The reply; none where the person wants no more before any of it is written. From then on
        :class:`Shown` knows what is to be the reply."""
        preview = self._preview()
        if not isinstance(preview, Stoppable):
            return await answering
        try:
            return await unless_stopped(preview, answering, lambda: not self._shows)
        except StoppedError:
            self._stopped = True
            await preview.close()
            if turn.remembers and not turn.remembered:  # the middleware that does was cut off
                turn.remember_exchange()
            return None

    async def _answer(self, turn: Turn) -> Reply | None:
        """The innermost of the pipeline: find the handler, call it, show what it streams."""
        found = self._runner.router.find(turn.event)
        with turn.part(f"handler {found[0].name if found else 'default'}"):
            return await self._handled(turn, found)

    async def _handled(
        self, turn: Turn, found: tuple[Handler, dict[str, str]] | None
    ) -> Reply | None:
        if found is None:
            returned: Any = await defaults.answer(turn)
        else:
            handler, texts = found
            try:
                returned = handler.call(turn, texts)
            except UsageError as error:
                return Reply(f"{error} Usage: {handler.usage(turn.event.name)}")
            if not hasattr(returned, "__aiter__"):
                returned = await returned
        reply = await self._as_reply(turn, returned)
        return None if reply is None else await turn.checked(reply)

    async def _as_reply(self, turn: Turn, returned: Any) -> Reply | None:
        if hasattr(returned, "__aiter__"):
            text = await turn.stream(returned)
            returned = text if text or self._stopped else defaults.NOTHING_SAID
        if returned is None or isinstance(returned, Reply):
            return returned
        if isinstance(returned, str):
            return Reply(returned)
        raise HandlerError(
            f"a handler returned {type(returned).__name__}; it may return a str, a Reply, an "
            "asynchronous iterator of str, or None"
        )

    def _payloads(self, reply: Reply) -> tuple[Json, ...]:
        if reply.empty and self._saved is None:
            return ()
        return tuple(self._adapter.render(reply, self._event, saved=self._saved))

    def _output(self, turn: Turn, reply: Reply | None) -> TurnOutput:
        """What the turn leaves in the store."""
        erases = turn.erases
        try:
            state_changed = erases or _dumped(turn.state) != self._state_before
            notes_changed = erases or _dumped(turn.notes) != self._notes_before
        except (TypeError, ValueError):
            raise HandlerError("turn.state may hold JSON values only, with text as keys") from None
        feedback = tuple(
            Feedback(event.message_id, event.sender.id, event.value, event.text)
            for event in turn.events
            if event.kind == "feedback"
        )
        profile, profile_was = self._profile(turn)
        return TurnOutput(
            messages=() if erases else tuple(turn.remembered),
            state=dict(turn.state) if state_changed else None,
            payloads=self._payloads(reply or Reply()),
            feedback=() if erases else feedback,
            notes=dict(turn.notes) if notes_changed else None,
            profile=profile,
            profile_was=profile_was,
            erase=erases,
        )

    def _profile(self, turn: Turn) -> tuple[Json | None, Json | None]:
        """What to keep about the person, and what must still be kept for that."""
        profile = turn.profile.learned(turn.stated)
        if profile == self._profile_before or turn.erases == "person":
            return None, None
        commanded = turn.profile != self._profile_before
        return profile.to_json(), None if commanded else self.given.profile

    async def _user(self) -> Sender:
        try:
            return await self._adapter.profile(self._event)
        except DeliveryError:
            return self._event.sender

    async def _message(self, event: Event) -> UserMessage:
        text = _spoken(event)
        images = [each for each in event.attachments if each.kind == "image"]
        if not (self._runner.vision and images):
            return UserMessage(role="user", content=text)
        parts: list[Any] = [TextPart(type="text", text=text)] if text else []
        for image in images:
            data = base64.b64encode(await self._fetch(image)).decode()
            url = f"data:{image.media_type or 'image/jpeg'};base64,{data}"
            parts.append(ImagePart(type="image_url", image_url=ImageUrl(url=url)))
        return UserMessage(role="user", content=parts)

    async def _fetch(self, attachment: Attachment) -> bytes:
        return await self._adapter.fetch(self._event, attachment)

    async def _send(self, reply: Reply) -> None:
        """Send an interim reply: kept first, so that it is sent once."""
        payloads = self._adapter.render(reply, self._event)
        unsent = await self._runner.store.enqueue(
            self._lease, self._head, self._ordinal, list(payloads)
        )
        self._ordinal += 1
        for outgoing in unsent:
            # Cut off in the middle, it would be sent again when the turn is taken anew.
            await to_its_end(self._send_piece(outgoing))

    async def _send_piece(self, outgoing: Outgoing) -> None:
        deliverer = self._runner.deliverer
        result: DeliveryResult | None = None
        if self._held_up:
            result = deliverer.put_off(outgoing, "an earlier message waits")
        else:
            result = await deliverer.prepare(self._adapter, outgoing)
            if result is None and not self._holds():
                raise LeaseLostError("the process froze for longer than its lease")
            if result is None:
                result = await deliverer.send(self._adapter, outgoing, self._span.child)
            self._held_up = not isinstance(result, Sent)
        await keep(lambda: self._runner.store.record(self._lease, result), RECORD_SECONDS)

    async def _show(self, pieces: AsyncIterable[str]) -> str:
        """Collect the text while the platform shows it; closes ``pieces`` on the way out."""
        self._shows = True
        shown = Shown(self._preview())
        await shown.write(pieces)
        self._stopped |= shown.stopped
        return shown.text

    def _preview(self) -> Preview | None:
        if not self._adapter.capabilities.streams:
            return None
        return self._adapter.preview(
            self._event, saved=self._saved, save=self._save, holds=self._holds
        )

    async def _save(self, saved: Json) -> None:
        self._saved = saved
        await self._runner.store.save_preview(self._lease, self._head, saved)


def _dumped(values: Mapping[str, Json]) -> str:
    return json.dumps(dict(values), sort_keys=True)


def _spoken(event: Event) -> str:
    """What the event says, as the model and the history have it."""
    if event.kind == "command":
        return f"/{event.name} {event.text}".rstrip()
    if event.kind == "action":
        return event.value or event.name
    if event.kind == "feedback":
        return ""  # said about the conversation, not in it
    return event.text or (f"[{event.unsupported}]" if event.unsupported else "")
