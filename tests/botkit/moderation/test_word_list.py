"""A list of words: what it finds, what it leaves, and which lists are refused."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import pytest

from botkit.errors import MissingExtraError, SettingsError
from botkit.moderation import WordList


def listed(folder: Path, *lines: str | bytes) -> WordList:
    path = folder / "words.txt"
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines))
    return WordList(path)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("ass", "you ASS!"),
        ("ass", "asſ"),
        ("bad word", "such a bad   word."),
        ("bad word", "Bad-Word"),
        ("Straße", "STRASSE"),
        ("fußball", "der FUSSBALL"),
        ("kill", "k\u200bi\u00adl\u2060l"),
        ("kill", "ｋｉｌｌ him"),
        ("kill", "𝓀𝒾𝓁𝓁"),
        ("café", "cafe\u0301"),
        ("идиот", "ИДИОТ"),
        ("गधा", "तू गधा है"),
        ("笨蛋", "你这个笨蛋啊"),
        ("ばか", "お前はばかだ"),
        ("バカ", "ﾊﾞｶですね"),
        ("โง่", "คุณโง่มาก"),
        ("idiot", "你是idiot吗"),
        ("c++", "I like C++."),
        ("f*ck", "what the F*CK"),
        ("don't", "I don’t"),
        ("/free +money/", "FREE   money now"),
        ("/^spam/", "spam and more"),
        ("/\\d{4}-\\d{4}/", "1234-5678"),
        ("/\\pL{30}/", "ü" * 30),
    ],
)
async def test_what_is_listed_is_found(tmp_path: Path, entry: str, text: str) -> None:
    verdict = await listed(tmp_path, "# mine", "", entry).check(text, "input")
    assert verdict is not None
    assert verdict.reason == "line 3"
    assert text not in repr(verdict)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("ass", "assistant, class, pass it on, bypass"),
        ("bad word", "a bad sword; bad, good word"),
        ("गधा", "गधे"),
        ("هل", "أهلا"),
        ("f*ck", "f ck"),
        ("c++", "abc++"),
        ("笨蛋", "笨的蛋"),
        ("/free money/", "freemoney"),
        ("output: hello", "hello"),
    ],
)
async def test_what_only_holds_it_passes(tmp_path: Path, entry: str, text: str) -> None:
    assert await listed(tmp_path, entry).check(text, "input") is None


async def test_an_entry_may_count_in_one_direction_only(tmp_path: Path) -> None:
    words = listed(tmp_path, "\ufeffinput: spell", "OUTPUT : /sec?ret/", "both")
    for text, input_line, output_line in [
        ("spell", "line 1", None),
        ("secret", None, "line 2"),
        ("both", "line 3", "line 3"),
    ]:
        for direction, line in (("input", input_line), ("output", output_line)):
            verdict = await words.check(text, direction)  # type: ignore[arg-type]
            assert (verdict.reason if verdict else None) == line


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["ok", "/(/"], "line 2: the regular expression is refused: missing )"),
        ([r"/(a)\1/"], "line 1: the regular expression is refused"),
        (["/(?=a)b/"], "line 1: the regular expression is refused"),
        (["/a{1001}/"], "line 1: the regular expression is refused"),
        (["/((a{500}){500}){500}/"], "line 1: the regular expression is refused"),
        (["/a*/"], "matches the empty text"),
        (["/x|/"], "matches the empty text"),
        ([r"/\b/"], "matches the empty text"),
        (["/$/"], "matches the empty text"),
        (["//"], "between two slashes"),
        (["/open"], "between two slashes"),
        (["x" * 1001], "line 1: it is longer than 1000 characters"),
        (["x"] * 20_001, "more than 20000 lines"),
        (["a\0b"], "line 1: it holds a NUL character"),
        (["fine", b"\xff\xfe"], "line 2: this is not UTF-8"),
        ([""], "holds no entry"),
        (["# only a comment", "  "], "holds no entry"),
        (["input:"], "line 1: there is nothing in it"),
        (["\u200b\u00ad"], "line 1: there is nothing in it"),
    ],
)
def test_a_list_that_is_wrong_is_refused(
    tmp_path: Path, lines: list[str | bytes], problem: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        listed(tmp_path, *lines)
    assert problem in str(refused.value)
    assert "words.txt" in str(refused.value)
    assert "BOTKIT_MODERATION_FILE" in str(refused.value)


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        WordList(tmp_path / "missing.txt")
    with pytest.raises(SettingsError, match="it is no file"):
        WordList(tmp_path)


async def test_words_need_no_extra_and_expressions_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    assert await listed(tmp_path, "word").check("word", "input") is not None
    with pytest.raises(MissingExtraError, match=r"botkit\[moderation\]"):
        listed(tmp_path, "/regex/")


async def test_many_expressions_are_looked_for_together(tmp_path: Path) -> None:
    words = listed(tmp_path, *(rf"/foo{number}\s+bar/" for number in range(2_000)), r"/\Qa)|(b\E/")
    assert (await words.check("FOO1234 bar", "input")).reason == "line 1235"  # type: ignore[union-attr]
    assert (await words.check("a)|(b", "input")).reason == "line 2001"  # type: ignore[union-attr]
    assert await words.check("foo bar", "input") is None


def _lists(folder: Path) -> dict[str, tuple[WordList, str]]:
    chosen = random.Random(1)
    latin = ["".join(chosen.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(4_500)]
    phrases = [" ".join(chosen.sample(latin, 3)) for _ in range(500)]
    han = ["".join(chr(chosen.randrange(0x4E00, 0x9FA5)) for _ in range(3)) for _ in range(5_000)]
    prose = "".join(chosen.choices("etaoin shrdlu", k=8_000))
    chinese = "".join(chr(chosen.randrange(0x4E00, 0x9FA5)) for _ in range(8_000))
    return {
        "latin": (listed(folder, *latin, *phrases), prose),
        "han": (listed(folder, *han), chinese),
        "literal": (listed(folder, *latin, "c++"), prose),
    }


async def test_a_long_list_is_quick(tmp_path: Path) -> None:
    for name, (words, text) in _lists(tmp_path).items():
        for length, most in ((500, 0.0002), (8_000, 0.002)):
            best = min([await _seconds(words, text[:length]) for _ in range(9)])
            print(f"{name} {length}: {best * 1e3:.3f} ms")
            assert best < 3 * most, name  # the machine may be busy; on an idle one it is below most


async def _seconds(words: WordList, text: str) -> float:
    began = time.process_time()
    for _ in range(5):
        assert await words.check(text, "output") is None
    return (time.process_time() - began) / 5


async def test_a_hostile_text_takes_no_longer(tmp_path: Path) -> None:
    words = listed(
        tmp_path,
        *(" ".join(["a"] * length) for length in range(2, 60)),
        "b! " * 60 + "c!",
        "/(x+x+)+y/",
    )
    for text in ("a" * 40_000, "b! " * 13_000, "x" * 40_000, "\u0301" * 40_000):
        began = time.process_time()
        await words.check(text, "input")
        assert time.process_time() - began < 0.5
