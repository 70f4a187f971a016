"""Leases, room and order when things overlap, freeze, fail and stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from stage import StageAdapter, event, on_stage
from waiting import until

from botkit.adapter import Capabilities, Outgoing, Receipt
from botkit.bot import Bot
from botkit.errors import DeliveryDelayedError, StoreError
from botkit.holding import Moment
from botkit.replies import Reply
from botkit.turn import Turn
from botkit.types import Json


def echo() -> Bot:
    """Says what it hears."""
    bot = Bot()

    @bot.default
    async def repeat(turn: Turn) -> str:
        return turn.text

    return bot


@pytest.mark.parametrize("overlap", ["merge", "interrupt"])
@pytest.mark.parametrize("kind", ["command", "action", "feedback"])
async def test_a_message_with_something_else_behind_it_is_answered(
    tmp_path: Path, overlap: str, kind: str
) -> None:
    bot = Bot()

    @bot.default
    async def slow(turn: Turn) -> str:
        await asyncio.sleep(1.5)
        return f"heard {turn.text}"

    async with on_stage(tmp_path, bot, overlap=overlap, merge_window=0.2) as stage:
        await stage.hear(event("one"), event("x", kind=kind, name="help", value="positive"))
        await stage.replies(1)
        await stage.idle()
        assert "heard one" in stage.adapter.said()


async def test_a_process_leaves_other_platforms_alone(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    other = StageAdapter("other")
    async with on_stage(
        tmp_path, echo(), database=database, adapter=other, lease_seconds=1
    ) as stranger:
        accepted = await stranger.application.store.accept([event("hello")])
        assert accepted.new == 1
        await asyncio.sleep(1.5)
        assert other.deliveries == 0
        async with on_stage(tmp_path, echo(), database=database) as stage:
            assert await stage.replies(1) == ["hello"]
            assert (await stage.application.store.stats()).dead == 0


@dataclass
class SlowPace(StageAdapter):
    """Its pace takes as long as ``gate`` is shut."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    pacing: asyncio.Event = field(default_factory=asyncio.Event)

    async def pace(self, outgoing: Outgoing) -> None:
        self.pacing.set()
        await self.gate.wait()


async def test_who_froze_while_pacing_does_not_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    frozen = SlowPace()
    async with on_stage(
        tmp_path, echo(), database=database, adapter=frozen, lease_seconds=1, drain_seconds=1
    ) as first:
        worker = first.application._worker
        assert worker is not None
        worker._loops[0].cancel()  # its clock stands still: nothing is renewed
        worker._loops[1].cancel()
        await first.say("hello")
        await frozen.pacing.wait()
        async with on_stage(tmp_path, echo(), database=database) as second:
            assert await second.replies(1) == ["hello"]
            await second.idle()
        frozen.gate.set()
        await first.idle()
        assert frozen.sent == []


async def test_a_payload_that_waited_for_its_pace_was_not_tried(tmp_path: Path) -> None:
    slow = SlowPace()
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    settings = {"database": database, "send_policy": "at_most_once"}
    async with on_stage(tmp_path, echo(), adapter=slow, drain_seconds=1, **settings) as first:
        await first.say("hello")
        await slow.pacing.wait()
    async with on_stage(tmp_path, echo(), **settings) as second:
        assert await second.replies(1) == ["hello"]
        assert (await second.application.store.stats()).dead == 0


@dataclass
class BusyPace(StageAdapter):
    """Says ``refusals`` times that it takes longer than is worth waiting for."""

    refusals: int = 30

    async def pace(self, outgoing: Outgoing) -> None:
        if self.refusals:
            self.refusals -= 1
            raise DeliveryDelayedError("busy", 0.01)


async def test_waiting_for_the_pace_costs_no_attempt(tmp_path: Path) -> None:
    async with on_stage(tmp_path, echo(), adapter=BusyPace(), delivery_attempts=1) as stage:
        await stage.say("hello")
        assert await stage.replies(1) == ["hello"]


async def test_a_flood_lets_others_in_between(tmp_path: Path) -> None:
    async with on_stage(tmp_path, echo(), concurrent_turns=1) as stage:
        await stage.hear(*(event(f"flood {number}", "c1") for number in range(20)))
        await stage.say("quiet", "c2")
        await stage.replies(1, "c2")
        assert len(stage.adapter.said("c1")) < 10
        await stage.idle()
        assert stage.adapter.said("c1") == [f"flood {number}" for number in range(20)]


async def test_no_burst_takes_more_room_than_there_is(tmp_path: Path) -> None:
    bot = Bot()
    running, most = 0, 0

    @bot.default
    async def answer() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return "done"

    async with on_stage(tmp_path, bot, concurrent_turns=4) as stage:
        await asyncio.gather(*(stage.say("hello", f"c{number}") for number in range(60)))
        await stage.idle(60)
        assert most <= 4
        assert len(stage.adapter.sent) == 60


async def test_an_interim_reply_under_way_is_not_cut_off(tmp_path: Path) -> None:
    bot = Bot()

    @bot.default
    async def answer(turn: Turn) -> str:
        await turn.reply("working on it")
        return f"done with {turn.text}"

    @dataclass
    class Slow(StageAdapter):
        sending: asyncio.Event = field(default_factory=asyncio.Event)

        async def deliver(self, outgoing: Outgoing) -> Receipt:
            self.sending.set()
            await asyncio.sleep(0.3)
            return await super().deliver(outgoing)

    slow = Slow()
    async with on_stage(tmp_path, bot, adapter=slow, overlap="interrupt") as stage:
        await stage.say("one")
        await slow.sending.wait()
        await stage.say("two")
        await stage.idle()
        assert slow.said() == ["working on it", "done with one\ntwo"]


async def test_a_turn_that_takes_too_long_has_ended_before_it_is_tried_again(
    tmp_path: Path,
) -> None:
    bot = Bot()
    running = 0
    overlaps: list[int] = []

    @bot.default
    async def answer() -> str:
        nonlocal running
        running += 1
        overlaps.append(running)
        try:
            await asyncio.sleep(60 if len(overlaps) == 1 else 0)
        finally:
            await asyncio.sleep(0.2)
            running -= 1
        return "done"

    async with on_stage(tmp_path, bot, turn_timeout=0.3) as stage:
        await stage.say("hello")
        assert await stage.replies(1) == ["done"]
        assert overlaps == [1, 1]


@dataclass
class Removing(StageAdapter):
    """Notes which preview a payload replaces or removes."""

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        self.shown.append(f"{outgoing.payload['text'].strip()} <- {outgoing.payload['saved']}")
        return await super().deliver(outgoing)

    def render(self, reply, event, *, saved: Json | None = None):  # type: ignore[no-untyped-def]
        return [{**each, "saved": saved} for each in super().render(reply, event, saved=saved)]

    def preview(self, event, *, saved, save, holds):  # type: ignore[no-untyped-def]
        class Saves:
            async def update(self, text: str) -> None:
                await save({"ts": "p1"})

            async def close(self) -> None:
                assert holds()

        return Saves()


@pytest.mark.parametrize(
    ("ending", "left"),
    [
        ("error", "Sorry, something went wrong on my side and I cannot answer that. "),
        ("nothing", ""),
        ("ephemeral", "for you"),
    ],
)
async def test_a_preview_never_stays_beside_the_end_of_its_turn(
    tmp_path: Path, ending: str, left: str
) -> None:
    bot = Bot()

    async def pieces() -> AsyncIterator[str]:
        yield "some text"

    @bot.default
    async def answer(turn: Turn) -> Reply | None:
        await turn.stream(pieces())
        if ending == "error":
            raise RuntimeError("broken")
        return Reply("for you", ephemeral=True) if ending == "ephemeral" else None

    adapter = Removing()
    async with on_stage(tmp_path, bot, adapter=adapter, turn_attempts=1) as stage:
        await stage.say("hello")
        await stage.replies(1)
        await stage.idle()
        (said,) = adapter.shown
        assert said.startswith(left.strip())
        assert said.endswith("<- {'ts': 'p1'}")


async def test_an_outage_longer_than_the_lease_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = StageAdapter(capabilities=Capabilities())
    async with on_stage(tmp_path, echo(), adapter=adapter, lease_seconds=1) as stage:
        store = stage.application.store
        run = store._driver.run
        away = True

        async def failing(script, *, reads=False):  # type: ignore[no-untyped-def]
            if away and adapter.deliveries:
                raise StoreError("away")
            return await run(script, reads=reads)

        monkeypatch.setattr(store._driver, "run", failing)
        await stage.hear(*(event("hello", f"c{number}") for number in range(10)))
        await until(lambda: adapter.deliveries == 10)
        await asyncio.sleep(2)
        away = False
        await stage.idle()
        assert len(adapter.sent) == 10


async def test_what_cannot_be_read_holds_nobody_up(tmp_path: Path) -> None:
    async with on_stage(tmp_path, echo()) as stage:
        worker = stage.application._worker
        assert worker is not None
        with worker.reserving(worker.room):  # nobody takes it at once
            await stage.hear(event("one"), event("two"))
        store = stage.application.store

        def spoil():  # type: ignore[no-untyped-def]
            from botkit.store.statement import Statement

            yield Statement(
                'UPDATE botkit_inbox SET event = \'{"kind": "message"}\''
                " WHERE id = (SELECT MIN(id) FROM botkit_inbox)"
            )

        await store._driver.run(spoil)
        worker.wake()
        await until(lambda: bool(stage.adapter.sent))
        await stage.idle()
        assert stage.adapter.said() == ["two"]
        (letter,) = await store.dead_letters()
        assert letter.reason == "cannot be read"


async def test_a_drain_ends_in_time_though_store_and_handler_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Bot()
    entered = asyncio.Event()

    @bot.command("wait")
    async def wait() -> str:
        entered.set()
        await asyncio.sleep(60)
        return "never"

    async with on_stage(tmp_path, bot, drain_seconds=0) as stage:
        await stage.hear(event("", kind="command", name="wait"))
        await entered.wait()
        store = stage.application.store
        run = store._driver.run

        async def hangs(script, *, reads=False):  # type: ignore[no-untyped-def]
            await asyncio.sleep(60)

        monkeypatch.setattr(store._driver, "run", hangs)
        began = time.monotonic()
        await stage.application.drain(4)
        assert time.monotonic() - began < 5
        monkeypatch.setattr(store._driver, "run", run)


def test_a_moment_ages_by_either_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment(time.monotonic(), time.time() - 5)
    assert moment.age >= 5
    moment = Moment(time.monotonic() - 7, time.time())
    assert moment.age >= 7
