"""Legacy search (``/v1/engines/{engine}/search``): documents scored against a query.

Source: the OpenAI API reference of 2021 (retired in December 2022) and the OpenAI cookbook's
transition guide for it: a document's score is how much likelier the query's tokens become after
the document, against an empty document, in hundredths of a nat per token.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from botkit.completion.deadline import Deadline
from botkit.completion.messages import Wire
from botkit.completion.usage import WireOut

MAX_DOCUMENTS = 200


class SearchRequest(Wire):
    """Score each of ``documents`` against ``query``. ``file`` (uploaded documents) is refused."""

    model: Annotated[str, Field(min_length=1)]
    documents: Annotated[list[str], Field(min_length=1, max_length=MAX_DOCUMENTS)]
    query: Annotated[str, Field(min_length=1)]
    file: str | None = None
    max_rerank: Annotated[int, Field(ge=1)] | None = None
    return_metadata: bool | None = None
    user: str | None = None
    deadline: Deadline = None

    def pairs(self) -> list[tuple[str, str]]:
        """``(context, continuation)`` to score: the empty document first, then each document."""
        documents = ["", *self.documents]
        continuation = f" {self.query.strip()}"
        return [(_context(document), continuation) for document in documents]


class SearchResult(WireOut):
    """One document's place in the request and its score."""

    object: Literal["search_result"] = "search_result"
    document: int
    score: float


class SearchResponse(WireOut):
    """The scores, in the order of the documents."""

    object: Literal["list"] = "list"
    data: list[SearchResult]
    model: str

    @classmethod
    def from_scores(cls, model: str, scores: list[float]) -> SearchResponse:
        """From the scores of :meth:`SearchRequest.pairs`, in nats per token."""
        empty, *found = scores
        results = [
            SearchResult(document=place, score=round(100 * (score - empty), 3))
            for place, score in enumerate(found)
        ]
        return cls(data=results, model=model)


def _context(document: str) -> str:
    return f"{document}\n\n---\n\nThe above passage is related to:"
