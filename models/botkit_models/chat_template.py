"""A model's chat template: messages in, the prompt's text out, in segments.

Templates come with model files, so they are not trusted: they render in
:mod:`botkit_models.template_sandbox`. Messages come from people, so they are not trusted either:
``<|im_end|>`` typed by a user must not end the user's turn. Special-token texts inside messages
are swapped for private-use characters before rendering and come back afterwards as segments that
the tokenizer takes for plain text. A message without such texts is rendered untouched, so that its
tokens are exactly those of Hugging Face's ``apply_chat_template``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from botkit.errors import InvalidRequestError, ModelFileError
from botkit_models.template_budget import MAX_VALUE, Budget, BudgetError, budget, measure
from botkit_models.tokenizer import Segment

MAX_TEMPLATE_CHARS = 128 << 10
MAX_INPUT = MAX_VALUE // 2
PROBE = ({"role": "user", "content": "Hello"},)

ChatMessage = Mapping[str, Any]


class ChatTemplate:
    """A compiled chat template. Safe to share between threads.

    Args:
        source: The jinja2 text.
        special_tokens: Texts that mean special tokens when the template writes them.
        now: The clock behind the template's ``strftime_now``.

    Raises:
        ModelFileError: The template is damaged, reaches for what it must not, or does not come to
            an end on a short conversation.
    """

    def __init__(
        self,
        source: str,
        special_tokens: Sequence[str] = (),
        *,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        from jinja2 import TemplateError

        if len(source) > MAX_TEMPLATE_CHARS:
            raise ModelFileError(f"the chat template has more than {MAX_TEMPLATE_CHARS} characters")
        try:
            self._template = _compile(source, now)
        except (TemplateError, RecursionError, SyntaxError, MemoryError, ValueError) as error:
            raise _unusable(error) from None
        ordered = sorted(filter(None, special_tokens), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._probe()

    def render(
        self,
        messages: Sequence[ChatMessage],
        *,
        add_generation_prompt: bool = True,
        tools: Sequence[Mapping[str, Any]] | None = None,
        variables: Mapping[str, Any] | None = None,
        bos_token: str | None = None,
        eos_token: str | None = None,
    ) -> list[Segment]:
        """The prompt for a conversation.

        Args:
            messages: Chat Completions messages as plain dictionaries; content is text.
            add_generation_prompt: End with the beginning of the assistant's turn.
            tools: Function declarations, where the template knows what to do with them.
            variables: Further names that this template knows, such as ``enable_thinking``.
            bos_token, eos_token: The tokenizer's; undefined in the template when None.

        Returns:
            Segments that join to the prompt; only those with ``special`` set may be parsed into
            special tokens.

        Raises:
            InvalidRequestError: The template refuses these messages, or cannot render them.
            ModelFileError: The template misbehaves: it loops, or reaches for internals.
        """
        given = {
            "messages": list(messages),
            "tools": None if tools is None else list(tools),
            **(variables or {}),
        }
        size = _input_size(given)
        guard = _Guard(self._special, given)
        values = {
            **guard.guarded,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }
        tokens = {"bos_token": bos_token, "eos_token": eos_token}
        values |= {name: token for name, token in tokens.items() if token is not None}
        return guard.segments(self._rendered(values, Budget(size)))

    def _rendered(self, values: Mapping[str, Any], allowance: Budget) -> str:
        from jinja2.exceptions import SecurityError

        from botkit_models.template_sandbox import RefusedError

        token = budget.set(allowance)
        try:
            text: str = self._template.render(values)
            return text
        except RefusedError as error:
            message = f"The model's chat template refuses these messages: {error}"
            raise InvalidRequestError(message, param="messages") from None
        except (BudgetError, SecurityError, RecursionError, MemoryError) as error:
            raise _unusable(error) from None
        except Exception as error:  # whatever a foreign template's expressions raise
            message = f"The model's chat template cannot render these messages: {error}"
            raise InvalidRequestError(message[:500], param="messages") from None
        finally:
            budget.reset(token)

    def _probe(self) -> None:
        """A template that fails on the simplest conversation is at fault, not the conversation."""
        from botkit_models.template_sandbox import RefusedError

        values = {"messages": list(PROBE), "tools": None, "documents": None}
        tokens = {"bos_token": "", "eos_token": ""}
        token = budget.set(Budget())
        try:
            self._template.render({**values, **tokens, "add_generation_prompt": True})
        except RefusedError:
            pass
        except Exception as error:  # as above
            raise _unusable(error) from None
        finally:
            budget.reset(token)


class _Guard:
    """Swaps special-token texts in messages for private-use characters, and back."""

    def __init__(self, special: re.Pattern[str] | None, given: Mapping[str, Any]) -> None:
        self._found: list[str] = []
        self._special = special
        self._open, self._close = _unused_characters(given) if special else ("", "")
        self.guarded: dict[str, Any] = self._swap(given) if special else dict(given)

    def segments(self, text: str) -> list[Segment]:
        """The rendered text, with each swapped text as a segment of its own."""
        if not self._found:
            return [Segment(text, special=True)] if text else []
        pieces = re.split(f"{self._open}([0-9]+){self._close}", text)
        literal = [
            self._found[int(index)] for index in pieces[1::2] if int(index) < len(self._found)
        ]
        segments = [Segment(pieces[0], special=True)]
        for plain, rest in zip(literal, pieces[2::2], strict=True):
            segments += [Segment(plain, special=False), Segment(rest, special=True)]
        return [segment for segment in segments if segment.text]

    def _swap(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._swap_text(value)
        if isinstance(value, Mapping):
            return {self._swap(key): self._swap(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._swap(part) for part in value]
        return value

    def _swap_text(self, text: str) -> str:
        def keep(match: re.Match[str]) -> str:
            self._found.append(match[0])
            return f"{self._open}{len(self._found) - 1}{self._close}"

        return text if self._special is None else self._special.sub(keep, text)


def _compile(source: str, now: Callable[[], datetime]) -> Any:
    from jinja2 import Template, nodes

    from botkit_models.template_sandbox import ChatEnvironment, Guard, static_chars

    environment = ChatEnvironment(now)
    tree = environment.parse(source)
    environment.macro_chars = sum(
        static_chars(node) for node in tree.find_all((nodes.Macro, nodes.CallBlock))
    )
    guarded = Guard(environment).visit(tree)
    return Template.from_code(environment, environment.compile(guarded), environment.globals)


def _unused_characters(given: Mapping[str, Any]) -> tuple[str, str]:
    """Two private-use characters (plane 15) that no message contains."""
    used = set(repr(given)) | set(_all_characters(given))
    free = (chr(code) for code in range(0xF0000, 0xFFFFE) if chr(code) not in used)
    return next(free), next(free)


def _all_characters(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(value)
    if isinstance(value, Mapping):
        return _all_characters([*value.keys(), *value.values()])
    if isinstance(value, list | tuple):
        return set().union(*map(_all_characters, value))
    return set()


def _input_size(given: Mapping[str, Any]) -> int:
    try:
        return measure(given, MAX_INPUT)
    except BudgetError:
        raise InvalidRequestError(
            "The messages are too long or too deeply nested.", param="messages"
        ) from None


def _unusable(error: BaseException) -> ModelFileError:
    reason = str(error)[:300] or type(error).__name__
    return ModelFileError(f"the model's chat template cannot be used: {reason}")
