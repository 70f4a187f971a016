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


REPLY_TOKENS = 512
"""The most that the local model writes in one reply, unless told otherwise."""


def request_defaults(reply_tokens: int | None, model: Model | None) -> dict[str, Any]:
    """What a bot's request to ``model`` says where nobody says otherwise, by wire name; with the
    most tokens of a reply."""
    ours = model is not None and model.owned_by == OWNER
    limit = reply_tokens or (REPLY_TOKENS if ours else None)
    return sampling({}, model, again=False) | ({} if limit is None else {"max_tokens": limit})


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
