"""Stop texts, whatever the pieces and however many."""

from hypothesis import example, given
from hypothesis import strategies as st

from botkit_models.local.stops import StopFinder

letters = st.text("abc", max_size=40)
stops = st.lists(st.text("abc", min_size=1, max_size=5), max_size=4)


def cut(text, stops):
    """``text`` before the stop that is complete first; of those, the one that begins first."""
    for end in range(len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)], True
    return text, False


def pieces_of(text, borders):
    places = sorted({0, len(text), *(border % (len(text) + 1) for border in borders)})
    return [text[a:b] for a, b in zip(places, places[1:], strict=False)]  # noqa: RUF007


@given(text=letters, stops=stops, borders=st.lists(st.integers(0, 100), max_size=20))
@example(text="abcd", stops=["abcd", "c"], borders=[3])
@example(text="aab", stops=["ab"], borders=[1, 2])
def test_any_pieces_give_the_text_before_the_first_stop(text, stops, borders):
    finder = StopFinder(stops)
    shown = "".join(finder.push(piece) for piece in pieces_of(text, borders)) + finder.flush()
    assert (shown, finder.stopped) == cut(text, stops)


@given(text=letters, stops=stops)
def test_only_what_may_begin_a_stop_is_held_back(text, stops):
    finder = StopFinder(stops)
    shown = ""
    for place, letter in enumerate(text, start=1):
        shown += finder.push(letter)
        if finder.stopped:
            break
        held = text[len(shown) : place]
        assert shown + held == text[:place]
        assert held == "" or any(stop.startswith(held) and stop != held for stop in stops)


def test_nothing_comes_after_a_stop():
    finder = StopFinder(["b"])
    assert finder.push("abc") == "a"
    assert finder.push("xyz") == ""
    assert finder.flush() == ""
