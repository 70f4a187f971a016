"""Memory: the conversation so far, under a token budget."""

from __future__ import annotations

from collections.abc import Sequence

from botkit.completion import Message
from botkit.completion.messages import AssistantMessage, UserMessage, message_text
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.turn import Turn

BYTES_PER_TOKEN = 3.5
"""English takes about four bytes a token, other languages and code fewer: a careful mean."""

TOKENS_PER_MESSAGE = 8
"""Role and separators, as chat templates write them."""

_NAMES = {"image_url": "[image]", "input_audio": "[audio]", "file": "[file]"}


def history(tokens: int) -> Middleware:
    """Give the turn the last messages that fit, and keep what is said in it.

    Args:
        tokens: The budget, by :func:`estimate_tokens`.
    """

    async def remember(turn: Turn, call_next: CallNext) -> Reply | None:
        turn.history = fitting(turn.past, tokens)
        reply = await call_next(turn)
        turn.remember(*(kept for each in turn.messages if (kept := as_text(each)).content))
        said = [*turn.said, *([] if reply is None or reply.ephemeral else [reply.text])]
        text = "\n\n".join(part for part in said if part)
        if text:
            turn.remember(AssistantMessage(role="assistant", content=text))
        return reply

    return remember


def as_text(message: UserMessage) -> UserMessage:
    """The message as it is kept: files are only mentioned, for their bytes weigh on every turn."""
    if isinstance(message.content, str):
        return message
    parts = [part.text if part.type == "text" else _NAMES[part.type] for part in message.content]
    return UserMessage(role="user", content="\n".join(parts))


def fitting(messages: Sequence[Message], tokens: int) -> list[Message]:
    """The longest tail of ``messages`` within the budget that begins with what a person said."""
    kept: list[Message] = []
    for message in reversed(messages):
        tokens -= estimate_tokens(message)
        if tokens < 0:
            break
        kept.append(message)
    kept.reverse()
    while kept and kept[0].role in ("assistant", "tool"):
        del kept[0]
    return kept


def estimate_tokens(message: Message) -> int:
    """About how many tokens a message takes, without a tokenizer."""
    return TOKENS_PER_MESSAGE + int(len(message_text(message).encode()) / BYTES_PER_TOKEN)
