"""What a person is told who has met a limit: why, and when to come back."""

from __future__ import annotations

from collections.abc import Mapping

from botkit.limits.scopes import Kind
from botkit.limits.waiting import in_words

TOO_FAST: Mapping[Kind, str] = {
    "user": "You are quicker than I am! Please write to me again in {wait}.",
    "conversation": "There is more going on here than I can answer. I will be back in {wait}.",
    "workspace": "Many people are asking me things right now. Please write again in {wait}.",
}
SPENT: Mapping[Kind, str] = {
    "user": "We have talked a lot today, and I have to stop here. I can answer you again in"
    " {wait}.",
    "conversation": "This conversation has used up what I may say in a day. I can go on in {wait}.",
    "workspace": "Everybody here together has used up what I may say in a day. I can go on in"
    " {wait}.",
}
TOO_LONG = "Sorry, that is too long for me. Could you say it in {characters:,} characters at most?"


def too_fast(kind: Kind, seconds: float) -> str:
    """A rate is met."""
    return TOO_FAST[kind].format(wait=in_words(seconds))


def spent(kind: Kind, seconds: float) -> str:
    """The tokens of a day are used."""
    return SPENT[kind].format(wait=in_words(seconds))


def too_long(characters: int) -> str:
    """More was said at once than is answered."""
    return TOO_LONG.format(characters=characters)
