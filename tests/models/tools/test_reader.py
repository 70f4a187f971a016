"""Replies taken apart: any split gives the same, and no marker is ever shown."""

import itertools
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from botkit_models.tools.parts import Arguments, CallClosed, CallOpened, Said, Thought
from botkit_models.tools.reader import ReplyReader
from botkit_models.tools.syntax import HERMES, LLAMA3

READERS = {
    "plain": {},
    "hermes": {"syntax": HERMES},
    "hermes-thinks": {"syntax": HERMES, "thinks": True},
    "hermes-opened": {"syntax": HERMES, "opened": True},
    "hermes-named": {"syntax": HERMES, "names": ["f", "g"]},
    "hermes-formed": {"syntax": HERMES, "names": ["f", "g"], "formed": True},
    "llama": {"syntax": LLAMA3},
    "llama-named": {"syntax": LLAMA3, "names": ["f", "g"]},
    "llama-formed": {"syntax": LLAMA3, "names": ["f", "g"], "formed": True},
    "thinks": {"thinks": True},
}
FRAGMENTS = [
    *("<tool_call>", "</tool_call>", "<think>", "</think>", "<|python_tag|>", "<tool_", "</"),
    *('{"name": "f", "arguments": ', '{"name":"g","parameters":', '{"arguments": {}, "name": "h"}'),
    *(
        "{",
        "}",
        "[",
        "]",
        '"',
        "\\",
        ",",
        ":",
        " ",
        "\n",
        "\n\n",
        "a",
        "<",
        "null",
        "1.5",
        "\\u00e9",
    ),
    *('"}', '{"a": "}"}', '{"a": {"b": [1, "\\""]}}', "é🙂", "; ", "text", "name"),
]
replies = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)


def read(text, cuts, kind, cut=False):
    """The reply in canonical form: what of each kind, in order, neighbours joined."""
    reader = ReplyReader(**READERS[kind])
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    parts = []
    for start, end in itertools.pairwise(places):
        parts += reader.read(text[start:end])
    return joined([*parts, *reader.end(cut=cut)])


def joined(parts):
    found = []
    for part in parts:
        kind = type(part)
        text = getattr(part, "text", getattr(part, "name", ""))
        if found and kind in (Said, Thought, Arguments) and found[-1][0] is kind:
            found[-1] = (kind, found[-1][1] + text)
        else:
            found.append((kind, text))
    return found


def said(parts):
    return "".join(text for kind, text in parts if kind is Said)


@pytest.mark.parametrize("kind", READERS)
@settings(deadline=None, max_examples=200)
@given(text=replies, cuts=st.lists(st.integers(0, 400), max_size=30), cut=st.booleans())
@example('<tool_call>{"name": "f", "arguments": </tool_call>', [41], False)
@example('<tool_call>{"name": "a</tool_call>b", "arguments": {}}', [30], False)
@example('{"name": "g", "parameters": {}, "a": "}"}', [28], False)
@example('{"name": "\\u0067", "parameters": {}}', [13], False)
def test_any_split_gives_the_same(kind, text, cuts, cut):
    whole = read(text, [], kind, cut)
    assert read(text, cuts, kind, cut) == whole
    assert read(text, range(len(text)), kind, cut) == whole


@settings(deadline=None, max_examples=150)
@given(text=replies, cuts=st.lists(st.integers(0, 400), max_size=30))
def test_without_calls_and_thoughts_a_reply_is_its_text(text, cuts):
    assert said(read(text, cuts, "plain")) == text


@pytest.mark.parametrize("kind", READERS)
@settings(deadline=None, max_examples=200)
@given(text=replies)
def test_places_are_where_the_text_stood(kind, text):
    reader = ReplyReader(**READERS[kind])
    parts = [part for character in text for part in reader.read(character)]
    for part in [*parts, *reader.end()]:
        if isinstance(part, Said | Thought):
            assert text[part.start : part.start + len(part.text)] == part.text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(FRAGMENTS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
calls = st.tuples(
    st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True),
    st.dictionaries(st.text(max_size=6) | st.sampled_from(FRAGMENTS), values, max_size=4),
)
texts = st.lists(st.sampled_from(["hello", " ", "\n", "{", "}", "<", "é🙂", '"']), max_size=6).map(
    "".join
)


@settings(deadline=None, max_examples=150)
@given(
    text=texts,
    made=st.lists(calls, min_size=1, max_size=3),
    thought=st.none() | texts,
    ascii=st.booleans(),
    cuts=st.lists(st.integers(0, 2000), max_size=40),
)
def test_what_hermes_models_write_is_read_back(text, made, thought, ascii, cuts):
    written = []
    for name, arguments in made:
        body = json.dumps(arguments, ensure_ascii=ascii)
        written.append(HERMES.call(name, body))
    reply = "\n".join([*([text] if text else []), *written])
    expected = [(Said, text.rstrip())] if text.strip() else []
    if thought is not None:
        reply = f"<think>\n{thought}\n</think>\n\n{reply}"
        thoughts = [(Thought, thought.strip())] if thought.strip() else []
        expected = [*thoughts, *([(Said, text.strip())] if text.strip() else [])]
    for name, arguments in made:
        body = json.dumps(arguments, ensure_ascii=ascii)
        expected += [(CallOpened, name), (Arguments, body), (CallClosed, "")]
    assert read(reply, cuts, "hermes-thinks") == expected


@settings(deadline=None, max_examples=100)
@given(call=calls, tag=st.booleans(), cuts=st.lists(st.integers(0, 2000), max_size=40))
def test_what_llama_writes_is_read_back(call, tag, cuts):
    name, arguments = call
    body = json.dumps(arguments, ensure_ascii=False)
    reply = ("<|python_tag|>" if tag else "") + LLAMA3.call(name, arguments)
    expected = [(CallOpened, name), (Arguments, body), (CallClosed, "")]
    assert read(reply, cuts, "llama") == expected


@settings(deadline=None, max_examples=100)
@given(call=calls, size=st.integers(0, 300))
def test_a_call_that_is_cut_leaks_nothing_into_the_text(call, size):
    name, arguments = call
    whole = HERMES.call(name, arguments)
    parts = read("Well.\n" + whole[: size % (len(whole) + 1)], [], "hermes", cut=True)
    assert said(parts) in ("Well.", "Well.\n")
    written = "".join(text for kind, text in parts if kind is Arguments)
    assert json.dumps(arguments, ensure_ascii=False).startswith(written)


@pytest.mark.parametrize(
    ("kind", "reply", "expected"),
    [
        ("hermes", "", []),
        ("hermes", "just text ", [(Said, "just text ")]),
        ("hermes", "a < b and <tool", [(Said, "a < b and <tool")]),
        ("hermes", '<tool_call>\n{"name": "f", "arg', []),
        ("hermes", "<tool_call>", []),
        ("hermes", "<tool_call> is a marker", [(Said, " is a marker")]),
        (
            "hermes",
            '<tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call>',
            [(CallOpened, "f"), (Arguments, '{"a": 1}'), (CallClosed, "")],
        ),
        (
            "hermes",
            '<tool_call>{"name": "f", "arguments": {}, "id": "1"}</tool_call> bye',
            [(CallOpened, "f"), (Arguments, "{}"), (CallClosed, ""), (Said, "bye")],
        ),
        (
            "hermes",
            '<tool_call>{"name": "f", "arguments": {}}\n<tool_call>{"name": "g", "arguments": [',
            [
                (CallOpened, "f"),
                (Arguments, "{}"),
                (CallClosed, ""),
                (CallOpened, "g"),
                (Arguments, "["),
            ],
        ),
        ("hermes", "<tool_call>nonsense</tool_call>", [(Said, "nonsense")]),
        ("llama", '{"a": 1}', [(Said, '{"a": 1}')]),
        ("llama-named", '{"name": "Bob", "age": 3}', [(Said, '{"name": "Bob", "age": 3}')]),
        (
            "llama-named",
            ' {"name": "Bob", "parameters": {}}',
            [(Said, ' {"name": "Bob", "parameters": {}}')],
        ),
        (
            "llama-named",
            '{"name": "f", "parameters": {"a": 1}}',
            [(CallOpened, "f"), (Arguments, '{"a": 1}'), (CallClosed, "")],
        ),
        (
            "llama-named",
            '{"name": "f", "parameters": {"a": 1}, "id": "1"}',
            [(CallOpened, "f"), (Arguments, '{"a": 1}'), (CallClosed, "")],
        ),
        ("llama-formed", '{"name": "Bob", "age": 3}', [(Said, '{"name": "Bob", "age": 3}')]),
        ("llama-formed", '{"name": "f", "age": 3}', [(Said, '{"name": "f", "age": 3}')]),
        ("llama-formed", '{"name": "f"}', [(Said, '{"name": "f"}')]),
        (
            "llama-formed",
            '<|python_tag|>{"name": "f", "parameters": {"a": 1}}',
            [(CallOpened, "f"), (Arguments, '{"a": 1}'), (CallClosed, "")],
        ),
        (
            "hermes-named",
            'So:\n<tool_call>{"name": "Bob", "arguments": {}}</tool_call> bye',
            [(Said, 'So:{"name": "Bob", "arguments": {}}bye')],
        ),
        (
            "hermes-named",
            '<tool_call>{"name": "Bob", "arguments": {}}',
            [(Said, '{"name": "Bob", "arguments": {}}')],
        ),
        (
            "hermes-named",
            '<tool_call>{"arguments": {}, "name": "Bob"}</tool_call>',
            [(Said, '{"arguments": {}, "name": "Bob"}')],
        ),
        (
            "hermes-formed",
            '{"a": "write <tool_call> first"}',
            [(Said, '{"a": "write <tool_call> first"}')],
        ),
        (
            "hermes-formed",
            '"<tool_call>{"name": "f", "arguments": {}}</tool_call>"',
            [(Said, '"<tool_call>{"name": "f", "arguments": {}}</tool_call>"')],
        ),
        (
            "hermes-formed",
            '\n<tool_call>{"name": "f", "arguments": {}}</tool_call>\n'
            '<tool_call>{"name": "g", "arguments": []}</tool_call>\nbye <tool_call>',
            [
                (CallOpened, "f"),
                (Arguments, "{}"),
                (CallClosed, ""),
                (CallOpened, "g"),
                (Arguments, "[]"),
                (CallClosed, ""),
                (Said, "bye <tool_call>"),
            ],
        ),
        ("llama", "  hello {", [(Said, "  hello {")]),
        ("hermes-thinks", "  <think>\n\n</think>\n\nyes", [(Said, "yes")]),
        ("hermes-thinks", "  no thought", [(Said, "  no thought")]),
        ("hermes-thinks", "<think>cut off </thi", [(Thought, "cut off </thi")]),
        (
            "hermes-thinks",
            "<think>a</think>b<think>c</think>",
            [(Thought, "a"), (Said, "b<think>c</think>")],
        ),
        ("hermes-opened", "\nhm\n</think>\n\nyes", [(Thought, "hm"), (Said, "yes")]),
        ("hermes-opened", "hm</think> \n", [(Thought, "hm")]),
        ("hermes", "<think>a</think>", [(Said, "<think>a</think>")]),
    ],
)
def test_odd_replies(kind, reply, expected):
    assert read(reply, [], kind) == expected
    assert read(reply, range(len(reply)), kind) == expected


def test_a_marker_that_is_cut_is_no_text_of_a_form():
    assert read("<tool_c", [], "hermes-formed", cut=True) == []


def test_a_form_is_not_kept_waiting_once_it_can_be_no_call():
    reader = ReplyReader(**READERS["llama-formed"])
    assert reader.read('{"name": "') == []
    assert reader.read("B") == [Said('{"name": "B', 0)]
    assert reader.saying
    assert reader.read('ob", "age": ') == [Said('ob", "age": ', 11)]
