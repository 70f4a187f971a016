"""How far a text that is being written is certainly written."""

from __future__ import annotations

import pytest

from botkit.sentences import whole_words


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("", ""),
        ("ass", ""),
        ("an ass", "an "),
        ("an assist ", "an assist "),
        ("an ass, but", "an ass, "),
        ("これはば", "これはば"),
        ("他是idi", "他是"),
        ("x" * 201, "x" * 201),
        ("a " + "x" * 150, "a "),
    ],
)
def test_the_last_word_waits_until_it_ends(text: str, whole: str) -> None:
    assert whole_words(text) == whole
