"""Legacy edits (``/v1/edits``): a text and an instruction become a changed text.

Source: OpenAI OpenAPI 1.2.0, ``CreateEditRequest`` and ``CreateEditResponse``; the endpoint was
retired in January 2024 and old clients still call it. Any chat completion can answer it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from botkit.completion.chat import ChatCompletion, ChatCompletionRequest
from botkit.completion.deadline import Deadline
from botkit.completion.messages import SystemMessage, UserMessage, Wire
from botkit.completion.usage import Usage, WireOut

MAX_EDITS = 20

_TASK = (
    "You edit text. The user gives an instruction and a text between <text> and </text>. "
    "Answer with the edited text only, without the tags."
)


class EditRequest(Wire):
    """Change ``input`` as ``instruction`` says."""

    model: Annotated[str, Field(min_length=1)]
    instruction: Annotated[str, Field(min_length=1)]
    input: str | None = None
    n: Annotated[int, Field(ge=1, le=MAX_EDITS)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    deadline: Deadline = None

    def as_chat(self) -> ChatCompletionRequest:
        """The chat request whose replies are the edits."""
        text = f"{self.instruction}\n\n<text>{self.input or ''}</text>"
        request = ChatCompletionRequest(
            model=self.model,
            messages=[
                SystemMessage(role="system", content=_TASK),
                UserMessage(role="user", content=text),
            ],
            n=self.n or 1,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
        )
        # A deadline out of a header may be shorter than the field allows.
        return request.model_copy(update={"deadline": self.deadline})


class EditChoice(WireOut):
    """One changed text."""

    text: str
    index: int


class Edit(WireOut):
    """The changed texts."""

    object: Literal["edit"] = "edit"
    created: int
    choices: list[EditChoice]
    usage: Usage | None = None

    @classmethod
    def from_chat(cls, reply: ChatCompletion) -> Edit:
        """The edits that a chat reply holds."""
        choices = [
            EditChoice(text=choice.message.content or "", index=choice.index)
            for choice in reply.choices
        ]
        return cls(created=reply.created, choices=choices, usage=reply.usage)
