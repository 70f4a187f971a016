"""``/reset``, ``/forget``, ``/memory``: what is remembered is the person's to see and erase."""

from __future__ import annotations

from dataclasses import replace

from botkit.bot import Bot
from botkit.memory.profile import Profile
from botkit.replies import Reply
from botkit.turn import Turn

RESET = "Done: this conversation begins anew."
NOTHING_HERE = (
    "Nothing was said in this conversation yet. To begin anew in a thread, mention me there with"
    " /reset."
)
FORGOTTEN = "Done: everything that was kept about you is erased."
ON = (
    "From now on I remember what you tell me about yourself, in all our conversations. /memory"
    " shows it, /memory off stops it and erases it."
)
OFF = "I do not remember you from one conversation to another any more, and have erased what I did."
NOTHING = "I remember nothing about you yet."
HOW_TO_FORGET = "`/memory forget 2` erases one line, `/memory off` all of it."
NOT_HERE = "Others read along here. Write /memory to me alone, and I show you what I remember."
HOW_ON = "I do not remember you from one conversation to another. `/memory on` lets me."
USAGE = (
    "`/memory` shows what I remember; `/memory on`, `/memory off` and `/memory forget 2` change it."
)


def register(bot: Bot) -> None:
    """The entry point ``memory`` of the group ``botkit.handlers``."""
    bot.command("reset", description="Begin the conversation anew")(reset)
    bot.command("forget", description="Erase everything that is kept about you")(forget)
    bot.command("memory", description="Show or change what is remembered about you")(memory)


async def reset(turn: Turn) -> Reply:
    """Begin the conversation anew."""
    nothing = not (turn.past or turn.state) and turn.summary.empty
    turn.reset()
    return Reply(NOTHING_HERE if nothing else RESET)


async def forget(turn: Turn) -> Reply:
    """Erase everything that is kept about the person."""
    turn.forget()
    return Reply(FORGOTTEN, ephemeral=not turn.event.direct)


async def memory(turn: Turn, what: str = "") -> Reply:
    """Show or change what is remembered about the person; shown where nobody else reads it."""
    turn.remembers = False
    word, _, number = what.strip().lower().partition(" ")
    if word == "on":
        turn.profile = replace(turn.profile, on=True)
        text = ON
    elif word == "off":
        turn.profile = Profile()
        text = OFF
    elif word == "forget" and number.strip().isdecimal():
        turn.profile = turn.profile.without(int(number))
        text = _shown(turn)
    else:
        text = USAGE if word else _shown(turn)
    return Reply(text, ephemeral=not turn.event.direct)


def _shown(turn: Turn) -> str:
    profile = turn.profile
    if not turn.event.direct:
        return NOT_HERE
    if not profile.on:
        about_person = HOW_ON
    elif not profile.facts:
        about_person = NOTHING
    else:
        lines = [f"{number}. {fact}" for number, fact in enumerate(profile.facts, 1)]
        about_person = "\n".join(["What I remember about you:", *lines, "", HOW_TO_FORGET])
    if turn.summary.empty:
        return about_person
    return f"{about_person}\n\n{turn.summary}"
