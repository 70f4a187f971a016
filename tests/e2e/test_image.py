"""The container image: its Dockerfile line by line, and the tree that its scripts make.

``make soak`` builds it clean and with every program; ``make test`` with those that a first
question needs, on what an earlier run had from the package index.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from image import SECRETS, Image, answered, build, files, running
from local_model import MODEL

from botkit.testing.telegram import TelegramSimulator
from botkit_models.home import find_model

ROOT = Path(__file__).parents[2]
SOAK = bool(os.environ.get("BOTKIT_SOAK_IMAGE"))
SECRET = "webhook-secret"


def _load(name: str) -> ModuleType:
    path = ROOT / "infra/scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"infra_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


dockerfile = _load("dockerfile")
_, STAGES = dockerfile.parse((ROOT / "infra/Dockerfile").read_text())
EVERY = [each for stage in STAGES for each in stage.instructions]


def values(word: str) -> list[str]:
    """What follows ``word`` in the last stage."""
    return [each.rest for each in STAGES[-1].instructions if each.word == word]


# The Dockerfile


def test_every_run_is_one_script() -> None:
    runs = [each.rest for each in EVERY if each.word == "RUN"]
    assert len(runs) == len(set(runs)) > 0
    for run in runs:
        assert re.fullmatch(r"infra/container/\w+\.sh", run)
        script = ROOT / run
        assert script.read_text().startswith("#!/bin/sh\n")
        assert "set -eu" in script.read_text()
        assert os.access(script, os.X_OK)


def test_the_last_stage_takes_only_what_it_needs_and_runs_nothing() -> None:
    assert values("RUN") == []
    copied = [rest.split()[-1] for rest in values("COPY")]
    assert copied == ["/opt/botkit", "/var/lib/botkit"]
    assert all("--from=build" in rest for rest in values("COPY"))
    assert values("CMD") == ['["botkit", "serve"]']


def test_it_runs_as_nobody_in_particular() -> None:
    (user,) = values("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert f"--chown={user}" in values("COPY")[1]


def test_it_listens_where_platforms_tell_it() -> None:
    assert values("EXPOSE") == ["8080"]
    assert any("PORT=8080" in rest for rest in values("ENV"))
    assert not any("BOTKIT_PORT" in rest or "BOTKIT_HOST" in rest for rest in values("ENV"))


def test_no_line_sets_a_secret() -> None:
    for each in EVERY:
        if each.word in ("ENV", "ARG"):
            assert not re.search(r"TOKEN|SECRET|PASSWORD|API_KEY", each.rest)


def test_the_context_holds_the_sources_and_nothing_else(tmp_path: Path) -> None:
    there = ["botkit/app.py", "models/botkit_models/home.py", "infra/container/model.sh", "LICENSE"]
    outside = [
        ".git/config",
        ".env",
        ".venv/bin/python",
        "tests/test_x.py",
        "infra/compose.yaml",
        "botkit/__pycache__/app.pyc",
        "botkit/.env",
        "adapters/widget/node_modules/x.js",
        "botkit.db",
        "README.md.orig",
    ]
    for name in there + outside:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    assert sorted(map(str, dockerfile.context(tmp_path, patterns))) == sorted(there)


def test_what_is_copied_is_in_the_context() -> None:
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    names = list(dockerfile.context(ROOT, patterns))
    for each in STAGES[0].instructions:
        if each.word == "COPY":
            *sources, _ = each.words
            for source in sources:
                assert any(name.is_relative_to(source) for name in names), source


# The tree


@pytest.fixture(scope="session")
def image() -> Image:
    return build(f"PROGRAMS={'all' if SOAK else 'essential'}", clean=SOAK)


@pytest.mark.timeout(1800)
def test_the_image_holds_the_bot_its_model_and_the_programs(image: Image) -> None:
    home = image.root / "var/lib/botkit"
    find_model(MODEL, home)
    programs = [path.name for path in home.glob("compiled/programs-*/*")]
    for kind in ("decode-1-", "read-64-", "pools-"):
        assert any(name.startswith(kind) for name in programs), kind
    assert (len(programs) > 5) == SOAK
    found = files(image.root)
    tops = {name.split("/")[0] for name in found}
    assert tops == {"opt", "var"}
    sizes = dict.fromkeys(("opt/botkit", "var/lib/botkit/models", "var/lib/botkit/compiled"), 0)
    for name, size in found.items():
        sizes[next(top for top in sizes if name.startswith(top + "/"))] += size
    print({top: f"{size / 1e6:.0f} MB" for top, size in sizes.items()})
    assert sizes["opt/botkit"] < 1e9
    assert sizes["var/lib/botkit/models"] < 200e6
    assert sizes["var/lib/botkit/compiled"] < 50e6


def test_the_image_holds_no_tests_no_caches_and_no_tools(image: Image) -> None:
    for name in files(image.root):
        assert not set(Path(name).parts) & {"tests", ".git", ".cache", "node_modules"}, name
        assert not name.startswith(("var/lib/botkit/downloads", "var/lib/botkit/sources")), name
    installed = {path.name.split("-")[0] for path in image.site_packages.glob("*.dist-info")}
    assert not installed & {"pip", "pytest", "mypy", "ruff", "hypothesis", "playwright"}
    assert "botkit" in installed


def test_the_image_holds_no_secret(image: Image) -> None:
    secrets = [secret.encode() for secret in SECRETS.values()]
    own = [*image.site_packages.glob("botkit*"), image.root / "var", image.root / "opt/botkit/bin"]
    for folder in own:
        for path in folder.rglob("*"):
            if path.is_file() and path.stat().st_size < 10_000_000:
                content = path.read_bytes()
                assert not any(secret in content for secret in secrets), path


@pytest.mark.timeout(300)
async def test_it_acknowledges_and_the_model_answers(image: Image, tmp_path: Path) -> None:
    before = set(files(image.root / "opt"))
    async with TelegramSimulator() as telegram, aiohttp.ClientSession() as session:
        variables = {
            "TELEGRAM_BOT_TOKEN": telegram.bot_token,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "TELEGRAM_API_BASE_URL": telegram.api_base_url,
            "BOTKIT_DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}",
            "BOTKIT_WARM_UP": "false",
        }
        log = tmp_path / "log"
        with running(image, log, **variables) as (address, _):
            answered(f"{address}/healthz", within=30)
            telegram.set_webhook(f"{address}/telegram/webhook", SECRET)
            ada = telegram.user("Ada")
            ada.send("What is the capital of France?")
            (reply,) = await telegram.replies(ada.chat, 1, within=120)
            assert "Paris" in reply.text
            assert [each.status for each in telegram.deliveries.log] == [200]
            body = {
                "model": MODEL,
                "messages": [{"role": "user", "content": "Hello!"}],
                "stream": True,
                "max_tokens": 1,
            }
            async with session.post(f"{address}/v1/chat/completions", json=body) as response:
                assert response.status == 200
                assert b'"content":' in await response.read()
        assert "compiling" not in log.read_text()
        assert "0.0.0.0" in log.read_text()  # PORT was obeyed, on every interface
    assert set(files(image.root / "opt")) == before, "the code is not written to when it runs"


def test_the_environments_extras_exist() -> None:
    extras = next(each.rest for each in EVERY if each.rest.startswith("EXTRAS="))
    requirements = _load_requirements()
    project = requirements.tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = extras.partition("=")[2].split(",")
    found = requirements.needed(project, names)
    assert {re.split(r"[\[<>=]", each)[0] for each in found} >= {"aiohttp", "jax", "psycopg"}
    everything = requirements.needed(project, ["all"])
    assert set(found) <= set(everything)
    assert not any(each.startswith("botkit") for each in everything)


def _load_requirements() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "requirements", ROOT / "infra/container/requirements.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
