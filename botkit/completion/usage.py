"""Token counts of one request."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

ALWAYS_SENT: Final = "always sent"
"""Marks a field that is on the wire even when it was never set and its default is None."""


class WireOut(BaseModel):
    """Base of every response type; serialise with :meth:`to_json`.

    Fields that were never set and default to None are absent from the JSON: in OpenAI's
    responses a missing field and a null one differ. Constants (``object``) are always there.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    always_sent: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.always_sent = frozenset(
            name
            for name, info in cls.model_fields.items()
            if not info.is_required() and (info.default is not None or ALWAYS_SENT in info.metadata)
        )

    def model_post_init(self, context: Any, /) -> None:
        """Count constants as set."""
        self.model_fields_set.update(self.always_sent)

    def to_json(self) -> str:
        """The JSON text that goes over the wire."""
        return self.model_dump_json(exclude_unset=True)


class PromptTokensDetails(WireOut):
    """Where the prompt tokens came from."""

    cached_tokens: int = 0


class CompletionTokensDetails(WireOut):
    """What the reply tokens were.

    Fields:
        reasoning_tokens: Thought before the answer.
        accepted_prediction_tokens: Guessed beforehand, and drawn all the same.
        rejected_prediction_tokens: Guessed in vain: they are no part of the reply.
    """

    reasoning_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class Usage(WireOut):
    """Tokens of one request, all choices together."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


def usage(
    prompt_tokens: int,
    completion_tokens: int,
    *,
    cached_tokens: int = 0,
    details: CompletionTokensDetails | None = None,
) -> Usage:
    """Usage of a request, with its sum."""
    counted = Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=cached_tokens),
    )
    if details is None:
        return counted
    return counted.model_copy(update={"completion_tokens_details": details})
