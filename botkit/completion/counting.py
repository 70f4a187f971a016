"""How many tokens messages take: by the model's tokenizer where it counts, by a guess elsewhere."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from botkit.completion.messages import Message, message_text
from botkit.completion.protocol import TokenCounter
from botkit.errors import CompletionError

BYTES_PER_TOKEN = 3.5
"""English takes about four bytes a token, other languages and code fewer: a careful mean."""

TOKENS_PER_MESSAGE = 8
"""Role and separators, as chat templates write them."""

IMAGE_TOKENS = 1024
"""About what an image takes where a model sees it."""

REMEMBERED = 4096
LONGEST_REMEMBERED = 4096


def estimate_text(text: str) -> int:
    """About how many tokens ``text`` takes, without a tokenizer."""
    return int(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


class TokenCounts:
    """Counts, and remembers what it counted: a conversation's messages come again every turn.

    Args:
        counter: Who counts; None guesses.
    """

    def __init__(self, counter: TokenCounter | None = None) -> None:
        self._counter = counter
        self._known: OrderedDict[str, int] = OrderedDict()

    def text(self, text: str) -> int:
        """Of a plain text."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        counted = self.exact(text)
        if counted is None:
            return estimate_text(text)
        if len(text) <= LONGEST_REMEMBERED:
            self._known[text] = counted
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return counted

    def message(self, message: Message) -> int:
        """Of a message with its role and separators."""
        content = message.content
        images = 0
        if content is not None and not isinstance(content, str):
            images = sum(part.type == "image_url" for part in content)
        return TOKENS_PER_MESSAGE + self.text(message_text(message)) + images * IMAGE_TOKENS

    def messages(self, messages: Iterable[Message]) -> int:
        """Of several."""
        return sum(map(self.message, messages))

    @property
    def counts(self) -> bool:
        """Whether anybody counts exactly."""
        return self._counter is not None

    def exact(self, text: str) -> int | None:
        """Of a text that will not come again; None where nobody can say exactly yet."""
        if self._counter is None:
            return None
        try:
            return self._counter.count_tokens([text])[0]
        except CompletionError:
            return None
