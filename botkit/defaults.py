"""What a bot does with events for which its author wrote no handler."""

from __future__ import annotations

from botkit.answer import Answer
from botkit.replies import Reply
from botkit.turn import Turn
from botkit.types import Attachment

APOLOGY = "Sorry, something went wrong on my side and I cannot answer that. Please try again."
GREETING = "Hello! Ask me anything."
NOTHING_SAID = "Sorry, I have no answer to that."
NOT_TALKED_ABOUT = "Sorry, I would rather not talk about that. Is there something else I can do?"
NOT_SAID = "Sorry, I would rather not say that. Could you ask me in another way?"
NOBODY = "Sorry, nobody can take over at the moment."
SUGGESTION = "suggestion"
"""The id of buttons that stand for something the person may say."""

_NAMES = {"image": "images", "audio": "voice messages", "video": "videos", "file": "files"}


async def answer(turn: Turn) -> Reply | Answer | None:
    """Greet, list the commands, say kindly what cannot be read, and ask the model otherwise."""
    event = turn.event
    if event.kind == "lifecycle":
        return Reply(GREETING) if event.name == "started" else None
    if event.kind == "command":
        return _command(turn)
    if event.kind == "feedback" or (event.kind == "action" and event.name != SUGGESTION):
        return None
    note = unreadable(turn)
    if turn.text or (turn.attachments and turn.vision and not note):
        if note:
            await turn.reply(note)
        return turn.ask()
    return Reply(note) if note else None


def _command(turn: Turn) -> Reply | Answer:
    if turn.event.name == "start":
        return Reply(GREETING)
    if turn.event.name == "help" or not turn.event.text:
        return Reply(command_list(turn))
    return turn.ask()


def command_list(turn: Turn) -> str:
    """What the bot can be told to do."""
    lines = [f"/{command.name}: {command.description}" for command in turn.commands]
    return "\n".join([*lines, "Or just write to me." if lines else "Just write to me."])


def unreadable(turn: Turn) -> str:
    """A sentence about what came along and cannot be read; empty when everything can."""
    things = [event.unsupported for event in turn.events if event.unsupported]
    things += [_NAMES[kind] for kind in _unread_kinds(turn.attachments, turn.vision)]
    if not things:
        return ""
    listed = " or ".join(dict.fromkeys(things))
    return f"Sorry, I cannot read {listed} yet. Could you put it into words?"


def _unread_kinds(attachments: tuple[Attachment, ...], vision: bool) -> list[str]:
    return [each.kind for each in attachments if not (vision and each.kind == "image")]
