"""A served model, as ``/v1/models`` lists it."""

from __future__ import annotations

from typing import Literal

from botkit.completion.usage import WireOut


class Model(WireOut):
    """One model id that requests may name."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
