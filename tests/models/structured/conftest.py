"""Grammars over small tokenizers of both kinds."""

from __future__ import annotations

import pytest
from grammar_replies import json_tokenizer, piece_tokenizer

from botkit_models.structured import GrammarCompiler, GrammarLimits
from botkit_models.tokenizer import Tokenizer

PATIENT = GrammarLimits(seconds=120.0)  # tests say what is refused, not how busy the machine is


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """Byte-level, of about 1,300 tokens."""
    return json_tokenizer()


@pytest.fixture(scope="session")
def compiler(tokenizer: Tokenizer) -> GrammarCompiler:
    """For logits that are wider than the vocabulary, and no multiple of 32."""
    return GrammarCompiler(tokenizer, tokenizer.vocab_size + 45, PATIENT)


@pytest.fixture(scope="session", params=["bytes", "pieces"])
def any_compiler(request: pytest.FixtureRequest, compiler: GrammarCompiler) -> GrammarCompiler:
    """Over both kinds of tokenizer."""
    if request.param == "bytes":
        return compiler
    pieces = piece_tokenizer()
    return GrammarCompiler(pieces, vocab=pieces.vocab_size)
