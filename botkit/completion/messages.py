"""Chat Completions messages: what a conversation is made of.

Source: OpenAI API reference, ``ChatCompletionRequestMessage``
(https://platform.openai.com/docs/api-reference/chat/create).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_NAME_CHARS = 64


class Wire(BaseModel):
    """Base of every request type: unknown fields, NaN and silent conversions are refused."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, frozen=True, populate_by_name=True
    )


class TextPart(Wire):
    """A piece of text inside a message."""

    type: Literal["text"]
    text: str


class RefusalPart(Wire):
    """A refusal inside an assistant message."""

    type: Literal["refusal"]
    refusal: str


class ImageUrl(Wire):
    """Where an image is: an ``https:`` or ``data:`` URL."""

    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class ImagePart(Wire):
    """An image inside a user message."""

    type: Literal["image_url"]
    image_url: ImageUrl


class InputAudio(Wire):
    """Base64 audio."""

    data: str
    format: Literal["wav", "mp3"]


class AudioPart(Wire):
    """Audio inside a user message."""

    type: Literal["input_audio"]
    input_audio: InputAudio


class FileData(Wire):
    """A file by id or by content."""

    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class FilePart(Wire):
    """A file inside a user message."""

    type: Literal["file"]
    file: FileData


UserPart = Annotated[TextPart | ImagePart | AudioPart | FilePart, Field(discriminator="type")]
AssistantPart = Annotated[TextPart | RefusalPart, Field(discriminator="type")]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
TextContent = str | Annotated[list[TextPart], Field(min_length=1)]


class FunctionCall(Wire):
    """A call of a function by the model; ``arguments`` is JSON text."""

    name: str
    arguments: str


class ToolCall(Wire):
    """One tool call in an assistant message."""

    id: str
    type: Literal["function"]
    function: FunctionCall


class DeveloperMessage(Wire):
    """Instructions of the developer; newer name of the system message."""

    role: Literal["developer"]
    content: TextContent
    name: Name | None = None


class SystemMessage(Wire):
    """Instructions that hold for the whole conversation."""

    role: Literal["system"]
    content: TextContent
    name: Name | None = None


class UserMessage(Wire):
    """What a person said."""

    role: Literal["user"]
    content: str | Annotated[list[UserPart], Field(min_length=1)]
    name: Name | None = None


class AssistantMessage(Wire):
    """What the model said, or the tools it called.

    ``reasoning_content``, an extension: what it thought before, where a client sends that back.
    """

    role: Literal["assistant"]
    content: str | Annotated[list[AssistantPart], Field(min_length=1)] | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    name: Name | None = None
    tool_calls: Annotated[list[ToolCall], Field(min_length=1)] | None = None


class ToolMessage(Wire):
    """The result of a tool call."""

    role: Literal["tool"]
    content: TextContent
    tool_call_id: str


Message = Annotated[
    DeveloperMessage | SystemMessage | UserMessage | AssistantMessage | ToolMessage,
    Field(discriminator="role"),
]


_NAMES = {"image_url": "[image]", "input_audio": "[audio]", "file": "[file]"}


def as_text(message: UserMessage) -> UserMessage:
    """The message as it is kept: files are only mentioned, for their bytes weigh on every turn."""
    if isinstance(message.content, str):
        return message
    parts = [part.text if part.type == "text" else _NAMES[part.type] for part in message.content]
    return UserMessage(role="user", content="\n".join(parts))


def message_text(message: Message) -> str:
    """The text of a message: its string, or its text parts joined; empty when it has none."""
    content = message.content
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(part.text for part in content if isinstance(part, TextPart))
