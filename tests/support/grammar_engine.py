"""An engine without a model, behind the real completion: it says what it is told, or anything that
a constraint allows. Everything around it is real: prompts, grammars, readers, the wire."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from grammar_replies import allowed_ids, json_tokenizer

from botkit_models.engine.engine import Continuation
from botkit_models.engine.job import Event, Finished, Token, Tokens
from botkit_models.local.requests import Prompts
from botkit_models.local.runtime import Runtime
from botkit_models.structured import GrammarCompiler
from botkit_models.tokenizer import Tokenizer

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class NotAllowedError(AssertionError):
    """The constraint forbids what the engine was told to say."""


@dataclass
class GrammarEngine:
    """Says ``texts``, one per reply; without any, draws among all allowed tokens.

    Fields:
        tokenizer: The model's.
        texts: What to say; what is in special tokens' words is said with them.
        size: The most tokens in one event.
        end: What the last event says besides its reason.
        obeys: Whether it looks at constraints.
        seen: The continuations that were asked for.
    """

    tokenizer: Tokenizer
    texts: Sequence[str] = ()
    size: int = 3
    end: Finished = field(default_factory=lambda: Finished("stop"))
    obeys: bool = True
    seen: list[Continuation] = field(default_factory=list)
    config: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(slots=8, queue=8))
    limit: int = 4096

    @asynccontextmanager
    async def generate(self, wanted: Sequence[Continuation]) -> AsyncIterator[_Stream]:
        self.seen += wanted
        yield _Stream([self._reply(one, index) for index, one in enumerate(wanted)])

    def _reply(self, one: Continuation, index: int) -> list[Event]:
        ids, ended = self._written(one, index)
        tokens = [Token(id, -0.5) for id in ids]
        events: list[Event] = []
        while tokens:
            events.append(Tokens(tuple(tokens[: self.size])))
            tokens = tokens[self.size :]
        reason = "stop" if ended else "length"
        return [*events, dataclasses.replace(self.end, reason=reason)]

    def _written(self, one: Continuation, index: int) -> tuple[list[int], bool]:
        constraint = one.constraint if self.obeys else None
        chance = np.random.default_rng(one.params.seed)
        told = None
        if self.texts:
            text = self.texts[index % len(self.texts)]
            told = [*self.tokenizer.encode(text, special=True), self.tokenizer.eos_ids[0]]
        ids: list[int] = []
        while len(ids) < one.budget:
            allowed = None
            if constraint is not None:
                allowed = allowed_ids(constraint.masks([])[0])
            if told is not None:
                token = told[len(ids)]
                if allowed is not None and token not in allowed:
                    said = self.tokenizer.decode(ids, skip_special=False)
                    word = self.tokenizer.decode([token], skip_special=False)
                    raise NotAllowedError(f"{said!r} may not go on with {word!r}")
            elif allowed is not None:
                token = int(chance.choice(allowed))
            else:
                token = int(chance.integers(3, self.tokenizer.vocab_size))
            if constraint is not None:
                constraint.accept(token)
            ids.append(token)
            if token in self.tokenizer.eos_ids:
                return ids, True
        return ids, False


class _Stream:
    def __init__(self, replies: list[list[Event]]) -> None:
        self._replies = dict(enumerate(replies))

    def stop(self, index: int) -> None:
        self._replies.pop(index, None)

    def __aiter__(self) -> _Stream:
        return self

    async def __anext__(self) -> tuple[int, Event]:
        for index in list(self._replies):
            events = self._replies[index]
            if events:
                self._replies[index] = events[1:]
                self._replies[index] or self._replies.pop(index)
                return index, events[0]
        raise StopAsyncIteration


def grammar_runtime(
    texts: Sequence[str] = (),
    *,
    template: str = CHATML,
    tokenizer: Tokenizer | None = None,
    **fields,
) -> Runtime:
    """A runtime named ``fake`` over a :class:`GrammarEngine`."""
    base = tokenizer or json_tokenizer()
    spec = dataclasses.replace(base.spec, chat_template=template)
    tokenizer = Tokenizer(spec)
    engine = GrammarEngine(tokenizer, texts, **fields)
    return Runtime(
        name="fake",
        created=0,
        fingerprint="fp_fake",
        tokenizer=tokenizer,
        prompts=Prompts(tokenizer, engine.limit),
        engine=engine,  # type: ignore[arg-type]  # what is used of one
        grammars=_compiler(tokenizer),
    )


_COMPILERS: dict[str, GrammarCompiler] = {}


def _compiler(tokenizer: Tokenizer) -> GrammarCompiler:
    """One per vocabulary: its first grammar costs a while."""
    key = tokenizer.spec.json
    if key not in _COMPILERS:
        _COMPILERS[key] = GrammarCompiler(tokenizer, tokenizer.vocab_size)
    return _COMPILERS[key]
