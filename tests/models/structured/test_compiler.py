"""Compiling beside the event loop: once each, within a time, and kept for a while."""

import asyncio
import threading

import pytest
from grammar_replies import json_tokenizer

from botkit.errors import InvalidRequestError, OverloadedError, UnsupportedParameterError
from botkit_models.structured import GrammarCompiler, GrammarLimits, Literal, Regex
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.checkpoint import TokenizerSpec


class HeldCompiler(GrammarCompiler):
    """Takes as long for each grammar as a test likes."""

    def __init__(self, **limits):
        tokenizer = json_tokenizer()
        super().__init__(tokenizer, tokenizer.vocab_size, GrammarLimits(**limits))
        self.held = threading.Event()
        self.begun = threading.Event()
        self.finished = threading.Event()
        self.made = []

    def make(self, source, param):
        self.made.append(source)
        self.begun.set()
        self.held.wait(60)
        return super().make(source, param)

    def _forget(self, source):
        super()._forget(source)
        self.finished.set()


async def test_one_grammar_is_compiled_once_for_all_who_wait():
    compiler = HeldCompiler()
    waiting = [asyncio.ensure_future(compiler.compile(Literal("a"), param="p")) for _ in range(5)]
    await asyncio.to_thread(compiler.begun.wait, 60)
    compiler.held.set()
    grammars = await asyncio.gather(*waiting)
    assert len({id(grammar) for grammar in grammars}) == 1
    assert await compiler.compile(Literal("a"), param="q") is grammars[0]
    assert len(compiler.made) == 1


async def test_equal_parts_are_one_grammar_and_others_are_not(compiler):
    first = await compiler.compile(Regex("[a-c]x"), param="p")
    assert await compiler.compile(Regex("[a-c]x"), param="p") is first
    assert await compiler.compile(Regex("[a-d]x"), param="p") is not first


async def test_the_grammar_that_was_used_longest_ago_is_let_go_first():
    compiler = HeldCompiler(kept=2)
    compiler.held.set()
    for text in ("a", "b", "a", "c", "a", "b"):
        await compiler.compile(Literal(text), param="p")
    assert len(compiler.made) == 4  # a, b, c, and b again


async def test_a_grammar_that_takes_too_long_is_refused_and_does_not_hold_others_up():
    compiler = HeldCompiler(seconds=0.05, threads=1)
    with pytest.raises(InvalidRequestError, match="longer than") as refusal:
        await compiler.compile(Literal("slow"), param="the.field")
    assert refusal.value.param == "the.field"
    with pytest.raises(OverloadedError):
        await compiler.compile(Literal("behind it"), param="p")
    compiler.held.set()
    await asyncio.to_thread(compiler.finished.wait, 60)
    assert (await compiler.compile(Literal("slow"), param="p")).shortest is not None


async def test_a_refusal_is_not_kept_from_the_next_who_asks():
    compiler = HeldCompiler()
    compiler.held.set()
    for param in ("first", "second"):
        with pytest.raises(InvalidRequestError) as refusal:
            await compiler.compile(Regex("(a"), param=param)
        assert refusal.value.param == param


async def test_who_stops_waiting_leaves_the_others_waiting():
    compiler = HeldCompiler()
    gone = asyncio.ensure_future(compiler.compile(Literal("a"), param="p"))
    stays = asyncio.ensure_future(compiler.compile(Literal("a"), param="p"))
    await asyncio.to_thread(compiler.begun.wait, 60)
    gone.cancel()
    await asyncio.wait([gone])
    compiler.held.set()
    assert (await stays).constraint().masks([]).any()


def test_a_model_whose_replies_no_token_ends_has_no_grammars():
    endless = Tokenizer(TokenizerSpec(json=json_tokenizer().spec.json, eos_ids=()))
    compiler = GrammarCompiler(endless, endless.vocab_size)
    with pytest.raises(UnsupportedParameterError) as refusal:
        compiler.compile_now(Literal("a"), param="response_format")
    assert refusal.value.param == "response_format"


def test_threads_may_share_a_compiler_and_its_grammars(compiler):
    failures = []

    def work(number):
        try:
            for turn in range(5):
                grammar = compiler.compile_now(Regex(f"[a-f]{{{turn + 1}}}z"), param="p")
                constraint = grammar.constraint()
                for _ in range(turn + 2):
                    row = constraint.masks([])[0]
                    word = int(row.nonzero()[0][0])
                    bits = int(row[word]) & 0xFFFFFFFF
                    constraint.accept(32 * word + (bits & -bits).bit_length() - 1)
        except Exception as error:
            failures.append((number, error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
