"""How long a person waits for an answer to begin, late in a conversation and at its start."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from botkit_models.bench.contest import Contest
from botkit_models.bench.engine_side import EngineSide
from botkit_models.bench.measure import alternate, disturbance, median, spread
from botkit_models.bench.row import Bound, Row

LATE = Bound("most", 1.3, of="ratio", aim=1.05)
TURNS, REPLY = 20, 24
SYSTEM = "You help the passengers of a ferry company. Answer in one short sentence."
PROFILE = (
    "Passenger {number:03d} speaks English, travels on foot, lives near the old harbour, likes to "
    "sit outside, has a yearly ticket for the northern line and asked last week about timetables."
)
PLACES = ("harbour", "north island", "lighthouse", "south island", "ferry port")


def turn_rows(contest: Contest) -> list[Row]:
    """Time to the first token of the last turn, beside that of the first.

    Once where each conversation has a system prompt of its own, with what is known of the person,
    and once where others have had the same, so that the first turn does not read it.
    """
    numbers = count()
    return [
        _row(contest, numbers, PROFILE, "a system prompt of its own"),
        _row(contest, numbers, "", "a system prompt that others had"),
    ]


def _row(contest: Contest, numbers: Iterator[int], profile: str, about: str) -> Row:
    talk = Conversation(contest.engine, 0)

    def first() -> float:
        nonlocal talk
        talk = Conversation(contest.engine, next(numbers), profile)
        return talk.turn() * 1000

    def last() -> float:
        for _ in range(TURNS - 2):
            talk.turn()
        return talk.turn() * 1000

    turns = alternate([first, last], contest.repeats)
    early, late = zip(*(turn.figures for turn in turns), strict=True)
    busy = max(turn.others for turn in turns)
    note = (
        f"turn {TURNS} {spread(late)}, turn 1 {spread(early)}; asked as chats, each with all that "
        f"was said before, in the end {talk.tokens} tokens; new text equally long in each turn"
        f"{disturbance(busy)}"
    )
    name = f"first token of turn {TURNS}, {about}"
    return Row(name, "ms", median(late), median(early), "turn 1", LATE, note, busy)


class Conversation:
    """A person who asks about as much in each turn, and what was answered.

    Args:
        engine: Whom to ask.
        number: No two conversations of different numbers say the same.
        profile: What the system prompt says of the person, by number.
    """

    def __init__(self, engine: EngineSide, number: int, profile: str = "") -> None:
        self._engine, self.number = engine, number
        system = " ".join([SYSTEM, profile.format(number=number)]).strip()
        self._said = [{"role": "system", "content": system}]

    @property
    def tokens(self) -> int:
        """Length of all that has been said."""
        return sum(len(self._engine.tokenizer.encode(one["content"])) for one in self._said)

    def turn(self) -> float:
        """Seconds from a question to the first token of its answer."""
        self._said.append({"role": "user", "content": self._question()})
        seconds, reply = self._engine.answer(self._said, REPLY)
        self._said.append({"role": "assistant", "content": reply})
        return seconds

    def _question(self) -> str:
        """Equally many tokens each time: the tokenizer takes digits one by one."""
        turn, place = len(self._said) // 2, PLACES[len(self._said) // 2 % len(PLACES)]
        return (
            f"When does ferry {self.number:03d}{turn:02d} leave for the {place} tomorrow morning, "
            "and may I bring my bicycle and my dog with me on board?"
        )
