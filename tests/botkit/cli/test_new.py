"""`botkit new`: a newcomer's first two commands."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TIMEOUT = 100
HERE = Path(sys.executable).parent


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make there, as a newcomer who has activated the environment."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "PYTHON"))}
    environment["PATH"] = f"{HERE}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture
def mybot(botkit_command, tmp_path: Path) -> Path:
    folder = tmp_path / "my-bot"
    done = botkit_command.run("new", str(folder))
    assert done.returncode == 0, done.stderr
    assert f"cd {folder} && make test".encode() in done.stdout
    return folder


def without(tmp_path: Path, *packages: str) -> dict[str, str]:
    """Variables for a Python in which these packages cannot be imported."""
    folder = tmp_path / "without"
    for package in packages:
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("raise ImportError('not here')\n")
    return {"PYTHONPATH": str(folder)}


def test_its_tests_pass_without_jax(mybot: Path, tmp_path: Path) -> None:
    done = make(mybot, "test", **without(tmp_path, "jax", "flax", "numpy"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_its_tests_can_fail(mybot: Path) -> None:
    bot = mybot / "bot.py"
    bot.write_text(bot.read_text().replace("on its way", "late"))
    done = make(mybot, "test")
    assert done.returncode != 0
    assert "1 failed, 1 passed" in done.stdout


def test_the_bot_answers(botkit_command, mybot: Path) -> None:
    said = botkit_command.run(
        "play", "telegram", str(mybot / "bot.py"), stdin=b"/order tea\n[Yes, please]\nhello\n"
    ).stdout.decode()
    assert "bot: One tea? [Yes, please]\n" in said
    assert "bot: Your tea is on its way.\n" in said
    assert said.endswith("bot: hello\n")


def test_the_project_has_the_folders_name(mybot: Path) -> None:
    project = tomllib.loads((mybot / "pyproject.toml").read_text())["project"]
    assert project["name"] == "my-bot"
    assert (mybot / "bot.py").read_text().startswith('"""my-bot: ')


@pytest.mark.parametrize("target", ["test", "run"])
def test_a_python_without_botkit_is_one_sentence(mybot: Path, tmp_path: Path, target: str) -> None:
    done = make(mybot, target, **without(tmp_path, "botkit"))
    assert done.returncode != 0
    assert "python has no botkit; activate the environment that has it" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_python_that_is_not_there_is_the_same_sentence(mybot: Path) -> None:
    done = make(mybot, "test", "PYTHON=/nowhere/python")
    assert "/nowhere/python has no botkit; " in done.stderr


def test_a_python_without_pytest_says_what_to_install(mybot: Path, tmp_path: Path) -> None:
    done = make(mybot, "test", **without(tmp_path, "pytest_asyncio"))
    assert done.returncode != 0
    assert "run: python -m pip install pytest pytest-asyncio" in done.stderr


def test_it_says_which_python_where_the_first_is_another(botkit_command, tmp_path: Path) -> None:
    done = botkit_command.run("new", str(tmp_path / "bot"), PATH="/usr/bin:/bin")
    assert f"make test PYTHON={sys.executable}\n" in done.stdout.decode()
    here = os.pathsep.join([str(HERE), "/usr/bin"])
    done = botkit_command.run("new", str(tmp_path / "other"), PATH=here)
    assert b"make test\n" in done.stdout


@pytest.mark.parametrize("name", ["-bot", ".bot", "bot_", "my bot", "böt", 'a"b', "$(x)"])
def test_a_bad_name_is_one_sentence(botkit_command, tmp_path: Path, name: str) -> None:
    done = botkit_command.run("new", str(tmp_path / name))
    assert done.returncode == 1
    assert b"is no name for a project" in done.stderr
    assert not (tmp_path / name).exists()


def test_what_is_there_is_left_alone(botkit_command, tmp_path: Path) -> None:
    full, empty, file = tmp_path / "full", tmp_path / "empty", tmp_path / "file"
    full.mkdir()
    (full / "bot.py").write_text("mine")
    empty.mkdir()
    file.write_text("mine")
    for taken in (full, file):
        done = botkit_command.run("new", str(taken))
        assert done.returncode == 1
        assert b"exists already" in done.stderr
    assert (full / "bot.py").read_text() == file.read_text() == "mine"
    assert botkit_command.run("new", str(empty)).returncode == 0
    assert (empty / "bot.py").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(botkit_command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = botkit_command.run("new", str(tmp_path / "file" / "bot"))
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"cannot be written: Not a directory" in done.stderr
