"""The form that a reply must have: ``response_format`` and ``structured_outputs``, checked.

Sources: OpenAI OpenAPI 2.3.0, ``ResponseFormatJsonSchema``; vLLM, "Structured outputs"
(https://docs.vllm.ai/en/latest/features/structured_outputs/) for the extension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from botkit.completion.chat import ChatCompletionRequest
from botkit.completion.checking import checked, invalid_value
from botkit.completion.messages import Message, Wire, message_text
from botkit.completion.tools import FunctionName
from botkit.errors import InvalidRequestError

MAX_CHOICES = 1000


@dataclass(frozen=True)
class JsonObjectForm:
    """Any JSON object.

    Fields:
        param: Where in the request it is asked for.
    """

    param: str = "response_format"


@dataclass(frozen=True)
class JsonForm:
    """JSON that obeys a schema.

    Fields:
        schema: The JSON schema.
        param: Where in the request it stands.
        strict: Refuse a schema that cannot be obeyed to the letter.
        name, description: What it describes, for the model.
    """

    schema: dict[str, Any] | bool
    param: str
    strict: bool = True
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class RegexForm:
    """A text that a regular expression matches from end to end."""

    pattern: str
    param: str


@dataclass(frozen=True)
class ChoiceForm:
    """One of some texts."""

    choices: tuple[str, ...]
    param: str


@dataclass(frozen=True)
class GrammarForm:
    """A text of a context-free grammar, in the Lark form that llguidance reads."""

    grammar: str
    param: str


ReplyForm = JsonObjectForm | JsonForm | RegexForm | ChoiceForm | GrammarForm


class _Named(Wire):
    type: Literal["text", "json_object"]


class _Schema(Wire):
    name: FunctionName
    description: str | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None


class _JsonSchema(Wire):
    type: Literal["json_schema"]
    json_schema: _Schema


class _StructuredOutputs(Wire):
    json_: Annotated[str | bool | dict[str, Any] | None, Field(alias="json")] = None
    regex: Annotated[str, Field(min_length=1)] | None = None
    choice: (
        Annotated[
            list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=MAX_CHOICES)
        ]
        | None
    ) = None
    grammar: Annotated[str, Field(min_length=1)] | None = None
    json_object: bool | None = None


def reply_form(request: ChatCompletionRequest) -> ReplyForm | None:
    """The form that the request asks for; None for any text.

    Raises:
        InvalidRequestError: It is wrong, or two forms are asked for; ``param`` names the place.
    """
    form = _response_format(request)
    extension = _structured_outputs(request.structured_outputs)
    if form is not None and extension is not None:
        raise InvalidRequestError(
            "'structured_outputs' and 'response_format' cannot both say what form the reply has.",
            param="structured_outputs",
        )
    return form or extension


def _response_format(request: ChatCompletionRequest) -> ReplyForm | None:
    given = request.response_format
    if given is None:
        return None
    kind = given.get("type")
    if kind == "json_schema":
        wanted = checked(_JsonSchema, given, "response_format").json_schema
        return JsonForm(
            schema={} if wanted.schema_ is None else wanted.schema_,
            param="response_format.json_schema.schema",
            strict=bool(wanted.strict),
            name=wanted.name,
            description=wanted.description,
        )
    if kind not in ("text", "json_object") and "type" in given:
        problem = "expected one of 'text', 'json_object', 'json_schema'."
        raise invalid_value("response_format.type", problem)
    if checked(_Named, given, "response_format").type == "text":
        return None
    _check_json_is_mentioned(request.messages)
    return JsonObjectForm()


def _check_json_is_mentioned(messages: Sequence[Message]) -> None:
    """As OpenAI does: a model that is not told to write JSON may write spaces without end."""
    if not any("json" in message_text(message).lower() for message in messages):
        raise InvalidRequestError(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            param="messages",
        )


def _structured_outputs(given: dict[str, Any] | None) -> ReplyForm | None:
    if given is None:
        return None
    wanted = checked(_StructuredOutputs, given, "structured_outputs")
    forms = list(_extensions(wanted))
    if len(forms) != 1:
        raise invalid_value(
            "structured_outputs",
            "exactly one of 'json', 'regex', 'choice', 'grammar' and 'json_object' is needed.",
        )
    return forms[0]


def _extensions(wanted: _StructuredOutputs) -> list[ReplyForm]:
    forms: list[ReplyForm] = []
    if wanted.json_ is not None:
        forms.append(JsonForm(_schema_of(wanted.json_), "structured_outputs.json"))
    if wanted.regex is not None:
        forms.append(RegexForm(wanted.regex, "structured_outputs.regex"))
    if wanted.choice is not None:
        forms.append(ChoiceForm(tuple(wanted.choice), "structured_outputs.choice"))
    if wanted.grammar is not None:
        forms.append(GrammarForm(wanted.grammar, "structured_outputs.grammar"))
    if wanted.json_object:
        forms.append(JsonObjectForm("structured_outputs.json_object"))
    return forms


def _schema_of(given: str | bool | dict[str, Any]) -> dict[str, Any] | bool:
    """vLLM takes a schema as its JSON text, too."""
    if not isinstance(given, str):
        return given
    from pydantic_core import from_json

    try:
        schema = from_json(given)
    except ValueError:
        raise invalid_value("structured_outputs.json", "it is not JSON.") from None
    if not isinstance(schema, dict | bool):
        raise invalid_value("structured_outputs.json", "it is no JSON schema.")
    return schema
