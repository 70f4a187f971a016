"""Tokens to text: nothing lost, nothing doubled, every token beside the text it made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import FIXTURES

from botkit_models.engine.job import Finished, Token, Tokens
from botkit_models.local.reply import ReplyWriter
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.huggingface import read_huggingface

TOKENIZER = Tokenizer(read_huggingface(FIXTURES / "llama").tokenizer)
EOS = TOKENIZER.eos_ids[0]

texts = st.text(st.sampled_from("the in on é€🙂\n st"), max_size=25)
splits = st.lists(st.integers(1, 5), min_size=60, max_size=60)


def dispatches(ids, sizes):
    """Token ids as the engine's events, a few at a time."""
    ids, events = list(ids), []
    for size in sizes:
        if ids:
            events.append(Tokens(tuple(Token(id, -0.5) for id in ids[:size])))
            ids = ids[size:]
    return [*events, Finished("length")]


def write(ids, stops, sizes):
    writer = ReplyWriter(TOKENIZER, stops, continuing=True)
    pieces = []
    for event in dispatches(ids, sizes):
        pieces.append(writer.write(event))
        if pieces[-1].finish_reason:
            break
    return pieces, writer


@settings(deadline=None)
@given(ids=st.lists(st.integers(3, 271), max_size=60), sizes=splits)
def test_any_tokens_join_to_what_the_tokenizer_says(ids, sizes):
    pieces, writer = write(ids, (), sizes)
    assert "".join(piece.text for piece in pieces) == TOKENIZER.decode(ids, continuing=True)
    assert [token.id for piece in pieces for token in piece.tokens] == ids
    assert pieces[-1].finish_reason == "length"
    assert not any(piece.finish_reason for piece in pieces[:-1])
    assert writer.count == len(ids)
    assert writer.logprob == pytest.approx(-0.5 * len(ids))


@settings(deadline=None, max_examples=200)
@given(
    text=texts,
    sizes=splits,
    stops=st.lists(st.text("the in€🙂", min_size=1, max_size=4), max_size=4),
)
def test_stops_cut_text_and_tokens(text, sizes, stops):
    ids = TOKENIZER.encode(text)
    pieces, writer = write(ids, stops, sizes)
    shown = "".join(piece.text for piece in pieces)
    kept = [token.id for piece in pieces for token in piece.tokens]
    ends = [(place + len(stop), place) for stop in stops if (place := text.find(stop)) >= 0]
    if not ends:
        assert (shown, kept, pieces[-1].finish_reason) == (text, ids, "length")
        return
    assert shown == text[: min(ends)[1]]
    assert pieces[-1].finish_reason == "stop"
    assert writer.stopped
    assert kept == ids[: len(kept)]
    # Every kept token has a part in what is shown, and the kept ones make all of it.
    made = b"".join(map(TOKENIZER.token_bytes, kept))
    assert made.startswith(shown.encode())
    before = b"".join(map(TOKENIZER.token_bytes, kept[:-1]))
    assert len(before) < len(shown.encode()) or not kept


@settings(deadline=None)
@given(text=texts, sizes=splits)
def test_tokens_come_with_or_after_their_text(text, sizes):
    """Never is a token reported before the text that it begins is shown."""
    pieces, _ = write(TOKENIZER.encode(text), ["<never>"], sizes)
    shown = made = 0
    for piece in pieces:
        shown += len(piece.text.encode())
        for token in piece.tokens:
            assert made < shown or piece.finish_reason
            made += len(TOKENIZER.token_bytes(token.id))


def test_the_end_of_turn_token_counts_but_is_not_shown():
    ids = [*TOKENIZER.encode("on"), EOS]
    writer = ReplyWriter(TOKENIZER, ())
    first = writer.write(Tokens(tuple(Token(id, -1.0) for id in ids)))
    last = writer.write(Finished("stop"))
    assert (first.text + last.text, last.finish_reason) == ("on", "stop")
    assert [token.id for token in first.tokens + last.tokens] == ids[:-1]
    assert writer.count == len(ids)


def test_what_was_held_for_a_stop_that_never_came_is_shown_at_the_end():
    ids = TOKENIZER.encode("the in")
    pieces, _ = write(ids, [" inside"], [1] * 20)
    assert "".join(piece.text for piece in pieces) == "the in"
    assert pieces[-1].text == " in"
    assert pieces[-1].tokens
