"""From messages to one good reply: fitted, checked, continued, judged, begun anew."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import on_stage

from botkit import defaults
from botkit.answer import Answer
from botkit.asking import UNFINISHED, Asking
from botkit.bot import Bot
from botkit.completion import ChatCompletionRequest
from botkit.completion.messages import SystemMessage, UserMessage
from botkit.completion.scripted import ScriptedCompletion
from botkit.draft import Draft
from botkit.errors import ContextLengthError, InvalidRequestError
from botkit.leaks import cleaned
from botkit.quality import Candidate, Verdict
from botkit.replies import Reply
from botkit.turn import Turn

HELLO = [UserMessage(role="user", content="hello")]


class Requests:
    """A reply function that notes the requests and says the replies in turn."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.seen: list[ChatCompletionRequest] = []

    def __call__(self, request: Any) -> Any:
        self.seen.append(request)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Only:
    """A judge that lets through what is in ``good``."""

    wants_logprobs = False

    def __init__(self, *good: str) -> None:
        self.good = good
        self.judged: list[Candidate] = []

    async def judge(self, candidate: Candidate) -> Verdict:
        self.judged.append(candidate)
        if candidate.text in self.good:
            return Verdict(True)
        return Verdict(False, "bad", "Be good.")


async def _ready() -> None:
    return None


def asking(*replies: Any, **fields: Any) -> tuple[Asking, Requests]:
    requests = Requests(*replies)
    made = Asking(ScriptedCompletion(requests), _ready, lambda model: {})
    return replace(made, **fields), requests


async def drafts(made: Asking, shown: bool = True, **options: Any) -> list[Draft]:
    return [draft async for draft in made.drafts(HELLO, options, shown=shown)]


async def test_drafts_grow_and_the_last_says_why_it_ended() -> None:
    made, _ = asking("one two.")
    found = await drafts(made)
    assert [draft.text for draft in found] == ["one", "one two.", "one two."]
    assert [draft.finish_reason for draft in found] == [None, None, "stop"]


async def test_a_sentence_that_the_limit_cut_off_is_continued_once() -> None:
    made, requests = asking("one two three", " four.")
    found = await drafts(made, max_tokens=2)
    assert found[-1].text == "one two four."
    assert f"one two{UNFINISHED}" in [draft.text for draft in found], "marked meanwhile"
    last = requests.seen[-1]
    assert (last.continue_final_message, last.messages[-1].content) == (True, "one two")


async def test_what_is_unfinished_still_is_marked() -> None:
    made, requests = asking("one two three", " three four five")
    assert (await drafts(made, max_tokens=2))[-1].text == f"one two three four{UNFINISHED}"
    assert len(requests.seen) == 2


async def test_a_continuation_that_fails_leaves_what_there_is() -> None:
    full = ContextLengthError(limit=10, prompt_tokens=10, reply_tokens=1)
    made, _ = asking("one two three", full)
    assert (await drafts(made, max_tokens=2))[-1].text == f"one two{UNFINISHED}"


async def test_a_finished_sentence_is_not_continued() -> None:
    made, requests = asking("One two. Three")
    assert (await drafts(made, max_tokens=2))[-1].text == "One two."
    assert len(requests.seen) == 1


async def test_what_a_handler_asks_for_itself_is_left_as_it_is() -> None:
    made, requests = asking("yes indeed")
    answer = Answer(lambda shown, attempts: made.drafts(HELLO, {"max_tokens": 1}, shown=shown))
    assert await answer == "yes"
    assert [piece async for piece in answer] == ["yes"]
    assert len(requests.seen) == 2


async def test_an_endpoint_that_cannot_go_on_is_asked_to_in_words() -> None:
    class Foreign(ScriptedCompletion):
        async def models(self) -> Any:
            return [each.model_copy(update={"owned_by": "acme"}) for each in await super().models()]

    requests = Requests("one two three", "two four.")
    made = Asking(Foreign(requests), _ready, lambda model: {})
    await drafts(made, max_tokens=2)
    assert requests.seen[-1].continue_final_message is None
    assert [each.role for each in requests.seen[-1].messages] == ["user", "assistant", "user"]


async def test_a_reply_that_fails_the_judge_is_begun_anew_with_an_adjusted_request() -> None:
    judge = Only("good")
    verdicts: list[str] = []
    made, requests = asking(
        "bad reply",
        "good",
        judge=judge,
        attempts=2,
        language="de",
        judged=lambda verdict: verdicts.append(verdict.reason),
    )
    found = await drafts(made, temperature=0.0)
    assert found[-1].text == "good"
    assert [draft.attempt for draft in found] == [0, 0, 0, 1, 1]
    assert verdicts == ["bad", ""]
    first, second = requests.seen
    assert (first.temperature, first.seed) == (0.0, None)
    assert second.temperature > 0.5
    assert second.seed == 1
    assert second.messages[0] == SystemMessage(role="system", content="Be good.")
    assert judge.judged[0] == Candidate(HELLO, "bad reply", "de")


async def test_after_the_last_attempt_the_fallback_is_said() -> None:
    made, requests = asking("bad", judge=Only(), attempts=3, fallback="I do not know.")
    assert (await drafts(made))[-1].text == "I do not know."
    assert len(requests.seen) == 3


async def test_an_endpoint_that_takes_no_temperature_ends_the_attempts() -> None:
    refused = InvalidRequestError("no temperature", param="temperature")
    why: list[str] = []
    made, _ = asking(
        "bad", refused, judge=Only(), attempts=3, fallback="I do not know.", gave_up=why.append
    )
    assert (await drafts(made))[-1].text == "I do not know."
    assert why == ["bad"], "whoever takes over hears of it"
    made, _ = asking(refused, judge=Only(), attempts=3)
    with pytest.raises(InvalidRequestError):
        await drafts(made)


async def test_a_judge_that_breaks_lets_the_reply_through() -> None:
    class Broken(Only):
        async def judge(self, candidate: Candidate) -> Verdict:
            raise ZeroDivisionError

    made, _ = asking("fine", judge=Broken(), attempts=2)
    assert (await drafts(made))[-1].text == "fine"


async def test_pieces_that_were_taken_are_not_taken_back() -> None:
    made, requests = asking("bad reply", judge=Only("good"), attempts=2, fallback="none")
    answer = Answer(lambda shown, attempts: made.drafts(HELLO, {}, shown=shown, attempts=attempts))
    assert "".join([piece async for piece in answer]) == "bad reply"
    assert len(requests.seen) == 1


async def test_a_check_sees_a_draft_before_anybody_and_ends_the_generation() -> None:
    async def check(text: str) -> str | None:
        return "I cannot say that." if "secret" in text else None

    made, _ = asking("the secret word is out", checks=(check,), judge=Only(), attempts=2)
    found = await drafts(made)
    assert found[-1].text == "I cannot say that."
    assert not [draft for draft in found if "secret" in draft.text]
    assert isinstance(made.completion, ScriptedCompletion)
    assert (made.completion.counts.started, made.completion.counts.cancelled) == (1, 1)


async def test_leaked_template_tokens_are_never_seen() -> None:
    made, _ = asking("Hello! <|im_end|> <|im_start|>user more")
    assert [draft.text.strip() for draft in await drafts(made)] == ["Hello!"] * 5


async def test_a_regenerated_reply_replaces_the_preview(tmp_path: Path) -> None:
    bot = Bot()
    completion = ScriptedCompletion(["no " * 40, "A good answer."])
    async with on_stage(tmp_path, bot, completion=completion) as stage:
        await stage.say("go")
        assert await stage.replies(1) == ["A good answer."]
        assert stage.adapter.shown[-2:] == ["A good answer.", "closed"]
        assert stage.counted("botkit_reply_attempts_total", reason="repeats") == 1


async def test_the_hand_off_answers_where_the_model_cannot(tmp_path: Path) -> None:
    bot = Bot()
    reasons: list[str] = []

    @bot.hand_off
    async def to_a_human(turn: Turn, reason: str) -> Reply | None:
        reasons.append(reason)
        return Reply(f"A colleague will look at “{turn.text}”.") if turn.text != "no" else None

    async with on_stage(tmp_path, bot, completion=ScriptedCompletion(["la " * 60])) as stage:
        await stage.say("help")
        assert await stage.replies(1) == ["A colleague will look at “help”."]
        await stage.say("no")
        assert (await stage.replies(2))[1] == defaults.NOTHING_SAID
    assert reasons == ["repeats", "repeats"]


async def test_an_ask_that_a_handler_copes_with_is_not_handed_off(tmp_path: Path) -> None:
    bot = Bot()

    @bot.hand_off
    async def to_a_human(turn: Turn, reason: str) -> Reply:
        return Reply("A colleague will look at it.")

    @bot.default
    async def twice(turn: Turn) -> str:
        await turn.ask("Which kind of question is it?")
        return await turn.ask()

    completion = ScriptedCompletion(["la " * 60, "la " * 60, "Here is a good answer."])
    async with on_stage(tmp_path, bot, completion=completion) as stage:
        await stage.say("help")
        assert await stage.replies(1) == ["Here is a good answer."]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Use vector <s > v; then call v.push()", "Use vector <s > v; then call v.push()"),
        ("One <|im _end|> two", "One <|im _end|> two"),
        ("One <|im_end|> two three", "One  two three"),
        ("a < b and [ c ] hold", "a < b and [ c ] hold"),
    ],
)
async def test_pieces_are_the_whole_reply(written: str, said: str) -> None:
    made, _ = asking(written)
    answer = Answer(lambda shown, attempts: made.drafts(HELLO, {}, shown=shown))
    assert "".join([piece async for piece in answer]) == said


@given(
    st.lists(st.sampled_from([*"ab <>|[]/`", "im_end", "<|im_end|>", "INST", "<s>"]), max_size=12)
)
def test_drafts_only_grow_until_the_reply_is_whole(pieces: list[str]) -> None:
    texts = ["".join(pieces[:at]) for at in range(len(pieces) + 1)]
    shown = [cleaned(text, whole=False) for text in texts]
    for before, after in pairwise(shown):
        if "`" not in "".join(pieces):
            assert after.startswith(before)
