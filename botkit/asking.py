"""How the model is asked in a turn: from messages to drafts of one reply.

Middleware changes it by replacing fields of ``turn.asking``. What concerns a single request
(caches, budgets, spans) wraps :attr:`Asking.completion`; what concerns the reply as a whole is
here: it is fitted into the context, checked while it is written, continued where it ended in the
middle of a sentence, judged, and begun anew where the judge says so.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from botkit.completion import ChatCompletionRequest, Completion, Message, Model
from botkit.completion.closing import close
from botkit.completion.defaults import OWNER
from botkit.completion.messages import AssistantMessage, SystemMessage, UserMessage, message_text
from botkit.completion.writing import Written, writing
from botkit.draft import Draft
from botkit.errors import CompletionError, ContextLengthError, InvalidRequestError
from botkit.leaks import cleaned
from botkit.quality import Candidate, Judge, Verdict
from botkit.registry import one_word
from botkit.sentences import joined, unfinished, whole_words
from botkit.spans import NO_SPAN, Span

logger = logging.getLogger(__name__)

Check = Callable[[str], Awaitable[str | None]]
"""Is given a draft's text before anybody sees it: None, or what is said instead of the reply."""

UNFINISHED = " …"
"""Ends a reply that could not be finished."""

CONTINUE = "Continue exactly where you stopped. Do not repeat anything, do not add an introduction."


@dataclass(frozen=True)
class Asking:
    """How the model is asked.

    Fields:
        completion: Who answers.
        ready: Returns once it can.
        defaults: Request fields for a model, by wire name, as ``temperature``.
        model: The model to name; None for the first that the completion lists.
        checks: What looks at every draft.
        judge: Who says whether a reply is good enough; None takes every one.
        attempts: How often a reply is begun.
        fallback: What is said when no attempt was good enough.
        language: What the person speaks, as ``de``; empty when unknown.
        judged: Told every verdict.
        gave_up: Told why no attempt was good enough, before the fallback is said.
    """

    completion: Completion
    ready: Callable[[], Awaitable[None]]
    defaults: Callable[[Model | None], Mapping[str, Any]]
    model: str | None = None
    checks: tuple[Check, ...] = ()
    judge: Judge | None = None
    attempts: int = 1
    fallback: str = ""
    language: str = ""
    judged: Callable[[Verdict], None] | None = None
    gave_up: Callable[[str], None] | None = None

    async def drafts(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        *,
        shown: bool,
        attempts: int | None = None,
        span: Span = NO_SPAN,
    ) -> AsyncGenerator[Draft, None]:
        """The reply to ``messages`` while it is written; the last draft is the reply.

        Args:
            messages: Oldest first.
            options: Fields of the request by wire name.
            shown: A person sees it: a sentence that the limit of tokens cut off is finished, or
                marked.
            attempts: Instead of :attr:`attempts`.
            span: Whose parts the attempts are.

        Raises:
            CompletionError: A request failed.
        """
        await self.ready()
        most = self.attempts if attempts is None else attempts
        verdict = Verdict(passed=True)
        for attempt in range(most):
            adjusted, changed = _adjusted(messages, options, verdict, attempt)
            with span.child("attempt", botkit__attempt=attempt) as part:
                draft = Draft("", attempt)
                try:
                    written = self._attempt(adjusted, changed, attempt, shown, part)
                    async with aclosing(written) as drafts:
                        async for draft in drafts:
                            yield draft
                except InvalidRequestError:
                    if attempt == 0:
                        raise
                    break  # the completion does not take what was adjusted
                verdict = await self._judged(messages, draft)
                part.set(
                    botkit__passed=verdict.passed,
                    botkit__reason=one_word(verdict.reason) if verdict.reason else None,
                )
            if self.judged is not None:
                self.judged(verdict)
            if verdict.passed:
                return
        if self.gave_up is not None:
            self.gave_up(verdict.reason)
        yield Draft(self.fallback, most, "stop")

    async def checked(self, pieces: AsyncIterable[str]) -> AsyncGenerator[Draft, None]:
        """Drafts of what a handler writes; each is looked at before it is yielded."""
        text = ""
        try:
            async for piece in pieces:
                text += piece
                shown = whole_words(text)
                instead = await self.stopped(shown)
                if instead is not None:
                    yield Draft(instead, finish_reason="content_filter")
                    return
                yield Draft(shown)
            instead = await self.stopped(text)
            yield Draft(text if instead is None else instead, finish_reason="stop")
        finally:
            await close(pieces)

    async def stopped(self, text: str) -> str | None:
        """What is said instead of ``text``; None when every check lets it pass."""
        for check in self.checks:
            instead = await check(text)
            if instead is not None:
                return instead
        return None

    async def _judged(self, messages: Sequence[Message], draft: Draft) -> Verdict:
        if self.judge is None or draft.finish_reason == "content_filter":
            return Verdict(passed=True)
        candidate = Candidate(messages, draft.raw, self.language, draft.logprob)
        try:
            return await self.judge.judge(candidate)
        except Exception as error:
            logger.warning("the judge failed, the reply is taken: %s", type(error).__name__)
            return Verdict(passed=True)

    async def _attempt(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        attempt: int,
        shown: bool,
        span: Span,
    ) -> AsyncGenerator[Draft, None]:
        """One reply, checked, and finished where it is shown."""
        draft = Draft("", attempt)
        async with aclosing(self._checked(messages, options, draft, span)) as drafts:
            async for draft in drafts:
                yield draft
        if not (shown and draft.finish_reason == "length" and unfinished(draft.text)):
            return
        first = draft
        yield replace(first, text=first.text + UNFINISHED, finish_reason=None)
        more = [*messages, AssistantMessage(role="assistant", content=first.text)]
        try:
            async with aclosing(self._checked(more, options, first, span)) as drafts:
                async for draft in drafts:
                    yield draft
        except CompletionError:  # as where the context is full: what there is, is the reply
            draft = first
        if draft.finish_reason == "length" and unfinished(draft.text):
            yield replace(draft, text=draft.text.rstrip() + UNFINISHED)

    async def _checked(
        self, messages: Sequence[Message], options: Mapping[str, Any], before: Draft, span: Span
    ) -> AsyncGenerator[Draft, None]:
        """The drafts of one request; ``before`` is what the attempt holds already."""
        async with aclosing(self._fitted(messages, options, bool(before.text), span)) as states:
            async for written in states:
                raw = joined(before.text, written.text)
                text = cleaned(raw, whole=written.finish_reason is not None)
                if self.checks and written.finish_reason is None:
                    text = whole_words(text)
                instead = await self.stopped(text)
                if instead is not None:
                    yield Draft(instead, before.attempt, "content_filter")
                    return
                yield Draft(
                    text,
                    before.attempt,
                    finish_reason=written.finish_reason,
                    raw=raw,
                    logprob=written.mean_logprob,
                )

    async def _fitted(
        self, messages: Sequence[Message], options: Mapping[str, Any], continues: bool, span: Span
    ) -> AsyncGenerator[Written, None]:
        """What is written. While the messages do not fit the model's context, the oldest that are
        not instructions are left out, a half at a time."""
        kept = list(messages)
        while True:
            request = await self._request(kept, options, continues)
            try:
                async with aclosing(writing(self.completion, request.within(span))) as states:
                    async for written in states:
                        yield written
                return
            except ContextLengthError:
                shorter = without_oldest(kept, fixed=2 if continues else 1)
                if len(shorter) == len(kept):
                    raise
                kept = shorter

    async def _request(
        self, messages: list[Message], options: Mapping[str, Any], continues: bool
    ) -> ChatCompletionRequest:
        served = await self.completion.models()
        model = next((each for each in served if each.id == self.model), None)
        if model is None and self.model is None and served:
            model = served[0]
        name = model.id if model is not None else self.model or "default"
        ours = model is not None and model.owned_by == OWNER
        fields = {**self.defaults(model), **options}
        if "max_completion_tokens" in options:
            fields.pop("max_tokens", None)
        if self.judge is not None and self.judge.wants_logprobs and ours:
            fields.setdefault("logprobs", True)
        if continues and ours:
            fields["continue_final_message"] = True
        elif continues:
            messages = [*messages, UserMessage(role="user", content=CONTINUE)]
        return ChatCompletionRequest(model=name, messages=messages, stream=True, **fields)


def _adjusted(
    messages: Sequence[Message], options: Mapping[str, Any], verdict: Verdict, attempt: int
) -> tuple[Sequence[Message], Mapping[str, Any]]:
    """The request for a further attempt: warmer, another seed, and told what was wrong."""
    if attempt == 0:
        return messages, options
    changed = {**options, "seed": attempt, "temperature": 0.5 + 0.2 * min(attempt, 3)}
    return _hinted(messages, verdict.hint), changed


def _hinted(messages: Sequence[Message], hint: str) -> Sequence[Message]:
    """With the hint in the first system message: not every template takes one elsewhere."""
    if not hint:
        return messages
    first = messages[0] if messages else None
    if first is not None and first.role == "system":
        text = f"{message_text(first)}\n\n{hint}"
        return [SystemMessage(role="system", content=text), *messages[1:]]
    return [SystemMessage(role="system", content=hint), *messages]


def without_oldest(messages: Sequence[Message], *, fixed: int = 1) -> list[Message]:
    """Half of the messages before the last ``fixed``, instructions kept; the same when none can
    go."""
    earlier, last = messages[:-fixed], messages[-fixed:]
    kept = [each for each in earlier if each.role in ("system", "developer")]
    rest = [each for each in earlier if each.role not in ("system", "developer")]
    return [*kept, *rest[(len(rest) + 1) // 2 :], *last]
