"""A served model, as ``/v1/models`` lists it."""

from __future__ import annotations

from typing import Literal

from botkit.completion.usage import WireOut


class Model(WireOut):
    """One model id that requests may name.

    A model with an adapter says what it is made of, as vLLM's server does: ``root`` names the
    folder of its adapter, ``parent`` is the id of the model under it.
    """

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    root: str | None = None
    parent: str | None = None


class ModelList(WireOut):
    """Every model id that requests may name."""

    object: Literal["list"] = "list"
    data: list[Model]


class Engine(WireOut):
    """A model, as the old ``/v1/engines`` lists it."""

    id: str
    object: Literal["engine"] = "engine"
    owner: str
    ready: bool


class EngineList(WireOut):
    """Every engine."""

    object: Literal["list"] = "list"
    data: list[Engine]
