"""Every error that leaves a botkit package.

BotkitError
 |- SettingsError                 a variable or option is wrong or missing
 |- MissingExtraError             an optional package is not installed
 |- CompletionError               a request to a model failed; carries the OpenAI error shape
 |   |- InvalidRequestError       400  the request is wrong; ``param`` names the field
 |   |   |- UnsupportedParameterError   400  documented, but not obeyed here: refused by name
 |   |   |- UnsupportedEndpointError    400  the model cannot embed, continue text, search ...
 |   |   '- ContextLengthError    400  prompt plus reply do not fit the context
 |   |- AuthenticationError       401  missing or unknown API key
 |   |- ModelNotFoundError        404  no such model
 |   |- OverloadedError           429  the queue is full; ``retry_after`` in seconds
 |   |- BudgetExceededError       429  the day's tokens are used; ``retry_after`` in seconds
 |   |- CompletionUnavailableError 503  not ready, shutting down, circuit open, backend gone
 |   '- DeadlineExceededError     504  no answer within the deadline
 |- ModelFileError                weights, tokenizer or template are damaged, hostile or unknown
 |- PullError                     a model could not be brought; nothing is left half-installed
 |- HandlerError                  a handler cannot be registered, or returned what is no reply
 |- DeliveryError                 a platform did not do what it was asked
 |   |- DeliveryDelayedError      certainly not done; ``retry_after`` in seconds
 |   |- DeliveryUncertainError    done or not: the connection broke before the answer
 |   '- DeliveryRefusedError      it never will be
 '- StoreError                    the database cannot be reached, is full, or refuses
     '- LeaseLostError            somebody else works on the conversation now
"""

from __future__ import annotations

from typing import Literal


class BotkitError(Exception):
    """Base of everything botkit raises on purpose."""


class SettingsError(BotkitError):
    """A variable or option is wrong or missing; the message says which, and what to set."""


class MissingExtraError(BotkitError):
    """An optional package is needed for what was asked."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"the package {package!r} is not installed; run: pip install 'botkit[{extra}]'"
        )
        self.package = package
        self.extra = extra


class CompletionError(BotkitError):
    """A request to a model failed, in OpenAI's terms.

    Args:
        message: What was wrong, for a person.
        param: The request field at fault, as ``messages[0].content``, or None.
        code: A machine-readable code, or None.

    ``status`` is the HTTP status and ``type`` the OpenAI error type
    (https://platform.openai.com/docs/guides/error-codes).
    """

    status: int = 500
    type: str = "server_error"
    default_code: str | None = None

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code if code is not None else self.default_code

    @property
    def retry_after(self) -> float | None:
        """Seconds after which a retry may succeed, or None when unknown."""
        return None


class InvalidRequestError(CompletionError):
    """The request is wrong; sending it again will not help."""

    status = 400
    type = "invalid_request_error"

    def blames(self, field: str) -> bool:
        """Whether a field of the request is named as the one at fault."""
        return field in f"{self.param} {self}"


class UnsupportedParameterError(InvalidRequestError):
    """A documented parameter that this completion does not obey."""

    default_code = "unsupported_parameter"

    def __init__(self, param: str, reason: str = "is not supported by this model") -> None:
        super().__init__(f"Unsupported parameter: '{param}' {reason}.", param=param)


class UnsupportedEndpointError(InvalidRequestError):
    """The model has no such ability at all: text completions, embeddings, search."""

    default_code = "unsupported_endpoint"

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"The model does not support {endpoint}.", param="model")


class ContextLengthError(InvalidRequestError):
    """The prompt, or prompt plus reply, does not fit the model's context."""

    default_code = "context_length_exceeded"

    def __init__(
        self, *, limit: int, prompt_tokens: int, reply_tokens: int, param: str = "messages"
    ) -> None:
        super().__init__(
            f"This model's maximum context length is {limit} tokens. However, you requested "
            f"{prompt_tokens + reply_tokens} tokens ({prompt_tokens} in the prompt, "
            f"{reply_tokens} for the reply). Please shorten the prompt or the reply.",
            param=param,
        )
        self.limit = limit
        self.prompt_tokens = prompt_tokens
        self.reply_tokens = reply_tokens


class AuthenticationError(CompletionError):
    """The API key is missing or unknown."""

    status = 401
    type = "invalid_request_error"
    default_code = "invalid_api_key"


class ModelNotFoundError(CompletionError):
    """No model of that name is served here."""

    status = 404
    type = "invalid_request_error"
    default_code = "model_not_found"

    def __init__(self, model: str) -> None:
        super().__init__(
            f"The model '{model}' does not exist or you do not have access to it.", param="model"
        )


class OverloadedError(CompletionError):
    """Too much is waiting already.

    Args:
        message: What is full.
        retry_after: Seconds after which a place is likely to be free, or None when unknown.
        code: A machine-readable code other than ``rate_limit_exceeded``, or None.
    """

    status = 429
    type = "rate_limit_error"
    default_code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: float | None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self._retry_after = retry_after

    @property
    def retry_after(self) -> float | None:
        """Seconds after which a place is likely to be free, or None when unknown."""
        return self._retry_after


class BudgetExceededError(CompletionError):
    """The tokens of the day are used.

    Args:
        scope: Whose: ``user``, ``conversation`` or ``workspace``.
        wait: Seconds until the next day begins.
    """

    status = 429
    type = "insufficient_quota"
    default_code = "insufficient_quota"

    def __init__(self, scope: Literal["user", "conversation", "workspace"], wait: float) -> None:
        super().__init__(f"The tokens that this {scope} may use in a day are used.")
        self.scope = scope
        self.wait = wait

    @property
    def retry_after(self) -> float | None:
        """Seconds until the next day begins."""
        return self.wait


class CompletionUnavailableError(CompletionError):
    """The model cannot answer now: not loaded yet, shutting down, or its endpoint is gone.

    Args:
        message: Why not.
        retry_after: Seconds after which it may answer again, or None when unknown.
        code: A machine-readable code other than ``service_unavailable``, or None.
    """

    status = 503
    type = "server_error"
    default_code = "service_unavailable"

    def __init__(
        self, message: str, *, retry_after: float | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self._retry_after = retry_after

    @property
    def retry_after(self) -> float | None:
        """Seconds after which it may answer again, or None when unknown."""
        return self._retry_after


class DeadlineExceededError(CompletionError):
    """No answer came within the deadline."""

    status = 504
    type = "server_error"
    default_code = "deadline_exceeded"


class ModelFileError(BotkitError):
    """A model file is damaged, hostile, or of a kind this version cannot read."""


class PullError(BotkitError):
    """A model could not be brought here; the message says why and what to do."""


class HandlerError(BotkitError):
    """A handler is not written as it must be; the message says which and how."""


class DeliveryError(BotkitError):
    """A platform did not do what it was asked.

    Args:
        reason: Why, in the platform's own code where it gave one, as ``channel_not_found``; holds
            no text of a message and no token.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeliveryDelayedError(DeliveryError):
    """Certainly not done; it may be asked again.

    Args:
        reason: Why.
        retry_after: Seconds to wait, as the platform demands, or None when it does not say.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class DeliveryUncertainError(DeliveryError):
    """Done or not: the answer never came."""


class DeliveryRefusedError(DeliveryError):
    """Not done, and asking again will not help."""


class StoreError(BotkitError):
    """The database cannot be reached, is full, or refuses; nothing of the transaction is kept."""


class LeaseLostError(StoreError):
    """The conversation was leased to somebody else, or erased: this holder may not commit."""
