"""The completion of this process: loads a model and answers with it.

This module imports neither JAX nor the engine: a server can listen and acknowledge while
:meth:`LocalCompletion.start` loads them in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    TokenLogprob,
)
from botkit.completion.embeddings import EmbeddingRequest, EmbeddingResponse
from botkit.completion.load import Load
from botkit.completion.messages import Message
from botkit.completion.model import Model
from botkit.completion.text import TextCompletion, TextCompletionRequest
from botkit.errors import CompletionUnavailableError, MissingExtraError, ModelNotFoundError
from botkit_models.engine.config import EngineConfig, EngineSettings
from botkit_models.home import find_model

if TYPE_CHECKING:
    from botkit_models.engine.stats import EngineStats
    from botkit_models.local.runtime import Runtime


class LocalSettings(EngineSettings, Protocol):
    """What is read from :class:`botkit.settings.Settings`."""

    home: Path
    model: str
    compile_cache: Path
    warm_up: bool
    lora: Mapping[str, Path]


class LocalCompletion:
    """Answers with a model in this process; see :mod:`botkit.completion.protocol`.

    Args:
        model: Name of an installed model, or path of a serving folder.
        home: Where installed models are.
        compile_cache: Where compiled programs are kept.
        config: How large the engine is.
        warm_up: Load the programs that a first question does not need in the background.
        lora: Adapters (see :mod:`botkit_models.lora`): the model name that requests give, and the
            folder. A request that names one is answered by the model with that adapter.
    """

    def __init__(
        self,
        model: str,
        *,
        home: Path,
        compile_cache: Path,
        config: EngineConfig = EngineConfig(),  # noqa: B008  # frozen
        warm_up: bool = True,
        lora: Mapping[str, Path] | None = None,
    ) -> None:
        self._model, self._home, self._compile_cache = model, home, compile_cache
        self._config = config
        self._warm_up = warm_up
        self._lora = dict(lora or {})
        self._runtimes: list[Runtime] = []
        self._starting = asyncio.Lock()
        self._ready = False

    @property
    def ready(self) -> bool:
        """True once the model and the programs for a first question are loaded, and while the
        engine takes requests."""
        return self._ready and not self._runtimes[0].engine.closed

    @property
    def stats(self) -> EngineStats:
        """The engine's counters.

        Raises:
            CompletionUnavailableError: The model is not loaded.
        """
        return self._loaded().engine.stats

    async def start(self) -> None:
        """Load the model and the first programs.

        Raises:
            ModelFileError: It is not installed, or damaged; or an adapter is, or does not fit.
            SettingsError: An adapter has the model's name.
            MissingExtraError: JAX is not installed.
        """
        async with self._starting:
            if self._ready:
                return
            folder = find_model(self._model, self._home)
            self._runtimes = await asyncio.to_thread(self._load, folder)
            engine = self._runtimes[0].engine
            try:
                await engine.start(warm_up=self._warm_up)
            except BaseException:
                # Cancelling does not reach the thread that loads; closing does.
                await asyncio.shield(engine.aclose())
                raise
            self._ready = True

    async def aclose(self) -> None:
        """Fail what is still running and stop the engine."""
        async with self._starting:
            if self._ready:
                self._ready = False
                await self._runtimes[0].engine.aclose()

    async def models(self) -> Sequence[Model]:
        """The model, under the name of its folder, and each adapter under its own."""
        self._loaded()
        return [runtime.model for runtime in self._runtimes]

    def load(self) -> Load | None:
        """See :meth:`botkit.completion.protocol.Loaded.load`."""
        return self._runtimes[0].engine.load if self._ready else None

    def version(self, model: str) -> str:
        """See :meth:`botkit.completion.protocol.Versioned.version`."""
        base = self._loaded()
        found = (one.fingerprint for one in self._runtimes if one.name == model)
        return next(found, base.fingerprint)

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """See :meth:`botkit.completion.protocol.Completion.complete`."""
        from botkit_models.local.chat import complete_chat

        return await complete_chat(self._named(request.model), request)

    async def stream(
        self, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """See :meth:`botkit.completion.protocol.Completion.stream`."""
        from botkit_models.local.chat import stream_chat

        async with aclosing(stream_chat(self._named(request.model), request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def complete_text(self, request: TextCompletionRequest) -> TextCompletion:
        """See :meth:`botkit.completion.protocol.TextCompleter.complete_text`."""
        from botkit_models.local.text import complete_text

        return await complete_text(self._named(request.model), request)

    async def stream_text(
        self, request: TextCompletionRequest
    ) -> AsyncGenerator[TextCompletion, None]:
        """See :meth:`botkit.completion.protocol.TextCompleter.stream_text`."""
        from botkit_models.local.text import stream_text

        async with aclosing(stream_text(self._named(request.model), request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """See :meth:`botkit.completion.protocol.Embedder.embed`."""
        from botkit_models.local.embeddings import embed

        return await embed(self._named(request.model), request)

    async def score(
        self, model: str, messages: Sequence[Message], reply: str
    ) -> Sequence[TokenLogprob]:
        """See :meth:`botkit.completion.protocol.Scorer.score`."""
        from botkit_models.local.scoring import score

        return await score(self._named(model), model, messages, reply)

    async def likelihoods(self, model: str, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """See :meth:`botkit.completion.protocol.Scorer.likelihoods`."""
        from botkit_models.local.scoring import likelihoods

        return await likelihoods(self._named(model), model, pairs)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :meth:`botkit.completion.protocol.TokenCounter.count_tokens`."""
        return self._loaded().prompts.count(texts)

    def _loaded(self) -> Runtime:
        """The model as it is."""
        if not self._ready:
            raise CompletionUnavailableError("The model is still loading; try again shortly.")
        return self._runtimes[0]

    def _named(self, model: str) -> Runtime:
        """The model, or the model with an adapter, that a request names.

        Raises:
            ModelNotFoundError: It names another.
        """
        self._loaded()
        for runtime in self._runtimes:
            if runtime.name == model:
                return runtime
        raise ModelNotFoundError(model)

    def _load(self, folder: Path) -> list[Runtime]:
        try:
            import jax  # noqa: F401  # said here, so that the message names the extra
        except ImportError:
            raise MissingExtraError("jax", "jax") from None
        from botkit_models.local.load import load_runtimes

        return load_runtimes(folder, self._config, self._compile_cache, self._lora)


def local_completion(settings: LocalSettings) -> LocalCompletion:
    """The completion that the settings ask for; nothing is loaded yet."""
    return LocalCompletion(
        settings.model,
        home=settings.home,
        compile_cache=settings.compile_cache,
        config=EngineConfig.of(settings),
        warm_up=settings.warm_up,
        lora=settings.lora,
    )
