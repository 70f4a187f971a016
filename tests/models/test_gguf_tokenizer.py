"""Tokenizers from GGUF metadata: pre-tokenizers, added tokens, SentencePiece scores."""

import dataclasses
import functools
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from gguf_writer import write_gguf
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.errors import ModelFileError
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.gguf_header import GGUFHeader, read_gguf_header
from botkit_models.weights.gguf_tokenizer import PRE_TOKENIZERS, read_gguf_tokenizer
from botkit_models.weights.huggingface import read_huggingface

FIXTURES = Path(__file__).parent / "fixtures"
TEXT = "It's 12345 o'clock,\n\n  isn't IT'S?"


def with_metadata(**fields):
    """A header that holds a tokenizer and nothing else."""
    metadata = {f"tokenizer.ggml.{name}": value for name, value in fields.items()}
    return GGUFHeader(Path("m.gguf"), metadata, {})


def byte_level(**fields):
    base = {
        "model": "gpt2",
        "pre": "gpt-2",
        "tokens": ["<eos>", "a", "b", "ab", "<user>"],
        "token_type": np.array([3, 1, 1, 1, 4], np.int32),
        "merges": ["a b"],
        "eos_token_id": 0,
    }
    return with_metadata(**base | fields)


def split(pre):
    steps = json.dumps(PRE_TOKENIZERS[pre])
    shell = {"version": "1.0", "model": {"type": "BPE", "vocab": {}, "merges": []}}
    backend = tokenizers.Tokenizer.from_str(
        json.dumps(shell | {"pre_tokenizer": json.loads(steps), "added_tokens": []})
    )
    return [
        piece.replace("Ġ", " ").replace("Ċ", "\n")
        for piece, _ in backend.pre_tokenizer.pre_tokenize_str(TEXT)
    ]


def test_gpt2_splits_words_and_keeps_numbers():
    assert split("gpt-2") == [
        *(
            "It",
            "'s",
            " 12345",
            " o",
            "'",
            "clock",
            ",",
            "\n\n ",
            " isn",
            "'t",
            " IT",
            "'",
            "S",
            "?",
        )
    ]


def test_smollm_splits_every_digit():
    assert split("smollm")[:8] == ["It", "'s", " ", "1", "2", "3", "4", "5"]


def test_qwen2_splits_every_digit_and_contractions_of_any_case():
    assert split("qwen2") == [
        *("It", "'s", " ", "1", "2", "3", "4", "5", " o", "'clock", ",\n\n", " ", " isn", "'t"),
        *(" IT", "'S", "?"),
    ]


def test_llama_bpe_keeps_three_digits():
    assert split("llama-bpe")[:5] == ["It", "'s", " ", "123", "45"]


def test_every_family_fixture_tokenises_as_its_json_does(tmp_path):
    original = read_huggingface(FIXTURES / "llama")
    write_gguf(tmp_path / "m.gguf", original)
    read = Tokenizer(read_gguf_tokenizer(read_gguf_header(tmp_path / "m.gguf")))
    expected = Tokenizer(original.tokenizer)
    text = "the other <|im_end|> nd Grüße 👍"
    for special in (False, True):
        assert read.encode(text, special=special) == expected.encode(text, special=special)


def test_control_tokens_are_special_and_user_defined_ones_are_words():
    tokenizer = Tokenizer(read_gguf_tokenizer(byte_level()))
    assert tokenizer.encode("ab<user>b") == [3, 4, 2]
    assert tokenizer.encode("a<eos>", special=True) == [1, 0]
    assert 0 not in tokenizer.encode("a<eos>")
    assert tokenizer.is_special(0)
    assert not tokenizer.is_special(4)


def test_ends_are_the_named_ones_and_known_turn_ends():
    tokens = ["<|im_end|>", "x", "<|eot_id|>", "</s>", "<|im_end|>x"]
    kinds = np.array([3, 1, 3, 1, 3], np.int32)
    spec = read_gguf_tokenizer(
        byte_level(tokens=tokens, token_type=kinds, merges=[], eos_token_id=1, eot_token_id=4)
    )
    assert spec.eos_ids == (0, 1, 2, 4)  # "</s>" is an ordinary token here
    assert spec.eos_token == "x"


def test_beginning_of_text_follows_the_file_and_else_the_kind():
    assert not read_gguf_tokenizer(byte_level()).add_bos
    assert read_gguf_tokenizer(byte_level(pre="llama-bpe")).add_bos
    assert read_gguf_tokenizer(byte_level(add_bos_token=True)).add_bos


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "bert"}, "bert"),
        ({"model": None}, "missing"),
        ({"pre": "chameleon"}, "chameleon"),
        ({"tokens": []}, "token list"),
        ({"tokens": np.arange(5)}, "tokens"),
        ({"token_type": np.array([1], np.int32)}, "token_type"),
        ({"merges": ["ab"]}, "no merge"),
        ({"merges": np.arange(2)}, "merges"),
        ({"eos_token_id": "two"}, "eos_token_id"),
        ({"model": "llama"}, "scores"),
    ],
)
def test_damaged_metadata_is_refused(fields, message):
    with pytest.raises(ModelFileError, match=message):
        read_gguf_tokenizer(byte_level(**fields))


def test_a_merge_of_unknown_pieces_is_refused():
    with pytest.raises(ModelFileError):
        Tokenizer(read_gguf_tokenizer(byte_level(merges=["q r"])))


# SentencePiece: the ranked merges must do what joining by best score does.

ALPHABET = "abc▁"
PIECES = {"ab": -1.0, "bc": -2.0, "▁a": -3.0, "abc": -4.0, "ca": -5.0, "▁ab": -6.0, "aab": -7.0}
PIECES |= {"▁▁": -8.0, "cab": -9.0, "bcbc": -10.0, "▁abc": -11.0}


def sentencepiece(**fields):
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [2, 3, 3] + [6] * 256 + [1] * (len(PIECES) + len(ALPHABET))
    scores = [0.0] * 259 + list(PIECES.values()) + [-20.0] * len(ALPHABET)
    base = {
        "model": "llama",
        "tokens": [*tokens, *PIECES, *ALPHABET],
        "token_type": np.array(kinds, np.int32),
        "scores": np.array(scores, np.float32),
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    return with_metadata(**base | fields)


@functools.cache
def spm(add_space_prefix):
    return Tokenizer(read_gguf_tokenizer(sentencepiece(add_space_prefix=add_space_prefix)))


def best_first(text):
    """SentencePiece's BPE by its definition: join the best-scored neighbours, leftmost first."""
    parts = list(text)
    while True:
        joins = [
            (PIECES.get(a + b, -np.inf), -i) for i, (a, b) in enumerate(itertools.pairwise(parts))
        ]
        score, place = max(joins, default=(-np.inf, 0))
        if score == -np.inf:
            return parts
        parts[-place : -place + 2] = [parts[-place] + parts[-place + 1]]


@given(st.text(alphabet="abc ", max_size=30))
@settings(deadline=None, max_examples=300)
def test_merges_join_the_best_scored_neighbours(text):
    tokenizer = spm(False)
    pieces = [tokenizer.token_bytes(id).decode() for id in tokenizer.encode(text)]
    assert pieces == [piece.replace("▁", " ") for piece in best_first(text.replace(" ", "▁"))]


def test_llama_2_puts_a_space_in_front_and_gemma_does_not():
    assert spm(True).encode("abc") == spm(False).encode(" abc")
    assert spm(True).decode(spm(True).encode("abc")) == "abc"
    assert spm(False).decode(spm(False).encode(" abc")) == " abc"


def test_what_has_no_piece_is_spelled_in_bytes():
    ids = spm(False).encode("aé")
    assert [spm(False).token_bytes(id) for id in ids] == [b"a", b"\xc3", b"\xa9"]
    assert spm(False).decode(ids) == "aé"


def test_sentencepiece_begins_with_bos_unless_told_otherwise():
    assert read_gguf_tokenizer(sentencepiece()).add_bos
    assert not read_gguf_tokenizer(sentencepiece(add_bos_token=False)).add_bos
    assert spm(True).encode("a", bos=True)[0] == 1


def test_user_defined_pieces_are_whole():
    header = sentencepiece(add_space_prefix=False)
    kinds = header.metadata["tokenizer.ggml.token_type"].copy()
    double = header.metadata["tokenizer.ggml.tokens"].index("▁▁")
    kinds[double] = 4
    changed = dataclasses.replace(
        header, metadata={**header.metadata, "tokenizer.ggml.token_type": kinds}
    )
    tokenizer = Tokenizer(read_gguf_tokenizer(changed))
    ids = tokenizer.encode("a  a")
    assert double in ids
    assert tokenizer.decode(ids) == "a  a"


def test_absurdly_many_merges_are_refused():
    pieces = ["a" * length for length in range(1, 250)]
    many = [piece + suffix for suffix in map(chr, range(0x4E00, 0x4E00 + 200)) for piece in pieces]
    tokens = [*pieces, *many, *map(chr, range(0x4E00, 0x4E00 + 200))]
    header = sentencepiece(
        tokens=tokens,
        token_type=np.ones(len(tokens), np.int32),
        scores=np.zeros(len(tokens), np.float32),
    )
    with pytest.raises(ModelFileError, match="too many merges"):
        read_gguf_tokenizer(header)
