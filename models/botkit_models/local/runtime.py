"""What answering needs once the model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from botkit.completion.model import Model
from botkit.errors import ModelNotFoundError
from botkit_models.engine.engine import Engine
from botkit_models.local.reply import ReplyWriter
from botkit_models.local.requests import Prompts
from botkit_models.local.results import ResultCache
from botkit_models.structured import GrammarCompiler
from botkit_models.tokenizer import Tokenizer
from botkit_models.tools.reader import ReplyReader


@dataclass(frozen=True)
class Runtime:
    """A loaded model, perhaps with an adapter.

    Fields:
        name: The id that requests name.
        created: When it was pulled, in seconds since 1970.
        fingerprint: Changes when weights or programs do, and with them perhaps a reply.
        adapter: Place of its adapter among the engine's, or None: the model as it is.
        root, parent: Name of the adapter's folder and id of the model under it, or None.
        results: Vectors and scores of texts that were read lately.
    """

    name: str
    created: int
    fingerprint: str
    tokenizer: Tokenizer
    prompts: Prompts
    engine: Engine
    grammars: GrammarCompiler
    adapter: int | None = None
    root: str | None = None
    parent: str | None = None
    results: ResultCache = field(default_factory=ResultCache)

    @property
    def model(self) -> Model:
        """As ``/v1/models`` lists it."""
        made_of = {} if self.adapter is None else {"root": self.root, "parent": self.parent}
        return Model(id=self.name, created=self.created, owned_by="botkit", **made_of)

    def writer(
        self, stops: Sequence[str], *, continuing: bool, reader: ReplyReader | None = None
    ) -> ReplyWriter:
        """A writer for one reply."""
        return ReplyWriter(self.tokenizer, stops, continuing=continuing, reader=reader)

    def check_model(self, model: str) -> None:
        """Refuse a request for another model.

        Raises:
            ModelNotFoundError: It is.
        """
        if model != self.name:
            raise ModelNotFoundError(model)
