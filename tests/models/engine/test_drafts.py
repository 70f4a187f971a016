"""Guesses: what followed before; and a table that learns, forgets and never grows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from botkit_models.engine.corpus import SURE, Corpus
from botkit_models.engine.drafts import LONGEST_MATCH, LONGEST_REST, Drafter, lookup

ids = st.integers(1, 4)


def array(tokens):
    return np.array(tokens, np.int32)


def slow_lookup(text, most):
    """The longest common end, and of those the last; letter by letter."""
    best = (0, 0)
    for end in range(1, len(text)):
        length = 0
        while length < min(end, LONGEST_MATCH) and text[end - 1 - length] == text[-1 - length]:
            length += 1
        best = max(best, (length, end))
    length, end = best
    return (length, text[end : end + most]) if length >= 2 else (0, [])


@given(text=st.lists(ids, min_size=1, max_size=60), most=st.integers(1, 8))
def test_lookup_finds_what_followed_the_longest_and_latest_match(text, most):
    assert lookup(array(text), most) == slow_lookup(text, most)


def test_a_quotation_is_guessed_to_its_end():
    quote = [11, 12, 13, 14, 15, 16, 17, 18, 19]
    drafter = Drafter(Corpus(), 7)
    assert drafter.draft(array([*quote, 99, 11, 12, 13]), 100) == [14, 15, 16, 17, 18, 19, 99]
    assert drafter.draft(array([*quote, 99, 11, 12, 13]), 2) == [14, 15]
    assert drafter.draft(array([*quote, 99, 11, 12, 13]), 0) == []


def test_bad_guesses_make_it_rest_and_good_ones_wake_it():
    text = array([1, 2, 3, 4, 9, 1, 2, 3])
    drafter = Drafter(Corpus(), 4)
    rests = []
    for _ in range(9):
        rests.append(0)
        while not (guess := drafter.draft(text, 4)):
            rests[-1] += 1
        drafter.judge(len(guess), 0)
    assert rests == [0, 1, 2, 4, 8, 16, LONGEST_REST, LONGEST_REST, LONGEST_REST]
    while not (guess := drafter.draft(text, 4)):
        pass
    drafter.judge(len(guess), 1)
    assert drafter.draft(text, 4)
    assert (drafter.drafted, drafter.accepted) == (40, 1)


def test_the_corpus_says_what_it_heard_often_enough():
    corpus = Corpus()
    reply = [5, 6, 7, 8, 9, 10]
    for _ in range(SURE):
        assert corpus.draft(array([1, 5, 6, 7]), 3) == []
        corpus.learn(reply)
    assert corpus.draft(array([1, 5, 6, 7]), 9) == [8, 9, 10]
    assert corpus.draft(array([1, 5, 6, 7]), 2) == [8, 9]
    assert corpus.draft(array([6, 7]), 9) == []


def test_the_corpus_changes_its_mind():
    corpus = Corpus()
    for _ in range(3):
        corpus.learn([5, 6, 7, 8])
    for _ in range(5):
        corpus.learn([5, 6, 7, 1])
    assert corpus.draft(array([5, 6, 7]), 1) == [1]


@given(replies=st.lists(st.lists(ids, max_size=30), max_size=20))
def test_a_crowded_corpus_only_repeats_what_was_said(replies):
    corpus = Corpus(size=4)
    heard = set()
    for reply in replies:
        corpus.learn(reply)
        heard |= {tuple(reply[place : place + 4]) for place in range(len(reply) - 3)}
    for a in range(1, 5):
        for guess in [corpus.draft(array([a, 1, 2]), 1)]:
            assert not guess or (a, 1, 2, *guess) in heard
