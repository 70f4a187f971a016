"""The scripts behind `make`, on machines that lack something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SH = shutil.which("sh")
MAKE = shutil.which("make")


def create_environment(folder: Path, search: Path) -> subprocess.CompletedProcess[str]:
    """Run venv.sh where only the programs in ``search`` exist."""
    for tool in ("basename", "sh"):
        found = shutil.which(tool)
        assert found is not None
        (search / tool).symlink_to(found)
    return subprocess.run(
        [str(SH), str(ROOT / "infra/scripts/venv.sh"), str(folder)],
        env={"PATH": str(search)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def add_python(search: Path, name: str, script: str) -> None:
    (search / name).write_text(f"#!/bin/sh\n{script}\n")
    (search / name).chmod(0o755)


@pytest.fixture
def search(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def test_without_python_it_says_what_to_install(search: Path, tmp_path: Path) -> None:
    done = create_environment(tmp_path / "venv", search)
    assert done.returncode == 1
    assert done.stderr.startswith("botkit: Python 3.11 or newer is needed")


def test_an_old_python_is_passed_over(search: Path, tmp_path: Path) -> None:
    add_python(search, "python3", "exit 1")
    done = create_environment(tmp_path / "venv", search)
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr


def test_a_python_without_ensurepip_is_explained(search: Path, tmp_path: Path) -> None:
    add_python(search, "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    done = create_environment(tmp_path / "venv", search)
    assert done.returncode == 1
    assert "run: apt install python3-venv" in done.stderr


def test_the_newest_suitable_python_makes_the_environment(search: Path, tmp_path: Path) -> None:
    add_python(search, "python3.13", "exit 1")
    add_python(search, "python3.12", f'echo "$@" >> {tmp_path}/calls; exec {sys.executable} "$@"')
    add_python(search, "python3", f"touch {tmp_path}/wrong")
    done = create_environment(tmp_path / "venv", search)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "venv/bin/python").exists()
    assert "-m venv" in (tmp_path / "calls").read_text()
    assert not (tmp_path / "wrong").exists()


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
def test_a_second_run_installs_nothing(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    plan = [str(MAKE), "--dry-run", "run"]
    assert "pip install" in subprocess.check_output(plan, cwd=tmp_path, text=True)
    (tmp_path / ".venv/.installed").touch()
    assert "pip install" not in subprocess.check_output(plan, cwd=tmp_path, text=True)
    newer = (tmp_path / ".venv/.installed").stat().st_mtime + 10
    os.utime(tmp_path / "pyproject.toml", (newer, newer))
    assert "pip install" in subprocess.check_output(plan, cwd=tmp_path, text=True)
