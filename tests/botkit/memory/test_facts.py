"""Facts in people's own words, in many languages, and which of them are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.memory.facts import Fact, kept, stated
from botkit.memory.profile import ROOM, Profile
from botkit.memory.summary import Summary


@pytest.mark.parametrize(
    "said",
    [
        "My name is Ada.",
        "I'm allergic to nuts",
        "Ich heiße Ada und wohne in Lissabon.",
        "Je m'appelle Inès.",
        "Me llamo José.",
        "Meu nome é João.",
        "Mi chiamo Ada.",
        "Ik woon in Gent.",
        "Nazywam się Ada.",
        "Меня зовут Ада.",
        "Benim adım Ada.",
        "我叫小明。",
        "私の名前はアダです。",
        "제 이름은 에이다입니다.",
        "اسمي أدا.",
        "मेरा नाम आदा है।",
    ],
)
def test_what_people_say_about_themselves_is_a_fact(said: str) -> None:
    assert [fact.text for fact in stated([f"{said}"])] == [said]


@pytest.mark.parametrize(
    "said",
    [
        "What is my name?",
        "wo ist meine Bestellung?",
        "我叫什么？",
        "/memory my name is Ada",
        "The sky is blue.",
        "ok",
        "",
        "my " * 200,
    ],
)
def test_questions_commands_and_stories_are_none(said: str) -> None:
    assert stated([said]) == []


def test_sentences_are_taken_apart_and_each_is_kept_once() -> None:
    facts = stated(["Hello! My name is Ada. What is yours?", "my name is ada. I like tea"])
    assert [fact.text for fact in facts] == ["My name is Ada.", "I like tea"]
    assert facts[0].weight > facts[1].weight, "names weigh more"


FACTS = st.lists(st.builds(Fact, st.text(min_size=1, max_size=60), st.integers(0, 3)), max_size=30)


@given(FACTS, st.integers(0, 500))
def test_what_is_kept_fits_in_order_and_the_weightiest_first(facts: list[Fact], room: int) -> None:
    found = kept(facts, room, cost=3)
    assert sum(len(fact.text) + 3 for fact in found) <= room
    places = iter(facts)
    assert all(fact in places for fact in found), "in their old order"
    if found and len(found) < len(facts):
        heaviest = max(fact.weight for fact in facts)
        assert any(fact.weight == heaviest for fact in found)


@given(st.lists(st.text(max_size=300), max_size=40))
def test_a_profile_never_outgrows_its_room_and_learns_nothing_twice(texts: list[str]) -> None:
    profile = Profile(on=True).learned(texts)
    assert sum(map(len, profile.facts)) <= ROOM
    assert Profile.from_json(profile.to_json()) == profile
    assert Profile().learned(texts) == Profile(), "nothing where nobody asked for it"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(JSON | st.fixed_dictionaries({"text": JSON, "facts": JSON, "on": JSON}))
def test_damaged_json_is_read_as_nothing_or_less(value: object) -> None:
    assert isinstance(str(Summary.from_json(value)), str)
    assert isinstance(str(Profile.from_json(value)), str)
