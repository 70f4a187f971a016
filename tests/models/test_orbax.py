"""Orbax checkpoints: what is written is read, and damage is a typed error."""

import dataclasses
import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from botkit.errors import ModelFileError
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.orbax import read_orbax, write_orbax

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def original():
    """Qwen2 (biases), one tensor in bfloat16."""
    qwen = read_huggingface(FIXTURES / "qwen2")
    half = qwen.tensors["final_norm.weight"]().astype(ml_dtypes.bfloat16)
    return dataclasses.replace(qwen, tensors={**qwen.tensors, "final_norm.weight": lambda: half})


@pytest.fixture
def folder(tmp_path, original):
    write_orbax(original, tmp_path / "m")
    return tmp_path / "m"


def test_everything_comes_back(folder, original):
    read = read_orbax(folder)
    assert read.config == original.config
    assert read.tokenizer == original.tokenizer
    assert read.metadata == original.metadata
    assert set(read.tensors) == set(original.tensors)
    for name, load in original.tensors.items():
        array = read.tensors[name]()
        assert array.dtype == load().dtype
        np.testing.assert_array_equal(array, load())


def test_writing_again_replaces(folder, original):
    write_orbax(dataclasses.replace(original, metadata={"name": "second"}), folder)
    assert read_orbax(folder).metadata == {"name": "second"}
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def test_a_missing_tensor_is_named(tmp_path, original):
    tensors = {name: load for name, load in original.tensors.items() if name != "embed.weight"}
    write_orbax(dataclasses.replace(original, tensors=tensors), tmp_path / "m")
    with pytest.raises(ModelFileError, match=r"embed\.weight is missing"):
        read_orbax(tmp_path / "m")


def test_tensors_that_are_no_floats_are_refused(tmp_path, original):
    integers = {name: lambda: np.ones(3, np.int32) for name in original.tensors}
    write_orbax(dataclasses.replace(original, tensors=integers), tmp_path / "m")
    with pytest.raises(ModelFileError, match="int32"):
        read_orbax(tmp_path / "m")


@pytest.mark.parametrize("damage", ["config.json", "tokenizer.json"])
def test_damaged_files_are_refused(folder, damage):
    (folder / damage).write_text("{")
    with pytest.raises(ModelFileError):
        read_orbax(folder)


def test_a_folder_of_another_kind_is_refused(folder):
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | {"format": "other"}))
    with pytest.raises(ModelFileError, match="botkit-orbax"):
        read_orbax(folder)


def test_truncated_tensors_are_refused(folder):
    for path in (folder / "tensors").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelFileError):
        [load() for load in read_orbax(folder).tensors.values()]


def test_a_tree_that_is_gone_is_refused(folder):
    for path in (folder / "tensors").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(ModelFileError, match="Orbax"):
        read_orbax(folder)
