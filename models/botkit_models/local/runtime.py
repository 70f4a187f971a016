"""What answering needs once the model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from botkit.errors import ModelNotFoundError
from botkit_models.engine.engine import Engine
from botkit_models.local.reply import ReplyWriter
from botkit_models.local.requests import Prompts
from botkit_models.tokenizer import Tokenizer


@dataclass(frozen=True)
class Runtime:
    """A loaded model.

    Fields:
        name: The id that requests name.
        created: When it was pulled, in seconds since 1970.
        fingerprint: Changes when weights or programs do, and with them perhaps a reply.
    """

    name: str
    created: int
    fingerprint: str
    tokenizer: Tokenizer
    prompts: Prompts
    engine: Engine

    def writer(self, stops: Sequence[str], *, continuing: bool) -> ReplyWriter:
        """A writer for one reply."""
        return ReplyWriter(self.tokenizer, stops, continuing=continuing)

    def check_model(self, model: str) -> None:
        """Refuse a request for another model.

        Raises:
            ModelNotFoundError: It is.
        """
        if model != self.name:
            raise ModelNotFoundError(model)
