"""Compiling grammars beside the event loop, each once, within a time."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from botkit.errors import OverloadedError, UnsupportedParameterError
from botkit_models.structured.closing import Closer
from botkit_models.structured.grammar import Grammar
from botkit_models.structured.lark import lark_grammar
from botkit_models.structured.limits import GrammarLimits
from botkit_models.structured.parts import Part
from botkit_models.structured.refusal import refused
from botkit_models.structured.vocabulary import Vocabulary
from botkit_models.tokenizer import Tokenizer


@dataclass
class _Work:
    """A compilation that was asked for; several requests may wait for it."""

    make: Callable[[], Grammar]
    begun: bool = False
    done: Future[Grammar] = field(default_factory=Future)


class GrammarCompiler:
    """Compiles grammars for one model and keeps the last ones. Safe to share between threads.

    Args:
        tokenizer: The model's tokenizer.
        vocab: Width of the model's logits.
        limits: How large grammars may be and how long compiling one may take.
    """

    def __init__(
        self, tokenizer: Tokenizer, vocab: int, limits: GrammarLimits | None = None
    ) -> None:
        self.limits = limits or GrammarLimits()
        self.vocabulary = Vocabulary(tokenizer, vocab)
        self._closer: Closer | None = None
        self._kept: OrderedDict[str, Grammar] = OrderedDict()
        self._working: dict[str, _Work] = {}
        self._queue: queue.SimpleQueue[tuple[str, _Work]] = queue.SimpleQueue()
        self._threads = 0
        self._lock = threading.Lock()
        self._building = threading.Lock()

    async def compile(self, part: Part, *, param: str) -> Grammar:
        """The grammar of ``part``.

        Args:
            part: What the reply may be.
            param: The request's field that asks for it, for errors.

        Raises:
            InvalidRequestError: The grammar is wrong, too large, too slow, or allows no reply.
            UnsupportedParameterError: No token ends this model's replies.
            OverloadedError: Other grammars kept the compiler busy all the time.
        """
        source = await asyncio.to_thread(self._source, part, param)
        found = self._kept_or_work(source, param)
        if isinstance(found, Grammar):
            return found
        waiting = asyncio.wrap_future(found.done)
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), self.limits.seconds)
        except TimeoutError:
            waiting.add_done_callback(lambda late: late.cancelled() or late.exception())
        if not found.begun:
            raise OverloadedError("Too many grammars are being compiled.", retry_after=5.0)
        raise refused(f"The grammar took longer than {self.limits.seconds:g} s to compile.", param)

    def compile_now(self, part: Part, *, param: str) -> Grammar:
        """As :meth:`compile`, in this thread, however long it takes."""
        source = self._source(part, param)
        with self._lock:
            kept = self._kept.get(source)
        if kept is None:
            kept = self.make(source, param)
            self._keep(source, kept)
        return kept

    def _source(self, part: Part, param: str) -> str:
        if not self.vocabulary.eos_ids:
            raise UnsupportedParameterError(param, "needs a model whose replies a token ends")
        return lark_grammar(part, self.limits, param, self.vocabulary.special_id)

    def make(self, source: str, param: str) -> Grammar:
        """Compile a Lark grammar, in this thread; it is not kept."""
        with self._building:
            if self._closer is None:
                self._closer = Closer(self.vocabulary)
        return Grammar(source, self.vocabulary, self._closer, self.limits, param)

    def _kept_or_work(self, source: str, param: str) -> Grammar | _Work:
        with self._lock:
            if (kept := self._kept.get(source)) is not None:
                self._kept.move_to_end(source)
                return kept
            work = self._working.get(source)
            if work is None:
                work = self._working[source] = _Work(lambda: self.make(source, param))
                self._queue.put((source, work))
                if self._threads < self.limits.threads:
                    self._threads += 1
                    threading.Thread(target=self._run, name="botkit-grammars", daemon=True).start()
            return work

    def _keep(self, source: str, grammar: Grammar) -> None:
        with self._lock:
            self._kept[source] = grammar
            while len(self._kept) > self.limits.kept:
                self._kept.popitem(last=False)

    def _run(self) -> None:
        while True:
            source, work = self._queue.get()
            work.begun = True
            try:
                grammar = work.make()
            except BaseException as error:
                self._forget(source)
                work.done.set_exception(error)
            else:
                self._keep(source, grammar)
                self._forget(source)
                work.done.set_result(grammar)

    def _forget(self, source: str) -> None:
        with self._lock:
            self._working.pop(source, None)
