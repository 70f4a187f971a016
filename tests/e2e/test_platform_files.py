"""Cloud Run, Knative and compose: what their files set exists, and no secret is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from botkit.settings import Settings

INFRA = Path(__file__).parents[2] / "infra"
VARIABLES = {name for variable in Settings.describe() for name in variable.names} | {"PORT"}
SECRETS = {name for each in Settings.describe() if each.secret for name in each.names} | {
    "BOTKIT_DATABASE_URL"
}
PLATFORMS = ("cloudrun.yaml", "knative.yaml")


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((INFRA / name).read_text()))


def service(name: str) -> dict[str, Any]:
    (found,) = (each for each in documents(name) if each["kind"] == "Service")
    return found


def revision(name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A service's annotations, its pod and its container."""
    template = service(name)["spec"]["template"]
    (container,) = template["spec"]["containers"]
    return template["metadata"]["annotations"], template["spec"], container


def environments(value: Any) -> Iterator[dict[str, Any]]:
    """Every entry of an ``env`` anywhere below."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "env":
                yield from inner
            else:
                yield from environments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from environments(inner)


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_variable_is_known_and_set_once(name: str) -> None:
    for document in documents(name):
        names = [each["name"] for each in environments(document)]
        assert names
        assert set(names) <= VARIABLES
        assert len(names) == len(set(names))


@pytest.mark.parametrize("name", PLATFORMS)
def test_secrets_are_references(name: str) -> None:
    for entry in environments(documents(name)):
        if entry["name"] in SECRETS:
            assert set(entry) == {"name", "valueFrom"}
            assert set(entry["valueFrom"]["secretKeyRef"]) == {"name", "key"}
        else:
            assert isinstance(entry["value"], str), "Kubernetes takes strings only"


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_values_are_ones_that_the_settings_take(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for entry in environments(documents(name)):
        value = entry.get("value", "postgresql://x" if "DATABASE" in entry["name"] else "secret")
        monkeypatch.setenv(entry["name"], value)
    monkeypatch.setenv("PORT", "9000")
    settings = Settings.load()
    assert (settings.host, settings.port) == ("0.0.0.0", 9000)
    assert settings.public_url is not None


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_service_scales_to_zero_and_is_probed_where_it_listens(name: str) -> None:
    annotations, spec, container = revision(name)
    scale = {key.lower().replace("-", ""): value for key, value in annotations.items()}
    assert scale["autoscaling.knative.dev/minscale"] == "0"
    assert int(scale["autoscaling.knative.dev/maxscale"]) > 1
    assert all(isinstance(value, str) for value in annotations.values())
    assert 1 <= spec["containerConcurrency"] <= 1000
    (port,) = container["ports"]
    assert port == {"name": "http1", "containerPort": 8080}
    probes = [container[key] for key in container if key.endswith("Probe")]
    assert len(probes) >= 2
    for probe in probes:
        assert probe["httpGet"] == {"path": "/healthz", "port": 8080}
    assert "livenessProbe" in container


def test_cloud_run_boosts_the_start_and_pushes_turns() -> None:
    annotations, spec, container = revision("cloudrun.yaml")
    assert annotations["run.googleapis.com/startup-cpu-boost"] == "true"
    assert annotations["run.googleapis.com/cpu-throttling"] == "true"
    values = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert values["BOTKIT_TRIGGER"] == "http"
    assert spec["timeoutSeconds"] == 900
    assert (
        container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"]
        >= 30
    )
    # SIGKILL comes ten seconds after SIGTERM.
    assert Settings.model_fields["shutdown_timeout"].default < 10


def test_knative_gives_running_turns_time_and_drains_on_a_schedule() -> None:
    _, spec, container = revision("knative.yaml")
    values = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert float(values["BOTKIT_SHUTDOWN_TIMEOUT"]) < spec["timeoutSeconds"]
    assert container["securityContext"]["runAsNonRoot"]
    (job,) = (each for each in documents("knative.yaml") if each["kind"] == "CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"] == ["botkit", "push"]
    assert {entry["name"] for entry in environments(job)} == {
        "BOTKIT_PUBLIC_URL",
        "BOTKIT_SECRET_KEY",
    }


def test_compose_has_a_database_that_lasts_and_a_cache_that_does_not() -> None:
    (compose,) = documents("compose.yaml")
    services = compose["services"]
    assert set(services) == {"bot", "postgres", "redis"}
    bot = services["bot"]
    assert bot["build"] == {"context": "..", "dockerfile": "infra/Dockerfile"}
    assert set(bot["environment"]) <= VARIABLES
    assert bot["environment"]["BOTKIT_REDIS_URL"] == "redis://redis:6379/0"
    for name in SECRETS & set(bot["environment"]) - {"BOTKIT_DATABASE_URL"}:
        assert bot["environment"][name] is None, "taken from whoever starts it"
    assert "${POSTGRES_PASSWORD:?" in bot["environment"]["BOTKIT_DATABASE_URL"]
    assert bot["depends_on"]["postgres"]["condition"] == "service_healthy"
    command = services["redis"]["command"]
    assert command[command.index("--save") + 1] == ""
    assert command[command.index("--appendonly") + 1] == "no"
    assert "volumes" not in services["redis"]
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql/data"]
    # Longer than BOTKIT_SHUTDOWN_TIMEOUT.
    assert float(bot["stop_grace_period"].rstrip("s")) > 8
