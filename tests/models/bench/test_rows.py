"""What the rows are made of, apart from time."""

from __future__ import annotations

import dataclasses

import pytest

from botkit_models.bench import memory
from botkit_models.bench.memory import CHARS, long_text, watch
from botkit_models.bench.process import Memory
from botkit_models.bench.quoting import question, quoted_share
from botkit_models.bench.support import ARTICLES


@pytest.mark.parametrize(
    ("reply", "share"),
    [
        ([], 0.0),
        ([2, 3, 4], 0.0),  # too short to be a quotation
        ([2, 3, 4, 5], 1.0),
        ([9, 2, 3, 4, 5, 6, 9, 9], 5 / 8),
        ([5, 4, 3, 2], 0.0),
        ([1, 2, 3, 4, 9, 1, 2, 3, 4], 8 / 9),
    ],
)
def test_what_is_quoted_is_counted_in_runs(reply: list[int], share: float) -> None:
    assert quoted_share([1, 2, 3, 4, 5, 6, 7], reply) == pytest.approx(share)


def test_an_answer_is_begun_with_the_title_of_the_page() -> None:
    asked, begun = question("Opening hours. We open at nine. We close at five.")
    assert asked.role == "user"
    assert str(asked.content).endswith("\n\nOpening hours. We open at nine. We close at five.")
    assert begun.role == "assistant"
    assert begun.content == 'Our help page says: "Opening hours.'


def test_help_pages_have_a_title_and_no_line_breaks() -> None:
    for article in ARTICLES:
        title, _, rest = article.partition(". ")
        assert len(title) < 40 < len(rest)
        assert "\n" not in article
        assert "  " not in article


def test_long_texts_have_no_beginning_in_common() -> None:
    texts = [long_text(number) for number in range(12)]
    assert {len(text) for text in texts} == {CHARS}
    assert len({text[:16] for text in texts}) == 12


def test_a_process_is_watched_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([Memory(3.0), Memory(9.0, 4.0, 5.0), Memory(5.0)])
    done = iter([False, False, True])
    monkeypatch.setattr(memory, "memory_of", lambda pid: next(seen))
    monkeypatch.setattr(memory, "POLL_SECONDS", 0)
    most = watch(1, lambda: next(done))
    assert most == Memory(9.0, 4.0, 5.0)
    assert most.split == "4 mapped from files, 5 anonymous; "
    assert dataclasses.replace(most, file=None).split == ""
