"""Laws of a constraint, along replies that a fake model writes by chance."""

import json
from random import Random

import numpy as np
import pytest
from grammar_replies import allowed_ids, piece_tokenizer, write
from random_schemas import random_schema

from botkit.errors import InvalidRequestError
from botkit_models.engine.constraint import Constraint
from botkit_models.structured import (
    JSON_OBJECT,
    Choice,
    FreeText,
    GrammarCompiler,
    GrammarLimits,
    JsonSchema,
    LarkGrammar,
    Literal,
    Regex,
    Repeat,
    Sequence,
    TextUntil,
    text_with,
)
from botkit_models.structured.closing import Closer

PERSON = JsonSchema(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "age": {"type": "integer"},
        },
        "required": ["name", "tags", "age"],
        "additionalProperties": False,
    }
)
CALL = Sequence((Literal('{"name": "f", "arguments": '), PERSON, Literal("}</tool_call>")))
PARTS = {
    "object": JSON_OBJECT,
    "person": PERSON,
    "regex": Regex(r"(ab|[0-9]{3})+-x*"),
    "text": FreeText(),
    "calls": Repeat(Sequence((Literal("<tool_call>"), CALL)), least=1),
    "text with calls": text_with("<tool_call>", CALL),
    "choice": Choice((Literal("yes, certainly"), Literal("no"))),
    **{f"schema {seed}": JsonSchema(random_schema(Random(seed))) for seed in (0, 3, 6)},
}
BUDGETS = [None, 40]


@pytest.fixture(params=PARTS)
def grammar(request, any_compiler):
    return any_compiler.compile_now(PARTS[request.param], param="p")


def path_of(grammar, chance, budget, most=60):
    """Tokens of a reply with the masks that each of them met, one by one."""
    constraint = grammar.constraint(budget=budget)
    ids, masks = [], []
    while len(ids) < min(most, budget or most):
        masks.append(constraint.masks([])[0])
        ids.append(int(chance.choice(allowed_ids(masks[-1]))))
        constraint.accept(ids[-1])
        if ids[-1] in grammar.vocabulary.eos_ids:
            break
    return ids, masks


@pytest.mark.parametrize("budget", BUDGETS)
def test_masks_of_drafts_are_the_masks_of_going_one_by_one(grammar, budget):
    chance = np.random.default_rng(3)
    ids, masks = path_of(grammar, chance, budget)
    ended = ids[-1] in grammar.vocabulary.eos_ids
    constraint, at = grammar.constraint(budget=budget), 0
    while at < len(ids):
        drafts = ids[at : at + int(chance.integers(1, 7))]
        found = constraint.masks(drafts)
        following = masks[at : at + len(drafts) + 1]
        if not ended and at + len(drafts) == len(ids):
            following = [*following, found[-1]]  # the walk did not look there
        np.testing.assert_array_equal(found, np.array(following))
        taken = drafts[: int(chance.integers(1, len(drafts) + 1))]
        for token in taken:
            constraint.accept(token)
        at += len(taken)


@pytest.mark.parametrize("budget", BUDGETS)
def test_drafts_count_up_to_the_first_that_is_not_allowed(grammar, budget):
    ids, masks = path_of(grammar, np.random.default_rng(4), budget, most=5)
    constraint = grammar.constraint(budget=budget)
    for at, mask in enumerate(masks):
        forbidden = sorted(set(range(grammar.vocabulary.size)) - set(allowed_ids(mask)))
        for wrong in (*forbidden[:2], *forbidden[-2:], -1, 10**6):
            rows = constraint.masks([*ids[:at], wrong, *ids[at:]])
            np.testing.assert_array_equal(rows, np.array(masks[: at + 1]))


def test_looking_changes_nothing(grammar):
    chance = np.random.default_rng(5)
    ids, masks = path_of(grammar, chance, 50)
    constraint = grammar.constraint(budget=50)
    for at, token in enumerate(ids):
        for _ in range(2):
            constraint.masks(ids[at : at + 4])
            constraint.forced()
        np.testing.assert_array_equal(constraint.masks([])[0], masks[at])
        constraint.accept(token)


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_is_forced_is_all_that_may_come(grammar, budget):
    ids, _ = path_of(grammar, np.random.default_rng(6), budget)
    constraint = grammar.constraint(budget=budget)
    for token in ids:
        forced = constraint.forced()
        rows = constraint.masks(forced)
        assert len(rows) == 1 + len(forced)
        for row, only in zip(rows, forced, strict=False):
            assert list(allowed_ids(row)) == [only]
        constraint.accept(token)


def test_masks_are_as_wide_as_the_logits_and_name_only_tokens(compiler, tokenizer):
    grammar = compiler.compile_now(FreeText(), param="p")
    masks = grammar.constraint().masks([])
    assert masks.dtype == np.int32
    assert masks.shape == (1, -(-(tokenizer.vocab_size + 45) // 32))
    assert max(allowed_ids(masks[0])) < tokenizer.vocab_size
    special = {id for id in range(tokenizer.vocab_size) if tokenizer.is_special(id)}
    assert special & set(allowed_ids(masks[0])) == set(tokenizer.eos_ids)


def test_logits_narrower_than_the_tokenizer_are_never_left(tokenizer):
    narrow = GrammarCompiler(tokenizer, vocab=300)
    masks = narrow.compile_now(FreeText(), param="p").constraint().masks([])
    assert masks.shape == (1, 10)
    assert max(allowed_ids(masks[0])) < 300


def test_both_spellings_of_a_byte_may_come():
    pieces = piece_tokenizer()
    grammar = GrammarCompiler(pieces, vocab=pieces.vocab_size).compile_now(
        Regex("[ab]+"), param="p"
    )
    texts = [pieces.token_bytes(int(id)) for id in allowed_ids(grammar.constraint().masks([])[0])]
    assert sorted(texts) == [b"a", b"a", b"b", b"b"]


def test_replies_of_one_grammar_do_not_touch_each_other(grammar):
    alone = [path_of(grammar, np.random.default_rng(seed), 40) for seed in (1, 2, 3)]
    together = [grammar.constraint(budget=40) for _ in alone]
    for step in range(40):
        for constraint, (ids, masks) in zip(together, alone, strict=True):
            if step < len(ids):
                np.testing.assert_array_equal(constraint.masks([])[0], masks[step])
                constraint.accept(ids[step])


def test_every_id_that_ends_replies_comes_exactly_where_the_reply_is_whole(grammar):
    ids, masks = path_of(grammar, np.random.default_rng(8), None)
    constraint = grammar.constraint()
    ends = set(grammar.vocabulary.eos_ids)
    for token, mask in zip(ids, masks, strict=True):
        found = ends & set(allowed_ids(mask))
        assert found == (ends if constraint.may_end else set())
        constraint.accept(token)


@pytest.mark.parametrize("budget", [22, 30, 60, 200])
@pytest.mark.parametrize("seed", range(6))
def test_a_reply_is_closed_before_its_budget_ends(any_compiler, budget, seed):
    grammar = any_compiler.compile_now(PERSON, param="p")
    assert grammar.shortest is not None
    budget = max(budget, grammar.shortest)
    reply = write(grammar, np.random.default_rng(seed), budget)
    assert set(json.loads(reply.text)) == {"name", "tags", "age"}
    assert len(reply.ids) <= budget


@pytest.mark.parametrize("thought", [3, 200])
@pytest.mark.parametrize("room", [30, 90, 400])
@pytest.mark.parametrize("seed", range(3))
def test_a_form_after_a_thought_is_closed_in_time(any_compiler, thought, room, seed):
    parts = (TextUntil("</think>"), Regex(r"[ \n]{0,4}"), PERSON)
    grammar = any_compiler.compile_now(Sequence(parts), param="p")
    encode, ends = grammar.vocabulary.encode, grammar.vocabulary.eos_ids
    told = [*encode("hm" * thought)[:thought], *encode("</think>")]
    constraint = grammar.constraint(budget=len(told) + room)
    for token in told:
        assert token in allowed_ids(constraint.masks([])[0])
        constraint.accept(token)
    chance, said = np.random.default_rng(seed), []
    for _ in range(room):
        token = int(chance.choice(allowed_ids(constraint.masks([])[0])))
        constraint.accept(token)
        if token in ends:
            break
        said.append(token)
    text = b"".join(map(grammar.vocabulary.tokenizer.token_bytes, said))
    assert set(json.loads(text.decode("utf-8", "replace"))) == {"name", "tags", "age"}
    assert len(said) < room or constraint.shortened


def test_free_text_is_not_searched_long_for_its_end(compiler, monkeypatch):
    grammar = compiler.compile_now(Sequence((TextUntil("</think>"), PERSON)), param="p")
    constraint, choose, choices = grammar.constraint(budget=2_000), Closer._choice, []

    def counted(*args):
        choices.append(args)
        return choose(*args)

    monkeypatch.setattr(Closer, "_choice", counted)
    for token in grammar.vocabulary.encode("hm" * 8)[:16]:
        constraint.accept(token)
    assert 0 < len(choices) < 100


def test_an_expression_of_much_text_can_be_closed_too(any_compiler):
    assert any_compiler.compile_now(Regex(".{60}x?"), param="p").shortest is not None


def test_closing_takes_away_only_near_the_end(compiler):
    grammar = compiler.compile_now(PERSON, param="p")
    ids, masks = path_of(grammar, np.random.default_rng(1), None, most=200)
    told = grammar.constraint(budget=len(ids) + 150)
    for token, mask in zip(ids, masks, strict=True):
        np.testing.assert_array_equal(told.masks([])[0], mask)
        told.accept(token)
    assert not told.shortened


def test_a_reply_that_ends_by_itself_is_not_shortened(compiler):
    grammar = compiler.compile_now(Regex("[0-9]{3}"), param="p")
    for seed in range(10):
        reply = write(grammar, np.random.default_rng(seed), 100)
        assert reply.ended
        assert not reply.shortened


def test_a_budget_below_the_shortest_reply_is_used_up(compiler):
    grammar = compiler.compile_now(PERSON, param="p")
    reply = write(grammar, np.random.default_rng(0), 6)
    assert (len(reply.ids), reply.ended, reply.shortened) == (6, False, False)


def test_free_text_runs_to_its_budget_unshortened(compiler):
    grammar = compiler.compile_now(FreeText(), param="p")
    replies = [write(grammar, np.random.default_rng(seed), 30) for seed in range(5)]
    assert max(len(reply.ids) for reply in replies) == 30
    assert not any(reply.shortened for reply in replies)


def test_a_grammar_that_explodes_in_the_middle_ends_the_reply_with_an_error(compiler):
    bomb = LarkGrammar('start: "go" ( | " " t0)\n' + _doubling(40))
    constraint = compiler.compile_now(bomb, param="p").constraint(param="the.field")
    with pytest.raises(InvalidRequestError, match="too complex") as failure:
        _go_on(constraint, compiler.vocabulary.eos_ids)
    assert failure.value.code == "grammar_too_complex"
    assert failure.value.param == "the.field"


def test_drafts_that_lead_where_a_grammar_explodes_do_not_end_the_reply(compiler):
    bomb = LarkGrammar('start: "go" ( "!" | " " t0)\n' + _doubling(40))
    ids = compiler.vocabulary.tokenizer.encode("go a")
    constraint = compiler.compile_now(bomb, param="p").constraint()
    for token in ids[:-2]:
        constraint.accept(token)
    before = constraint.masks([])
    assert len(constraint.masks([*ids[-2:], *ids[-1:] * 9])) <= 2
    np.testing.assert_array_equal(constraint.masks([]), before)


def test_a_grammar_whose_masks_take_too_long_ends_the_reply_with_an_error(tokenizer):
    slow = GrammarCompiler(
        tokenizer, tokenizer.vocab_size, GrammarLimits(mask_seconds=0.0, mask_share=0.0)
    )
    constraint = slow.compile_now(JSON_OBJECT, param="p").constraint()
    with pytest.raises(InvalidRequestError, match="too complex"):
        _go_on(constraint, slow.vocabulary.eos_ids)


def test_it_is_what_the_engine_asks_for(compiler):
    constraint: Constraint = compiler.compile_now(JSON_OBJECT, param="p").constraint()
    assert constraint.masks([]).ndim == 2


def _go_on(constraint, ends):
    """Write on and on, the first token that may come."""
    for _ in range(50):
        allowed = allowed_ids(constraint.masks([])[0])
        constraint.accept(next(int(id) for id in allowed if id not in ends))


def _doubling(depth):
    rules = [f"t{level}: t{level + 1} t{level + 1}" for level in range(depth)]
    return "\n".join([*rules, f't{depth}: "a"'])
