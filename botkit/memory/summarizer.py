"""Folding the oldest turns of a conversation into its summary, beside the turns.

The completion writes the summary; nobody waits for it. Each is written on top of the version of
the memory that it was made of: where another process was faster, or something was erased
meanwhile, it is dropped. A summary that is garbled is dropped too, and the old one stays.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from botkit.asking import Asking
from botkit.completion import Message
from botkit.completion.counting import TokenCounts
from botkit.completion.messages import SystemMessage, UserMessage, message_text
from botkit.draft import Draft, last
from botkit.errors import BotkitError
from botkit.judge import HeuristicJudge
from botkit.leaks import leaks
from botkit.memory.facts import with_stated
from botkit.memory.summary import Summary
from botkit.quality import Candidate
from botkit.store import Store, Unsummarized
from botkit.types import ConversationKey

logger = logging.getLogger(__name__)

FOLD_ABOVE = 0.6
"""Of the budget: more than that in messages, and the oldest are folded."""

FOLD_DOWN_TO = 0.3
"""Of the budget: so much in messages is left as it is."""

SUMMARY_SHARE = 0.3
"""Of the budget: what a summary may take."""

FACTS_SHARE = 0.5
"""Of the summary: what facts in people's own words may take."""

CHARACTERS_PER_TOKEN = 3
SOURCE_WORDS = 0.3
"""The share of a summary's longer words that its source must hold, or it is made up."""

ATTEMPTS = 2
AT_ONCE = 1
"""Summaries that a process writes at the same time: people come first."""

INSTRUCTIONS = "You sum up conversations, briefly and truthfully."
_WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True, slots=True)
class Fold:
    """What is to be folded: the messages up to and with the id ``up_to``."""

    up_to: int
    messages: tuple[Message, ...]


Within = Callable[[Asking, ConversationKey], Asking]


class Summarizer:
    """Writes summaries in the background.

    Fields:
        within: How the model is asked for a conversation; budgets set it.

    Args:
        store: Where conversations are; only while turns run.
        asking: How the model is asked.
        counts: How many tokens messages take.
        budget: Tokens of history that the model is shown.
        count: Told how each one ended: ``written``, ``garbled``, ``outdated`` or ``failed``.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        asking: Asking,
        counts: TokenCounts,
        budget: int,
        count: Callable[[str], None],
    ) -> None:
        self._store = store
        self._asking = replace(asking, judge=None, attempts=1, checks=())
        self._counts = counts
        self._budget = budget
        self._count = count
        self._judge = HeuristicJudge()
        self.within: Within = lambda asking, conversation: asking
        self._tasks: dict[ConversationKey, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def consider(self, conversation: ConversationKey, messages: Sequence[Message]) -> None:
        """Sum it up where ``messages``, those that are not in its summary, are too many."""
        if self._counts.messages(messages) > FOLD_ABOVE * self._budget:
            self.schedule(conversation)

    def schedule(self, conversation: ConversationKey) -> None:
        """Sum up a conversation soon; once at a time."""
        if conversation not in self._tasks:
            task = asyncio.create_task(self._guarded(conversation))
            self._tasks[conversation] = task
            task.add_done_callback(lambda _: self._tasks.pop(conversation, None))

    async def idle(self) -> None:
        """Return when nothing is being summed up."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def aclose(self) -> None:
        """Stop. What was not kept is done anew after another turn."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(self, conversation: ConversationKey) -> None:
        try:
            async with self._room:
                outcome = await self.summarize(conversation)
        except BotkitError as error:
            outcome = "failed"
            logger.warning("a conversation was not summed up: %s", type(error).__name__)
        except Exception:
            outcome = "failed"
            logger.exception("summing up a conversation failed")
        if outcome:
            self._count(outcome)

    async def summarize(self, conversation: ConversationKey) -> str:
        """Fold what is too much; how that ended, empty when there was nothing to fold.

        Raises:
            CompletionError, StoreError: The model or the store is away.
        """
        found = await self._store().unsummarized(conversation)
        fold = None if found is None else self.fold(found)
        if found is None or fold is None:
            return ""
        old = Summary.from_json(found.summary)
        asking = self.within(self._asking, conversation)
        text = await self._write(asking, old, fold.messages)
        if not text and not self._would_be_cut(found):
            return "garbled"  # the old one stays, and the messages are shown as they are
        facts = self._facts(old, fold.messages)
        new = Summary(text or old.text, facts)
        kept_new = await self._store().summarize(found, up_to=fold.up_to, summary=new.to_json())
        if not kept_new:
            return "outdated"
        return "written" if text else "garbled"

    def fold(self, found: Unsummarized) -> Fold | None:
        """The oldest messages, as many as leave what may stay; what stays begins with what a
        person said. None where nothing is too much."""
        left = self._counts.messages(message for _, message in found.messages)
        if left <= FOLD_ABOVE * self._budget:
            return None
        cut = 0
        for at, (_, message) in enumerate(found.messages):
            if left <= FOLD_DOWN_TO * self._budget and message.role == "user":
                break
            left -= self._counts.message(message)
            cut = at + 1
        folded = found.messages[:cut]
        return Fold(folded[-1][0], tuple(message for _, message in folded)) if folded else None

    def _would_be_cut(self, found: Unsummarized) -> bool:
        """Whether the messages are more than the model is shown, so that some would be lost."""
        shown = (1 - SUMMARY_SHARE) * self._budget
        return self._counts.messages(message for _, message in found.messages) > shown

    async def _write(self, asking: Asking, old: Summary, messages: Sequence[Message]) -> str:
        """The model's summary; empty when every attempt is garbled."""
        source = _source(old, messages)
        limit = max(32, int(self._budget * SUMMARY_SHARE * (1 - FACTS_SHARE)))
        for attempt in range(ATTEMPTS):
            options = {"max_tokens": limit, **({"seed": 1, "temperature": 0.5} if attempt else {})}
            drafts = asking.drafts(_prompt(source, limit), options, shown=False)
            text = _whole_sentences(await last(drafts))
            if text and not await self._garbled(text, source):
                return text
        return ""

    async def _garbled(self, text: str, source: str) -> bool:
        if leaks(text) or not (await self._judge.judge(Candidate((), text))).passed:
            return True
        words = set(_WORD.findall(text.casefold()))
        known = set(_WORD.findall(source.casefold()))
        return bool(words) and len(words & known) < SOURCE_WORDS * len(words)

    def _facts(self, old: Summary, messages: Sequence[Message]) -> tuple[str, ...]:
        said = [message_text(message) for message in messages if message.role == "user"]
        room = int(self._budget * SUMMARY_SHARE * FACTS_SHARE * CHARACTERS_PER_TOKEN)
        return with_stated(old.facts, 3, said, room, cost=3)


def _source(old: Summary, messages: Sequence[Message]) -> str:
    said = [
        f"{'User' if message.role == 'user' else 'Assistant'}: {message_text(message)}"
        for message in messages
    ]
    before = [f"Summary so far: {old.text}"] if old.text else []
    return "\n".join([*before, *said])


def _prompt(source: str, limit: int) -> list[Message]:
    words = limit // 2
    ask = (
        f"{source}\n\nSum up this conversation in at most {words} words. Keep names, numbers,"
        " dates, decisions and what the user said about themselves. Write only the summary."
    )
    return [
        SystemMessage(role="system", content=INSTRUCTIONS),
        UserMessage(role="user", content=ask),
    ]


def _whole_sentences(draft: Draft) -> str:
    """The text, up to the last full stop where the limit of tokens cut it off."""
    text = " ".join(draft.text.split())
    if draft.finish_reason != "length":
        return text
    end = max(text.rfind(mark) for mark in ".!?。！？")
    return text[: end + 1]
