"""Facts that a person stated about themselves, in their own words.

A model that sums up a conversation may leave out what matters most. So sentences in which somebody
says something about themselves are found without it, by the words that such sentences begin with
in the languages listed here, and by what names and numbers look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 200
"""Characters of a sentence that may be a fact; longer ones are stories."""

_SENTENCES = re.compile(r"(?<=[.!?。！？؟।])\s*|\n+")
_QUESTION = re.compile(r"[?？؟]\s*$")

_SELF = re.compile(
    r"\b(?:my|i'm|i am|i live|i work|i was|i have|i've|i like|i love|i prefer|i need|i use|call me"
    r"|mein|meine|meinen|ich bin|ich heiße|ich heisse|ich wohne|ich lebe|ich arbeite|ich habe"
    r"|ich mag|ich brauche|mon|ma|mes|je suis|je m'appelle|j'habite|j'ai|j'aime|je travaille"
    r"|mi|mis|me llamo|soy|vivo|tengo|trabajo|necesito|prefiero|meu|minha|eu sou|me chamo"
    r"|chamo-me|moro|tenho|trabalho|preciso|mi chiamo|sono|abito|lavoro|il mio|la mia"
    r"|mijn|ik ben|ik heet|ik woon|ik heb|ik werk|nazywam się|jestem|mieszkam|mam|mój|moja"
    r"|меня зовут|я|мой|моя|моё|мои|мене звати|мій|benim|adım|ben|jag är|jag heter|jag bor|min"
    r"|jmenuji se|jsem|bydlím|můj|nume|mă numesc|sunt|locuiesc)(?!\w)",
    re.IGNORECASE,
)
_SELF_UNSPACED = re.compile(
    r"我叫|我是|我的|我住|我在|我有|私は|私の|僕は|僕の|と申します|제 이름|저는|나는|저의"
    r"|اسمي|أنا|मेरा|मेरी|मैं"
)
_NAMED = re.compile(r"(?<=\s)[A-ZÀ-ÞА-Я]\w+|\d")

ABOUT_SELF = 2
"""The least weight of a sentence that is worth keeping for long."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence, as it was said, and how much it seems to matter."""

    text: str
    weight: int


def stated(texts: Iterable[str]) -> list[Fact]:
    """The facts in what a person said, in order, each once."""
    found: dict[str, Fact] = {}
    for text in texts:
        for sentence in _SENTENCES.split(text):
            fact = _fact(sentence.strip())
            if fact is not None:
                found.setdefault(fact.text.casefold(), fact)
    return list(found.values())


def _fact(sentence: str) -> Fact | None:
    if not 4 <= len(sentence) <= LONGEST or sentence.startswith("/") or _QUESTION.search(sentence):
        return None
    about_self = bool(_SELF.search(sentence) or _SELF_UNSPACED.search(sentence))
    weight = ABOUT_SELF * about_self + bool(_NAMED.search(sentence))
    return Fact(sentence, weight) if about_self else None


def kept(facts: Iterable[Fact], room: int, cost: int = 1) -> list[Fact]:
    """Those that fit into ``room`` characters, the weightiest and then the latest first in line; in
    their old order.

    Args:
        facts: In the order in which they were said.
        room: Characters.
        cost: Characters that each takes besides its text.
    """
    listed = list(facts)
    order = sorted(range(len(listed)), key=lambda at: (-listed[at].weight, -at))
    chosen: list[int] = []
    for at in order:
        room -= len(listed[at].text) + cost
        if room < 0:
            break
        chosen.append(at)
    return [listed[at] for at in sorted(chosen)]


def with_stated(
    known: Iterable[str], weight: int, said: Iterable[str], room: int, cost: int = 1
) -> tuple[str, ...]:
    """The facts that are known and those that are new in what was said; see :func:`kept`.

    Args:
        known: In the order in which they were said.
        weight: What each of them weighs.
        said: What a person said since.
        room, cost: As for :func:`kept`.
    """
    old = [Fact(text, weight) for text in known]
    seen = {fact.text.casefold() for fact in old}
    new = [fact for fact in stated(said) if fact.text.casefold() not in seen]
    return tuple(fact.text for fact in kept([*old, *new], room, cost))
