"""Which requests are the same: a key that everything goes into that a reply depends on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from pydantic_core import PydanticSerializationError

from botkit.completion.chat import ChatCompletionRequest
from botkit.completion.model import Model

FORMAT = 1
"""Of keys and of what is kept under them; another one never finds what this one kept."""

LABELS = frozenset(
    {
        "user",
        "safety_identifier",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "prompt_cache_options",
        "stream",
        "stream_options",
        "deadline",
    }
)
"""Fields that change no word of a reply. Whether a stream tells its usage is in the key apart."""

_APART = set(LABELS | {"logit_bias"})

_EFFECTS = ("web_search_options", "audio", "moderation")
"""Fields with which a reply depends on more than the request, or is more than text."""

EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and whom the reply is for.

    Fields:
        scope: Whoever has the same is given the reply; :data:`EVERYBODY` for all.
        people: Who is forgotten with it, as :func:`person` names them.
    """

    scope: str
    people: tuple[str, ...]


def person(platform: str, sender: str) -> str:
    """A person's name in the cache: no id is kept there."""
    return sha256(json.dumps([platform, sender]).encode()).hexdigest()[:32]


def scope_of(platform: str, space: str, sender: str) -> str:
    """The scope of one person in one workspace."""
    return json.dumps([platform, space, sender])


def deterministic(request: ChatCompletionRequest) -> bool:
    """Whether asking again could only bring the same words."""
    return (
        (request.temperature == 0 or request.seed is not None)
        and request.n == 1
        and not (request.tools or request.functions or request.store)
        and request.modalities in (None, ["text"])
        and all(getattr(request, name) is None for name in _EFFECTS)
        and not (request.stream_options and request.stream_options.include_obfuscation)
    )


def cache_key(
    request: ChatCompletionRequest, scope: str, model: Model | None, fingerprint: str | None
) -> str | None:
    """The key of a request, or None for one whose reply is not kept.

    The request goes in as its canonical JSON: fields in the order of the schema, defaults left out.
    The keys inside ``response_format`` keep their order, for models write objects in it;
    ``logit_bias`` is sorted.

    Args:
        request: What is asked.
        scope: Of the :class:`Asker`.
        model: What the completion says of the request's model.
        fingerprint: What the completion says of that model's weights and programs.
    """
    if not deterministic(request):
        return None
    try:
        asked = request.__pydantic_serializer__.to_json(
            request, exclude=_APART, exclude_defaults=True
        )
    except PydanticSerializationError:  # half a character, which JSON cannot write
        return None
    described = None if model is None else (model.id, model.created, model.owned_by)
    bias = sorted((request.logit_bias or {}).items())
    around = [FORMAT, scope, described, fingerprint, request.include_usage, bias]
    return sha256(json.dumps(around).encode() + b"\n" + asked).hexdigest()
