"""Replies to random schemas parse and keep to them, or are flagged at their budget.

``BOTKIT_SOAK_SCHEMAS`` says how many schemas; ``make soak`` takes 1,000.
"""

import json
import os
from random import Random

import jsonschema
import numpy as np
import pytest
from grammar_replies import write
from random_schemas import random_schema
from smollm2 import smollm2_spec

from botkit_models.structured import GrammarCompiler, JsonSchema
from botkit_models.tokenizer import Tokenizer

SCHEMAS = int(os.environ.get("BOTKIT_SOAK_SCHEMAS", "120"))
GROUP = 20
BUDGETS = (40, 300)
CHECKED = jsonschema.Draft202012Validator.FORMAT_CHECKER


class Tally:
    """What became of replies."""

    def __init__(self):
        self.wrong, self.whole, self.cut, self.closable = [], 0, 0, 0

    def add(self, name, schema, grammar, reply, budget):
        if not (reply.ended or reply.shortened):
            self.cut += not parses(reply.text)
            self.closable += grammar.shortest is not None and grammar.shortest <= budget
            return
        self.whole += 1
        if problem := breaks(schema, reply.text):
            self.wrong.append((name, problem, reply.text[-300:]))


def parses(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def breaks(schema, text):
    """What is wrong with a whole reply, or None."""
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"no JSON: {error}"
    validator = jsonschema.Draft202012Validator(schema, format_checker=CHECKED)
    errors = validator.iter_errors(value)
    try:
        return next((error.message for error in errors), None)
    except OverflowError:  # the validator divides in floats; JSON's numbers may be larger
        return None


def run(compiler, seeds):
    tally = Tally()
    for seed in seeds:
        schema = random_schema(Random(seed))
        jsonschema.Draft202012Validator.check_schema(schema)
        grammar = compiler.compile_now(JsonSchema(schema), param="p")
        for budget in BUDGETS:
            reply = write(grammar, np.random.default_rng(seed), budget)
            tally.add((seed, budget), schema, grammar, reply, budget)
    return tally


@pytest.mark.parametrize("group", range(-(-SCHEMAS // GROUP)))
def test_replies_keep_to_their_schema_or_are_flagged(compiler, group):
    seeds = range(group * GROUP, min(SCHEMAS, (group + 1) * GROUP))
    tally = run(compiler, seeds)
    assert tally.wrong == []
    assert tally.whole


def test_nearly_all_replies_with_room_for_it_are_closed(compiler):
    tally = run(compiler, range(40))
    assert tally.cut <= 0.1 * (tally.whole + tally.cut)


def test_replies_over_the_default_models_tokens_keep_to_their_schema():
    smollm2 = Tokenizer(smollm2_spec())
    compiler = GrammarCompiler(smollm2, vocab=smollm2.vocab_size)
    tally = run(compiler, range(1_000, 1_010))
    assert tally.wrong == []
    assert tally.whole
