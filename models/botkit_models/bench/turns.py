"""How long a person waits for an answer to begin, late in a conversation and at its start."""

from __future__ import annotations

from itertools import count

from botkit_models.bench.contest import Contest
from botkit_models.bench.engine_side import EngineSide
from botkit_models.bench.measure import alternate, disturbance, median, spread
from botkit_models.bench.row import Bound, Row

LATE = Bound("most", 1.3, of="ratio", aim=1.05)
TURNS, REPLY = 20, 24
SYSTEM = "You help the passengers of a ferry company. Answer in one short sentence."
PLACES = ("harbour", "north island", "lighthouse", "south island", "ferry port")


def turn_rows(contest: Contest) -> list[Row]:
    """Time to the first token of the last turn, beside that of the first."""
    numbers = count()
    talk = Conversation(contest.engine, 0)

    def first() -> float:
        nonlocal talk
        talk = Conversation(contest.engine, next(numbers))
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
    name = f"first token of turn {TURNS}"
    return [Row(name, "ms", median(late), median(early), "turn 1", LATE, note, busy)]


class Conversation:
    """A person who asks about as much in each turn, and what was answered.

    Args:
        engine: Whom to ask.
        number: No two conversations of different numbers say the same.
    """

    def __init__(self, engine: EngineSide, number: int) -> None:
        self._engine, self.number = engine, number
        self._said = [{"role": "system", "content": SYSTEM}]

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
