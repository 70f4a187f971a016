"""How replies are drawn on the terminal when nobody says how.

OpenAI's default temperature of 1 suits large models; a small one loses the thread. The
likeliest words it is, then, and a penalty that ends the circles in which small models like to walk.
Other endpoints know what suits their models, and some refuse a temperature: they are told nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botkit.completion import Model

OWNER = "botkit"
"""Who owns a model that runs in a botkit process, as ``/v1/models`` says."""

LIKELIEST: Mapping[str, float] = {"temperature": 0.0, "frequency_penalty": 0.4}
VARIED: Mapping[str, float] = {"temperature": 0.2, "top_p": 0.9, "frequency_penalty": 0.4}
"""What the authors of SmolLM2 recommend, and the penalty."""


def sampling(chosen: Mapping[str, Any], model: Model | None, *, again: bool) -> dict[str, Any]:
    """The sampling parameters of a request, by wire name.

    Args:
        chosen: What the user asked for: wins, and a chosen temperature is taken as it is.
        model: Who answers, or None when that is not known.
        again: Another reply to the same question is wanted.
    """
    if model is None or model.owned_by != OWNER or "temperature" in chosen:
        return dict(chosen)
    default = VARIED if again or "seed" in chosen else LIKELIEST
    return {**default, **chosen}
