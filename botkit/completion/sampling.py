"""The sampling parameters that chat and text requests share.

Source: OpenAI API reference, ``CreateChatCompletionRequest``; ``top_k``, ``min_p`` and
``repetition_penalty`` are the extensions that open-weight servers have in common.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from botkit.completion.deadline import Deadline
from botkit.completion.messages import Wire
from botkit.errors import InvalidRequestError

MAX_STOPS = 4
MAX_CHOICES = 128

Stop = Annotated[str, Field(min_length=1)]
TokenId = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]


def _null_is_default(default: float | int | bool) -> BeforeValidator:
    """OpenAI documents null as "the default" for most optional numbers."""
    return BeforeValidator(lambda value: default if value is None else value)


class StreamOptions(Wire):
    """What a stream carries besides its deltas."""

    include_usage: Annotated[bool, _null_is_default(False)] = False
    include_obfuscation: Annotated[bool, _null_is_default(False)] = False


class SamplingFields(Wire):
    """How the next token is drawn and when a reply ends.

    Fields:
        temperature: 0 is greedy; divides the logits. Range 0 to 2.
        top_p: Nucleus: the smallest set of tokens with this much probability. Range 0 to 1.
        top_k: Keep this many most likely tokens; 0 keeps all. Extension.
        min_p: Keep tokens at least this fraction as likely as the likeliest. Extension.
        frequency_penalty, presence_penalty: Subtracted from the logits of tokens the reply
            already holds, per occurrence and once. Range -2 to 2.
        repetition_penalty: Divides positive and multiplies negative logits of tokens in prompt
            or reply (Keskar et al. 2019, arXiv:1909.05858). Range over 0 to 2. Extension.
        logit_bias: Token id (as text) to a bias of -100 to 100, added before sampling.
        seed: Equal seeds give equal replies; None draws a fresh one.
        stop: Up to four texts; the reply ends before the first that appears.
        n: How many independent replies.
        deadline: Seconds after which the reply is of no more use. Extension.
    """

    temperature: Annotated[float, Field(ge=0, le=2), _null_is_default(1.0)] = 1.0
    top_p: Annotated[float, Field(ge=0, le=1), _null_is_default(1.0)] = 1.0
    top_k: Annotated[int, Field(ge=0), _null_is_default(0)] = 0
    min_p: Annotated[float, Field(ge=0, le=1), _null_is_default(0.0)] = 0.0
    frequency_penalty: Annotated[float, Field(ge=-2, le=2), _null_is_default(0.0)] = 0.0
    presence_penalty: Annotated[float, Field(ge=-2, le=2), _null_is_default(0.0)] = 0.0
    repetition_penalty: Annotated[float, Field(gt=0, le=2), _null_is_default(1.0)] = 1.0
    logit_bias: dict[TokenId, Annotated[float, Field(ge=-100, le=100)]] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=MAX_STOPS)] | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES), _null_is_default(1)] = 1
    stream: Annotated[bool, _null_is_default(False)] = False
    stream_options: StreamOptions | None = None
    user: str | None = None
    deadline: Deadline = None

    @model_validator(mode="after")
    def _options_need_stream(self) -> Self:
        if self.stream_options is not None and not self.stream:
            raise InvalidRequestError(
                "'stream_options' is only allowed when 'stream' is true.", param="stream_options"
            )
        return self

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop texts, always as a tuple."""
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with a usage chunk."""
        return self.stream_options is not None and self.stream_options.include_usage
