"""Damaged and hostile GGUF files: a typed error within a second, and no memory explosion."""

import random
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from gguf_writer import write_gguf

from botkit.errors import ModelFileError
from botkit_models.tokenizer import Tokenizer
from botkit_models.weights.gguf import read_gguf
from botkit_models.weights.gguf_header import read_gguf_header
from botkit_models.weights.huggingface import read_huggingface

FIXTURES = Path(__file__).parent / "fixtures"
HUGE = 2**64 - 1


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "sound.gguf"
    write_gguf(path, read_huggingface(FIXTURES / "llama"))
    return path.read_bytes()


def read_all(path):
    """Everything a pull does with a file, besides quantising."""
    checkpoint = read_gguf(path)
    Tokenizer(checkpoint.tokenizer)
    for load in checkpoint.tensors.values():
        load()


def refused_quickly(path):
    """True when the file is refused; False when it reads; anything else is a failure."""
    started = time.process_time()
    try:
        read_all(path)
    except ModelFileError:
        return True
    finally:
        assert time.process_time() - started < 1.0
    return False


def test_the_sound_file_reads(tmp_path, sound):
    (tmp_path / "m.gguf").write_bytes(sound)
    assert not refused_quickly(tmp_path / "m.gguf")


def test_every_truncation_is_refused(tmp_path, sound):
    path = tmp_path / "m.gguf"
    header = len(sound) - 4 * 20_000
    cuts = {*range(64), *range(64, header, 97), *range(header, len(sound) - 32, 9973)}
    for cut in sorted(cuts):
        path.write_bytes(sound[:cut])
        assert refused_quickly(path), cut


def test_no_flipped_bit_escapes_as_anything_but_a_model_file_error(tmp_path, sound):
    path = tmp_path / "m.gguf"
    rng = random.Random(5)
    refused = 0
    for _ in range(400):
        damaged = bytearray(sound)
        for _ in range(rng.choice((1, 1, 4))):
            damaged[rng.randrange(min(len(damaged), 16_000))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        refused += refused_quickly(path)
    assert refused > 100


def header(version=3, tensors=0, keys=0):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


def text(value):
    return struct.pack("<Q", len(value)) + value


def tensor(name=b"x", shape=(32,), kind=0, offset=0):
    shape_bytes = b"".join(struct.pack("<Q", size) for size in shape)
    return (
        text(name) + struct.pack("<I", len(shape)) + shape_bytes + struct.pack("<IQ", kind, offset)
    )


HOSTILE = {
    "empty": b"",
    "other magic": b"GGML" + header()[4:],
    "version 1": header(version=1),
    "big endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "a huge count of tensors": header(tensors=HUGE),
    "a huge count of keys": header(keys=HUGE),
    "many keys, none there": header(keys=4096),
    "many tensors, none there": header(tensors=65536),
    "a huge key": header(keys=1) + struct.pack("<Q", HUGE),
    "a key of no UTF-8": header(keys=1) + text(b"\xff") + struct.pack("<IB", 7, 1),
    "an unknown value type": header(keys=1) + text(b"k") + struct.pack("<I", 99),
    "a huge text": header(keys=1) + text(b"k") + struct.pack("<IQ", 8, HUGE),
    "a huge list of numbers": header(keys=1) + text(b"k") + struct.pack("<IIQ", 9, 4, 1 << 62),
    "a huge list of texts": header(keys=1) + text(b"k") + struct.pack("<IIQ", 9, 8, 1 << 40),
    "lists of lists": header(keys=1) + text(b"k") + struct.pack("<I", 9) * 1000,
    "a list of two million texts": header(keys=1)
    + text(b"k")
    + struct.pack("<IIQ", 9, 8, 2_100_000)
    + bytes(8 * 2_100_000),
    "one key twice": header(keys=2) + (text(b"k") + struct.pack("<IB", 7, 1)) * 2,
    "no dimensions": header(tensors=1) + tensor(shape=()),
    "nine dimensions": header(tensors=1) + tensor(shape=(1,) * 9),
    "a dimension of zero": header(tensors=1) + tensor(shape=(0, 8)) + bytes(256),
    "dimensions that overflow": header(tensors=1) + tensor(shape=(2**32, 2**32)) + bytes(256),
    "a row that is no whole block": header(tensors=1) + tensor(shape=(33,), kind=3) + bytes(256),
    "an unknown quantisation": header(tensors=1) + tensor(kind=77) + bytes(256),
    "an offset behind the end": header(tensors=1) + tensor(offset=1 << 60) + bytes(256),
    "an odd offset": header(tensors=1) + tensor(offset=3) + bytes(256),
    "two tensors in one place": header(tensors=2) + tensor(b"a") + tensor(b"b") + bytes(512),
    "one tensor twice": header(tensors=2) + tensor() + tensor(offset=128) + bytes(512),
    "an alignment of zero": header(keys=1)
    + text(b"general.alignment")
    + struct.pack("<II", 4, 0)
    + bytes(64),
    "an alignment that is a text": header(keys=1)
    + text(b"general.alignment")
    + struct.pack("<I", 8)
    + text(b"x"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_headers_are_refused_without_asking_for_memory(tmp_path, data):
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        started = time.process_time()
        with pytest.raises(ModelFileError):
            read_gguf_header(path)
        assert time.process_time() - started < 1.0
        assert tracemalloc.get_traced_memory()[1] < len(data) + (8 << 20)
    finally:
        tracemalloc.stop()


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere.gguf"):
        with pytest.raises(ModelFileError):
            read_gguf(path)
