"""What ``botkit doctor`` looks at in this package: JAX, the model, its compiled programs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from botkit.errors import ModelFileError
from botkit.plugins import Check
from botkit.settings import Settings
from botkit_models.home import find_model


def checks(settings: Settings) -> list[Check]:
    """Whether the local model can answer; mere warnings where something else answers."""
    local = settings.completion == "local"
    jax = _jax("fail" if local else "warn")
    if not local or jax.status != "ok":
        return [jax]
    adapters = [_adapter(settings, name, folder) for name, folder in settings.lora.items()]
    return [jax, _model(settings), *adapters, _programs(settings.compile_cache)]


def _jax(otherwise: Literal["warn", "fail"]) -> Check:
    try:
        import jax
    except ImportError as error:
        return Check("JAX", otherwise, str(error), "run: pip install 'botkit[jax]'")
    try:
        devices = jax.devices()
    except RuntimeError as error:
        advice = "set JAX_PLATFORMS=cpu, or mend the driver of the accelerator"
        return Check("JAX", otherwise, f"{jax.__version__}, no device: {error}", advice)
    names = ", ".join(str(device) for device in devices)
    return Check("JAX", "ok", f"{jax.__version__} on {jax.default_backend()}: {names}")


def _model(settings: Settings) -> Check:
    from botkit_models.pull.progress import folder_size
    from botkit_models.weights.native import open_native, weights_kind

    try:
        folder = find_model(settings.model, settings.home)
    except ModelFileError:
        found = f"{settings.model} is not installed"
        return Check("Model", "fail", found, f"run: botkit pull {settings.model}")
    try:
        kind = weights_kind(open_native(folder))
    except ModelFileError as error:
        found = f"{settings.model} is damaged: {error}"
        return Check("Model", "fail", found, f"run: botkit pull --force {settings.model}")
    size = f"{folder_size(folder) / (1 << 20):.0f} MiB"
    return Check("Model", "ok", f"{settings.model}, {kind}, {size}, in {folder}")


def _adapter(settings: Settings, name: str, folder: Path) -> Check:
    from botkit_models.lora.reading import read_adapter
    from botkit_models.weights.basis import read_basis
    from botkit_models.weights.native import open_native

    title = f"Adapter {name}"
    try:
        model = open_native(find_model(settings.model, settings.home))
        read_basis(model)
        adapter = read_adapter(folder, model.config)
    except ModelFileError as error:
        advice = f"mend it, or take {name} out of BOTKIT_LORA: the model does not start with it"
        return Check(title, "fail", str(error), advice)
    ranks = sorted({factors.rank for factors in adapter.factors.values()})
    rank = " to ".join(str(rank) for rank in dict.fromkeys((ranks[0], ranks[-1])))
    return Check(title, "ok", f"{len(adapter.factors)} projections, rank {rank}, in {folder}")


def _programs(cache: Path) -> Check:
    """The first start compiles and fills the cache; every later one loads from it."""
    files = [path for path in cache.rglob("*") if path.is_file()] if cache.is_dir() else []
    if not files:
        advice = "run botkit serve or botkit chat once: it compiles, and keeps the result"
        return Check("Programs", "warn", f"none are compiled in {cache}", advice)
    size = sum(path.stat().st_size for path in files) / (1 << 20)
    return Check("Programs", "ok", f"{len(files)} files, {size:.0f} MiB, in {cache}")
