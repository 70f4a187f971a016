"""A completion behind an OpenAI-compatible endpoint, over the ``openai`` SDK.

The SDK is imported by :meth:`RemoteCompletion.start`, and its exceptions end in this file. Its own
retries are off: whether to ask again is for one place to decide
(:mod:`botkit.completion.fallback`).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from botkit.completion.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from botkit.completion.embeddings import EmbeddingRequest, EmbeddingResponse
from botkit.completion.model import Model
from botkit.completion.remote_answers import made_whole
from botkit.completion.remote_errors import UNREACHABLE, RemoteError, from_sdk
from botkit.completion.text import TextCompletion, TextCompletionRequest
from botkit.errors import (
    CompletionError,
    CompletionUnavailableError,
    MissingExtraError,
    SettingsError,
)

if TYPE_CHECKING:
    from openai import AsyncOpenAI

WireT = TypeVar("WireT", bound=BaseModel)

DEFAULT_TIMEOUT = 120.0
MODELS_SECONDS = 300.0
"""How long the endpoint's list of models is believed."""

_KEYLESS = "none"
"""Local servers want no key, but the SDK wants to send one."""


class RemoteSettings(Protocol):
    """The settings that :func:`remote_completion` reads."""

    @property
    def openai_base_url(self) -> str | None: ...  # noqa: D102
    @property
    def openai_api_key(self) -> SecretStr | None: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def model_fields_set(self) -> set[str]: ...  # noqa: D102


class RemoteCompletion:
    """Chat, text completions and embeddings of an OpenAI-compatible endpoint.

    Args:
        base_url: The endpoint up to and with ``/v1``; None is OpenAI's.
        api_key: Its key, or None for an endpoint that wants none.
        model: The only model to offer; None offers what the endpoint lists.
        timeout: Seconds for the endpoint to answer, and between two pieces of a stream.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        model: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._timeout = timeout
        self._clock = clock
        self._client: AsyncOpenAI | None = None
        self._listed: tuple[float, list[Model]] | None = None

    @property
    def ready(self) -> bool:
        """True between :meth:`start` and :meth:`aclose`."""
        return self._client is not None

    async def start(self) -> None:
        """Import the SDK; nothing is asked of the endpoint yet.

        Raises:
            MissingExtraError: The SDK is not installed.
        """
        if self._client is not None:
            return
        try:
            from openai import AsyncOpenAI
        except ImportError:
            raise MissingExtraError("openai", "openai") from None
        self._client = AsyncOpenAI(
            base_url=self._base_url,
            api_key=self._api_key or _KEYLESS,
            timeout=self._timeout,
            max_retries=0,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def models(self) -> Sequence[Model]:
        """The given model, or what the endpoint lists; a list is kept for five minutes."""
        if self._model is not None:
            return [Model(id=self._model, created=0, owned_by="remote")]
        if self._listed is None or self._clock() - self._listed[0] > MODELS_SECONDS:
            client = self._connected()
            with _sdk_errors():
                page = await client.models.list()
                entries = [_checked(Model, entry) for entry in page.data]
            self._listed = (self._clock(), entries)
        return self._listed[1]

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """The endpoint's reply."""
        client, fields = self._connected(request.deadline), _fields(request)
        with _sdk_errors():
            reply = await client.chat.completions.create(
                model=fields.pop("model"), messages=fields.pop("messages"), extra_body=fields
            )
            return _checked(ChatCompletion, reply)

    async def stream(self, request: ChatCompletionRequest) -> AsyncIterator[ChatCompletionChunk]:
        """The endpoint's chunks; closing this iterator closes the connection."""
        client, fields = self._connected(request.deadline), _fields(request)
        with _sdk_errors():
            chunks = await client.chat.completions.create(
                model=fields.pop("model"),
                messages=fields.pop("messages"),
                stream=True,
                extra_body=fields,
            )
            async with chunks:
                async for chunk in chunks:
                    yield _checked(ChatCompletionChunk, chunk)

    async def complete_text(self, request: TextCompletionRequest) -> TextCompletion:
        """The endpoint's continuations."""
        client, fields = self._connected(request.deadline), _fields(request)
        with _sdk_errors():
            reply = await client.completions.create(
                model=fields.pop("model"), prompt=fields.pop("prompt", ""), extra_body=fields
            )
            return _checked(TextCompletion, reply)

    async def stream_text(self, request: TextCompletionRequest) -> AsyncIterator[TextCompletion]:
        """The endpoint's deltas; closing this iterator closes the connection."""
        client, fields = self._connected(request.deadline), _fields(request)
        with _sdk_errors():
            parts = await client.completions.create(
                model=fields.pop("model"),
                prompt=fields.pop("prompt", ""),
                stream=True,
                extra_body=fields,
            )
            async with parts:
                async for part in parts:
                    yield _checked(TextCompletion, part)

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """The endpoint's vectors."""
        client, fields = self._connected(request.deadline), _fields(request)
        # Left to itself, the SDK asks for base64 and decodes it.
        encoding = fields.pop("encoding_format", "float")
        with _sdk_errors():
            reply = await client.embeddings.create(
                model=fields.pop("model"),
                input=fields.pop("input"),
                encoding_format=encoding,
                extra_body=fields,
            )
            return _checked(EmbeddingResponse, reply)

    def _connected(self, deadline: float | None = None) -> AsyncOpenAI:
        if self._client is None:
            raise CompletionUnavailableError("The remote completion is not started, or closed.")
        if deadline is None or deadline >= self._timeout:
            return self._client
        return self._client.with_options(timeout=deadline)


def remote_completion(settings: RemoteSettings) -> RemoteCompletion:
    """The completion that the settings name.

    A model that someone chose is the only one offered. The default of the setting names the local
    model, which says nothing about an endpoint's: then what the endpoint lists is offered.

    Raises:
        SettingsError: OpenAI's own endpoint is meant, and there is no key for it.
    """
    key = settings.openai_api_key
    if key is None and settings.openai_base_url is None:
        raise SettingsError(
            "OPENAI_API_KEY is not set; set it, or set OPENAI_BASE_URL to an endpoint that "
            "wants no key"
        )
    return RemoteCompletion(
        base_url=settings.openai_base_url,
        api_key=None if key is None else key.get_secret_value(),
        model=settings.model if "model" in settings.model_fields_set else None,
    )


def _fields(request: BaseModel) -> dict[str, Any]:
    """What the client sent, and nothing it did not: the endpoint's defaults stay its own.

    All but the SDK's required arguments travels as ``extra_body``, so that an SDK older than a
    field still sends it. ``stream`` is the SDK's to set; a deadline is the SDK's timeout.
    """
    return request.model_dump(
        mode="json", exclude_unset=True, exclude_none=True, exclude={"stream", "deadline"}
    )


def _checked(kind: type[WireT], reply: Any) -> WireT:
    """An SDK object as ours; the SDK itself does not check what an endpoint sends."""
    try:
        answer = made_whole(reply.model_dump(exclude_unset=True, warnings=False))
        return kind.model_validate(answer)
    except (ValidationError, AttributeError):
        raise RemoteError(
            f"The endpoint's answer is not a valid {kind.__name__}.",
            status=502,
            code="bad_gateway",
        ) from None


@contextmanager
def _sdk_errors() -> Iterator[None]:
    """Let only :mod:`botkit.errors` out."""
    import openai

    try:
        yield
    except CompletionError:
        raise
    except openai.OpenAIError as error:
        raise from_sdk(error) from error
    except ValueError as error:
        raise RemoteError("The endpoint's answer is not JSON.", status=502) from error
    except Exception as error:
        # A connection that breaks in the middle of a stream comes as the HTTP library's own error,
        # and which library that is depends on the SDK's version.
        raise CompletionUnavailableError(UNREACHABLE) from error
