"""The serving folder: aligned, valid safetensors, whole or not at all, and safe to open."""

import errno
import json
import random
import time
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open

from botkit.errors import ModelFileError, PullError
from botkit_models.weights import replacing
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import TensorSource, open_native, weights_kind, write_native
from botkit_models.weights.safetensors_file import read_safetensors

FIXTURES = Path(__file__).parent / "fixtures"
LLAMA = read_huggingface(FIXTURES / "llama")
ARRAYS = {
    "int8": np.arange(-7, 8, dtype=np.int8).reshape(3, 5),
    "half": np.linspace(-1, 1, 21).astype(ml_dtypes.bfloat16).reshape(7, 3),
    "float": np.linspace(-1, 1, 128, dtype=np.float32).reshape(8, 16),
    "one": np.float32([2.5]),
    "empty": np.zeros((0, 4), np.float32),
}


def sources(arrays):
    return {
        name: TensorSource(array.dtype, array.shape, lambda array=array: array)
        for name, array in arrays.items()
    }


def write(folder, arrays=ARRAYS, **metadata):
    write_native(folder, LLAMA.config, LLAMA.tokenizer, sources(arrays), metadata)


def test_everything_comes_back(tmp_path):
    write(tmp_path / "m", licence="mit")
    model = open_native(tmp_path / "m")
    assert model.config == LLAMA.config
    assert model.tokenizer == LLAMA.tokenizer
    assert model.metadata == {"licence": "mit"}
    assert set(model.tensors) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert model.tensors[name].dtype == array.dtype
        np.testing.assert_array_equal(model.tensors[name], array)


def test_tensors_are_mapped_read_only_and_aligned(tmp_path):
    write(tmp_path / "m")
    for array in open_native(tmp_path / "m").tensors.values():
        assert not array.flags.writeable
        assert array.size == 0 or array.ctypes.data % 64 == 0


def test_the_safetensors_library_agrees(tmp_path):
    write(tmp_path / "m")
    with safe_open(tmp_path / "m" / "weights.safetensors", "np") as file:
        names = [name for name in file.keys() if not name.startswith("filler.")]  # noqa: SIM118
        assert sorted(names) == sorted(ARRAYS)
        np.testing.assert_array_equal(file.get_tensor("float"), ARRAYS["float"])
        np.testing.assert_array_equal(file.get_tensor("int8"), ARRAYS["int8"])


def test_one_tensor_is_in_memory_at_a_time(tmp_path):
    alive = 0
    most = 0

    class Counted(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def load() -> np.ndarray:
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        return np.zeros((4, 16), np.float32).view(Counted)

    many = {f"t{n}": TensorSource(np.dtype(np.float32), (4, 16), load) for n in range(20)}
    write_native(tmp_path / "m", LLAMA.config, LLAMA.tokenizer, many)
    assert most <= 2


def test_a_folder_that_was_there_is_replaced(tmp_path):
    write(tmp_path / "m", version="old")
    write(tmp_path / "m", version="new")
    assert open_native(tmp_path / "m").metadata == {"version": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_tensor_that_breaks_its_promise_leaves_the_old_folder(tmp_path):
    write(tmp_path / "m", version="old")
    broken = {"t": TensorSource(np.dtype(np.float32), (2, 2), lambda: np.zeros(3, np.float32))}
    with pytest.raises(ModelFileError, match="promised"):
        write_native(tmp_path / "m", LLAMA.config, LLAMA.tokenizer, broken)
    assert open_native(tmp_path / "m").metadata == {"version": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path):
    def full() -> np.ndarray:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(PullError, match="No space left"):
        write_native(
            tmp_path / "m",
            LLAMA.config,
            LLAMA.tokenizer,
            {"t": TensorSource(np.dtype(np.float32), (1,), full)},
        )
    assert list(tmp_path.iterdir()) == []


def test_a_failed_rename_puts_the_old_folder_back(tmp_path, monkeypatch):
    write(tmp_path / "m", version="old")
    rename = Path.rename

    def fail(self, target):
        if self.name.endswith(".partial"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(replacing.Path, "rename", fail)
    with pytest.raises(PullError, match="Permission denied"):
        write(tmp_path / "m", version="new")
    assert open_native(tmp_path / "m").metadata == {"version": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_place_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(PullError, match="cannot write"):
        write(tmp_path / "missing" / "m")


def test_names_and_dtypes_that_cannot_be_written_are_refused(tmp_path):
    for arrays in ({"filler.1": ARRAYS["one"]}, {"c": np.zeros(2, np.complex64)}):
        with pytest.raises(ModelFileError, match="cannot be written"):
            write(tmp_path / "m", arrays)


@pytest.mark.parametrize(
    ("arrays", "kind"),
    [
        ({"w": ARRAYS["int8"], "n": ARRAYS["float"]}, "int8"),
        ({"w": ARRAYS["half"], "n": ARRAYS["one"]}, "bfloat16"),
        ({"w": ARRAYS["float"]}, "float32"),
    ],
)
def test_the_kind_of_weights_is_told(tmp_path, arrays, kind):
    write(tmp_path / "m", arrays)
    assert weights_kind(open_native(tmp_path / "m")) == kind


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "weights.safetensors"])
def test_truncated_files_are_refused(tmp_path, name):
    write(tmp_path / "m")
    path = tmp_path / "m" / name
    data = path.read_bytes()
    for cut in {*range(0, len(data), max(1, len(data) // 50)), len(data) - 1}:
        path.write_bytes(data[:cut])
        started = time.process_time()
        with pytest.raises(ModelFileError):
            open_native(tmp_path / "m")
        assert time.process_time() - started < 1.0


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "weights.safetensors"])
def test_flipped_bits_read_or_are_refused(tmp_path, name):
    write(tmp_path / "m")
    path = tmp_path / "m" / name
    data = path.read_bytes()
    rng = random.Random(3)
    refused = 0
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.randrange(min(len(data), 1000))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            for array in open_native(tmp_path / "m").tensors.values():
                array.sum()
        except ModelFileError:
            refused += 1
    assert refused > 20


def safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (b"[" * 1_000_000, b""),
        (b"[]", b""),
        (b"\xff\xff", b""),
        ({"a": 1}, b""),
        ({"a": {}}, b""),
        ({"a": entry(dtype="F99")}, bytes(4)),
        ({"a": entry(dtype=["F32"])}, bytes(4)),
        ({"a": entry(shape=(2,))}, bytes(4)),
        ({"a": entry(shape=(1 << 60, 1 << 60))}, bytes(4)),
        ({"a": entry(shape=(-1, -1))}, bytes(4)),
        ({"a": entry(shape=(True,))}, bytes(4)),
        ({"a": entry(shape=(1.0,))}, bytes(4)),
        ({"a": entry(shape=(1,) * 99)}, bytes(4)),
        ({"a": entry(offsets=(4, 8))}, bytes(8)),
        ({"a": entry(offsets=(0, 1 << 62), shape=(1 << 60,))}, bytes(4)),
        ({"a": entry(offsets=(0,))}, bytes(4)),
        ({"a": entry(), "b": entry()}, bytes(4)),
        ({"a": entry()}, bytes(8)),
        ({"a": entry()}, b""),
        ({"__metadata__": 1}, b""),
        ({"__metadata__": {"a": 1}}, b""),
    ],
    ids=range(21),
)
def test_hostile_headers_are_refused(tmp_path, header, data):
    started = time.process_time()
    with pytest.raises(ModelFileError):
        read_safetensors(safetensors(tmp_path / "a.safetensors", header, data))
    assert time.process_time() - started < 1.0


def test_a_header_that_claims_to_be_huge_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(ModelFileError, match="truncated"):
        read_safetensors(path)


def test_tensors_that_are_not_aligned_are_copied(tmp_path):
    header = {
        "a": entry("I8", (1,), (0, 1)),
        "b": entry("F32", (1,), (1, 5)),
    }
    data = b"\x07" + np.float32([1.5]).tobytes()
    file = read_safetensors(safetensors(tmp_path / "a.safetensors", header, data))
    assert file.load("a").tolist() == [7]
    assert file.load("b").tolist() == [1.5]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": 2},
        {"config": None},
        {"config": {"family": "llama"}},
        {"metadata": {"a": 1}},
    ],
)
def test_other_formats_and_versions_are_refused(tmp_path, change):
    write(tmp_path / "m")
    path = tmp_path / "m" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelFileError):
        open_native(tmp_path / "m")


@pytest.mark.parametrize(
    "change", [{"json": 1}, {"eos_ids": [-1]}, {"eos_ids": "2"}, {"add_bos": 1}, {"x": 1}]
)
def test_damaged_tokenizer_fields_are_refused(tmp_path, change):
    write(tmp_path / "m")
    path = tmp_path / "m" / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelFileError, match="damaged"):
        open_native(tmp_path / "m")
