"""What a process makes of what others tell."""

from __future__ import annotations

import time

import pytest

from botkit.feed import FeedEntry, FeedHead
from botkit.types import ConversationKey
from botkit_adapters.web.scene import TOLD_SECONDS, Scene


def scene() -> Scene:
    return Scene(ConversationKey("web", "site", "s"))


def working(reply_to: str, text: str = "", draft: str = "d1") -> dict[str, str]:
    told = {"state": "working", "reply_to": reply_to}
    return {**told, "draft": draft, "text": text} if text else told


def entry(seq: int, key: str, **value: str) -> FeedEntry:
    return FeedEntry(seq, key, value, 0.0)


def test_a_draft_elsewhere_is_followed_and_never_shrinks() -> None:
    here = scene()
    here.heard(FeedHead(1, 1, working("a")))
    assert (here.state, here.reply_to, here.draft) == ("working", "a", None)
    for text, shown in (("one", "one"), ("one two", "one two"), ("one", "one two")):
        here.heard(FeedHead(1, 1, working("a", text)))
        assert here.draft is not None
        assert here.draft.text == shown
    here.heard(FeedHead(1, 1, working("a", "anew", "d2")))
    assert (here.draft.id, here.draft.text) == ("d2", "anew")
    here.heard(FeedHead(1, 1, {"state": "idle", "reply_to": "a"}))
    assert (here.state, here.draft) == ("idle", None)


def test_who_tells_nothing_new_works_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    here = scene()
    for beat in range(10):
        here.heard(FeedHead(1, 1, {**working("a", "one"), "beat": beat}))
        now += 2
        here.heard(FeedHead(1, 1, {**working("a", "one"), "beat": beat}))
        assert here.state == "working"
    left = FeedHead(1, 1, {**working("a", "one"), "beat": 9})
    now += TOLD_SECONDS - 2
    here.heard(left)
    assert here.state == "working"
    now += 0.5
    here.heard(left)
    assert (here.state, here.draft) == ("idle", None)
    here.heard(left)
    assert here.state == "idle"
    here.heard(FeedHead(1, 1, {**working("a", "one"), "beat": 10}))
    assert here.state == "working"


def test_what_this_process_works_on_it_knows_best() -> None:
    here = scene()
    here.began("b")
    here.heard(FeedHead(1, 2, working("a", "old")))
    assert (here.reply_to, here.draft) == ("b", None)
    draft = here.show(None, "b", "new")
    here.ended()
    # What it has told itself comes back late; so does the end of an earlier turn.
    here.heard(FeedHead(1, 2, working("b", "ne", draft.id)))
    assert here.draft is draft
    here.heard(FeedHead(1, 2, {"state": "idle", "reply_to": "a"}))
    assert here.draft is draft
    assert here.state == "working"


def test_what_waits_does_until_it_is_taken_anywhere() -> None:
    here = scene()
    for seq, key in enumerate("abc", 1):
        here.said(FeedHead(1, seq), entry(seq, key, role="user"))
    assert (here.state, here.reply_to) == ("queued", "c")
    here.heard(FeedHead(1, 3, working("b")))
    assert list(here.queued) == ["c"]
    here.answered(FeedHead(1, 4), entry(4, "m1", role="assistant", reply_to="b"))
    assert (here.state, here.reply_to) == ("queued", "c")
    here.over("c")
    assert (here.state, here.reply_to) == ("idle", "")


def test_a_look_that_was_overtaken_changes_nothing() -> None:
    here = scene()
    here.answered(FeedHead(1, 5), entry(5, "m1", role="assistant"))
    here.heard(FeedHead(1, 3))
    assert here.head == FeedHead(1, 5)
    here.heard(FeedHead(2, 0))
    assert here.head.epoch == 2


def test_what_was_added_here_is_known_without_reading() -> None:
    here = scene()
    for seq in (2, 1, 3):
        here.said(FeedHead(1, seq), entry(seq, f"k{seq}"))
    assert [each.seq for each in here.added_after(1, 0) or ()] == [1, 2, 3]
    assert here.added_after(1, 3) == []
    assert here.added_after(2, 0) is None
    here.heard(FeedHead(1, 4))
    assert here.added_after(1, 3) is None
    here.said(FeedHead(2, 1), entry(1, "new"))
    assert [each.key for each in here.added_after(2, 0) or ()] == ["new"]
    assert all(epoch == 2 for epoch, _ in here.recent)


def test_who_watches_is_woken() -> None:
    here = scene()
    with here.watched() as changed:
        changed.clear()
        here.heard(FeedHead(1, 1))
        assert changed.is_set()
        changed.clear()
        here.heard(FeedHead(1, 1))
        assert not changed.is_set()
        assert here.busy
    assert not here.busy
