"""Token counts of one request."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class WireOut(BaseModel):
    """Base of every response type; serialise with :meth:`to_json`, which drops unset fields."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def to_json(self) -> str:
        """The JSON text that goes over the wire: fields never set are absent."""
        return self.model_dump_json(exclude_unset=True)


class PromptTokensDetails(WireOut):
    """Where the prompt tokens came from."""

    cached_tokens: int = 0


class CompletionTokensDetails(WireOut):
    """What the reply tokens were."""

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


def usage(prompt_tokens: int, completion_tokens: int, *, cached_tokens: int = 0) -> Usage:
    """Usage of a request, with its sum."""
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=cached_tokens),
    )
