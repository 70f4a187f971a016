"""Requests to token ids and sampling parameters, with everything that can be refused refused."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botkit.completion.formats import JsonForm, ReplyForm
from botkit.completion.messages import Message, message_text
from botkit.completion.sampling import SamplingFields
from botkit.errors import ContextLengthError, InvalidRequestError, UnsupportedParameterError
from botkit_models.chat_messages import template_messages
from botkit_models.chat_template import ChatTemplate
from botkit_models.engine.sampling import MAX_BIASES, SamplingParams
from botkit_models.tokenizer import Segment, Tokenizer
from botkit_models.tools.grammar import Thinking
from botkit_models.tools.prompt import with_schema, with_tools
from botkit_models.tools.syntax import TemplateAbilities
from botkit_models.tools.thoughts import CLOSING, OPENING

_MASK = (1 << 64) - 1
_PLAIN_CHAT = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


@dataclass(frozen=True)
class ChatPrompt:
    """A conversation as the model reads it.

    Fields:
        ids: Token ids.
        thought: Whether the reply begins with one.
    """

    ids: list[int]
    thought: Thinking = "none"


class Prompts:
    """Turns what a request says into token ids.

    Args:
        tokenizer: The model's.
        limit: The most tokens of prompt plus reply.
    """

    def __init__(self, tokenizer: Tokenizer, limit: int) -> None:
        self._tokenizer, self._limit = tokenizer, limit
        source = tokenizer.spec.chat_template or _PLAIN_CHAT
        self._template = ChatTemplate(source, tokenizer.special_tokens)
        self.template = TemplateAbilities.of(source)

    def of_chat(self, messages: Sequence[Message], *, continuing: bool = False) -> list[int]:
        """Token ids of a conversation, up to where the assistant speaks, or goes on speaking."""
        return self.chat(messages, continuing=continuing).ids

    def chat(
        self,
        messages: Sequence[Message],
        *,
        continuing: bool = False,
        tools: Sequence[Mapping[str, Any]] = (),
        form: ReplyForm | None = None,
        effort: str | None = None,
    ) -> ChatPrompt:
        """A conversation, up to where the assistant speaks, or goes on speaking.

        Args:
            messages: What was said.
            continuing: The last message is the assistant's, and goes on.
            tools: Function declarations.
            form: What the reply is to be; a schema is told to the model.
            effort: How much the model is to think, as ``reasoning_effort`` says; None leaves that
                to its template.

        Raises:
            InvalidRequestError: The template refuses the messages.
            UnsupportedParameterError: It cannot say how much to think.
        """
        knows, spec = self.template, self._tokenizer.spec
        plain = template_messages(messages[:-1] if continuing else messages)
        plain = with_tools(plain, tools, knows)
        if isinstance(form, JsonForm) and form.name is not None:
            plain = with_schema(plain, form)
        variables: dict[str, Any] = dict(_thinking_variables(effort, knows))
        if tools and knows.tool_variable is not None:
            variables[knows.tool_variable] = list(tools)
        segments = self._template.render(
            plain, variables=variables, bos_token=spec.bos_token, eos_token=spec.eos_token
        )
        if continuing:
            segments = [*segments, Segment(message_text(messages[-1]), special=False)]
            return ChatPrompt(self._ids(segments))
        ending = segments[-1].text.rstrip() if segments and segments[-1].special else ""
        thought: Thinking = "may" if knows.thinks and not ending.endswith(CLOSING) else "none"
        if ending.endswith(OPENING):
            thought = "begun"
        if effort == "none" and thought != "none":
            empty = "\n</think>\n\n" if thought == "begun" else "<think>\n\n</think>\n\n"
            return ChatPrompt(self._ids([*segments, Segment(empty, special=True)]))
        return ChatPrompt(self._ids(segments), thought)

    def _ids(self, segments: Sequence[Segment]) -> list[int]:
        return self._tokenizer.encode_segments(segments) or [self._first]

    def of_text(self, text: str | Sequence[int], param: str) -> list[int]:
        """Token ids of plain text, or the ids themselves when they exist in the vocabulary.

        Raises:
            InvalidRequestError: An id is out of range; ``param`` names the field.
        """
        if isinstance(text, str):
            ids = self._tokenizer.encode_segments([Segment(text, special=False)])
            if self._tokenizer.spec.add_bos and self._tokenizer.bos_id is not None:
                ids = [self._tokenizer.bos_id, *ids]
        else:
            ids = list(text)
            size = self._tokenizer.vocab_size
            wrong = next((id for id in ids if id >= size), None)
            if wrong is not None:
                raise InvalidRequestError(
                    f"Token id {wrong} is out of range: the model has {size} tokens.", param=param
                )
        return ids or [self._first]

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many token ids each text has, special tokens read as text."""
        return [len(self._tokenizer.encode(text)) for text in texts]

    def budget(self, prompt: Sequence[int], asked: int | None, param: str) -> int:
        """How many tokens the reply may have.

        Raises:
            ContextLengthError: Prompt and reply together do not fit; says all numbers.
        """
        room = self._limit - len(prompt)
        if room < 1 or (asked is not None and asked > room):
            reply = 1 if asked is None else asked
            raise ContextLengthError(
                limit=self._limit, prompt_tokens=len(prompt), reply_tokens=reply, param=param
            )
        return room if asked is None else asked

    def fits(self, ids: Sequence[int], param: str) -> None:
        """Refuse a text that is to be read only, and is longer than the context.

        Raises:
            ContextLengthError: It is.
        """
        if len(ids) > self._limit:
            raise ContextLengthError(
                limit=self._limit, prompt_tokens=len(ids), reply_tokens=0, param=param
            )

    @property
    def _first(self) -> int:
        """What an empty text is: the token that begins, or ends, one."""
        bos = self._tokenizer.bos_id
        return bos if bos is not None else (self._tokenizer.eos_ids or (0,))[0]


def _thinking_variables(effort: str | None, knows: TemplateAbilities) -> Iterator[tuple[str, Any]]:
    """What tells the template how much the model is to think."""
    if effort is None:
        return
    if "reasoning_effort" in knows.variables:
        yield "reasoning_effort", effort
    elif effort != "none":
        raise UnsupportedParameterError("reasoning_effort", "has no degrees in this model")
    if effort == "none" and "enable_thinking" in knows.variables:
        yield "enable_thinking", False


def sampling_params(
    fields: SamplingFields, count: int, vocab_size: int, top_logprobs: int | None
) -> list[SamplingParams]:
    """Parameters of ``count`` independent replies.

    The first has the request's seed, the others seeds that follow from it.

    Raises:
        InvalidRequestError: ``logit_bias`` names a token that does not exist, or too many.
    """
    seed = secrets.randbits(64) if fields.seed is None else fields.seed & _MASK
    bias = _logit_bias(fields, vocab_size)
    return [
        SamplingParams(
            temperature=fields.temperature,
            top_p=fields.top_p,
            top_k=fields.top_k,
            min_p=fields.min_p,
            frequency_penalty=fields.frequency_penalty,
            presence_penalty=fields.presence_penalty,
            repetition_penalty=fields.repetition_penalty,
            logit_bias=bias,
            seed=choice_seed(seed, index),
            top_logprobs=top_logprobs,
        )
        for index in range(count)
    ]


def choice_seed(seed: int, index: int) -> int:
    """The seed of choice ``index``, an unsigned 64-bit number; choice 0 has ``seed`` itself.

    SplitMix64 (Steele, Lea & Flood 2014) spreads the others.
    """
    if index == 0:
        return seed
    z = (seed + index * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def _logit_bias(fields: SamplingFields, vocab_size: int) -> tuple[tuple[int, float], ...]:
    bias = [(int(token), value) for token, value in (fields.logit_bias or {}).items()]
    if len(bias) > MAX_BIASES:
        raise InvalidRequestError(
            f"'logit_bias' has {len(bias)} entries; at most {MAX_BIASES} are supported.",
            param="logit_bias",
        )
    for token, _ in bias:
        if not 0 <= token < vocab_size:
            raise InvalidRequestError(
                f"Invalid key in 'logit_bias': {token}. The model has {vocab_size} tokens.",
                param="logit_bias",
            )
    return tuple(bias)
