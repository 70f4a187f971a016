"""What the models package tells ``botkit doctor``."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import pytest
from lora_adapters import tiny_adapter
from tiny_models import write_tiny

from botkit.plugins import Check
from botkit.settings import Settings
from botkit_models.commands.checks import checks


def examine(home: Path, completion: str = "local") -> dict[str, Check]:
    found = checks(Settings.load(home=home, completion=completion, model="smollm2-135m"))
    return {check.name: check for check in found}


def test_jax_and_its_devices_are_named(tmp_path: Path) -> None:
    found = examine(tmp_path)["JAX"]
    assert found.status == "ok"
    assert jax.__version__ in found.found
    assert str(jax.devices()[0]) in found.found


@pytest.mark.parametrize(("completion", "status"), [("local", "fail"), ("echo", "warn")])
def test_without_jax_only_the_local_model_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, completion: str, status: str
) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    found = examine(tmp_path, completion)
    assert list(found) == ["JAX"]
    assert found["JAX"].status == status
    assert "botkit[jax]" in found["JAX"].advice


def test_a_missing_model_is_to_be_pulled(tmp_path: Path) -> None:
    found = examine(tmp_path)["Model"]
    assert (found.status, found.advice) == ("fail", "run: botkit pull smollm2-135m")


def test_a_damaged_model_is_to_be_pulled_again(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "smollm2-135m"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    found = examine(tmp_path)["Model"]
    assert (found.status, found.advice) == ("fail", "run: botkit pull --force smollm2-135m")


def test_adapters_are_looked_at_with_the_model(tmp_path: Path) -> None:
    model = tmp_path / "models" / "smollm2-135m"
    model.parent.mkdir()
    write_tiny(model, "int8")
    good = tiny_adapter(targets=("q_proj",), ranks={"q_proj": 3}).write(tmp_path / "good")
    bad = tiny_adapter("gpt2").write(tmp_path / "bad")
    found = {
        check.name: check
        for check in checks(Settings.load(home=tmp_path, lora={"good": good, "bad": bad}))
    }
    assert found["Adapter good"].status == "ok"
    assert "2 projections, rank 3" in found["Adapter good"].found
    assert found["Adapter bad"].status == "fail"
    assert str(bad) in found["Adapter bad"].found
    assert "BOTKIT_LORA" in found["Adapter bad"].advice


def test_a_cold_cache_is_a_warning_and_a_filled_one_is_fine(tmp_path: Path) -> None:
    assert examine(tmp_path)["Programs"].status == "warn"
    (tmp_path / "compiled" / "cpu").mkdir(parents=True)
    assert examine(tmp_path)["Programs"].status == "warn"
    (tmp_path / "compiled" / "cpu" / "step").write_bytes(b"program")
    assert examine(tmp_path)["Programs"].status == "ok"


def test_where_something_else_answers_no_model_is_asked_for(tmp_path: Path) -> None:
    assert list(examine(tmp_path, "echo")) == ["JAX"]
