"""Which functions a model may call, and whether it must: ``tools`` and its kin, checked.

Source: OpenAI OpenAPI 2.3.0, ``ChatCompletionTool``, ``ChatCompletionToolChoiceOption`` and
``ChatCompletionAllowedTools``; https://platform.openai.com/docs/guides/function-calling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from botkit.completion.chat import ChatCompletionRequest
from botkit.completion.checking import checked, invalid_value
from botkit.completion.messages import Message, Wire
from botkit.errors import InvalidRequestError

MAX_TOOLS = 128

FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]


class FunctionDeclaration(Wire):
    """A function: its ``parameters`` are a JSON schema of an object; None for no parameters."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    @property
    def schema_of_arguments(self) -> dict[str, Any]:
        """The JSON schema that the arguments of a call obey."""
        if self.parameters is None:
            return {"type": "object", "properties": {}, "additionalProperties": False}
        if "type" in self.parameters or "$ref" in self.parameters:
            return self.parameters
        return {"type": "object", **self.parameters}


class FunctionTool(Wire):
    """A tool that is a function."""

    type: Literal["function"]
    function: FunctionDeclaration


class FunctionReference(Wire):
    """A function by its name."""

    name: str


class NamedChoice(Wire):
    """One function, and no other, is to be called."""

    type: Literal["function"]
    function: FunctionReference


class AllowedTools(Wire):
    """Some of the tools may, or must, be called."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedChoice], Field(min_length=1)]


class AllowedChoice(Wire):
    """A choice among some of the tools; the prompt declares them all."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


@dataclass(frozen=True)
class ToolPlan:
    """What a request says about tools.

    Fields:
        declared: All tools that the prompt tells of, as they were sent.
        places: The functions that may be called, with their places in the request.
        mode: ``auto``: a text, calls, or a text and then calls. ``required``: calls. ``named``:
            one call of the one callable function.
        parallel: Whether there may be several calls in one reply.
    """

    declared: tuple[dict[str, Any], ...]
    places: tuple[tuple[int, FunctionDeclaration], ...]
    mode: Literal["auto", "required", "named"]
    parallel: bool

    @property
    def callable(self) -> tuple[FunctionDeclaration, ...]:
        """The functions that may be called."""
        return tuple(function for _, function in self.places)


def tool_plan(request: ChatCompletionRequest) -> ToolPlan | None:
    """What the request says about tools; None where none may be called.

    Raises:
        InvalidRequestError: A tool or the choice is wrong; ``param`` names the place.
    """
    tools = _tools(request.tools or [])
    choice: Any = request.tool_choice
    if not tools:
        if choice not in (None, "none"):
            raise _only_with_tools("tool_choice")
        if request.parallel_tool_calls:
            raise _only_with_tools("parallel_tool_calls")
        return None
    mode, names = _choice(choice, [tool.function.name for tool in tools])
    if mode == "none":
        return None
    return ToolPlan(
        declared=tuple(request.tools or ()),
        places=tuple(
            (place, tool.function)
            for place, tool in enumerate(tools)
            if tool.function.name in names
        ),
        mode=mode,
        parallel=request.parallel_tool_calls is not False and mode != "named",
    )


def check_tool_messages(messages: Sequence[Message]) -> None:
    """See that every result of a tool follows the call that it is of, and that none is missing.

    Raises:
        InvalidRequestError: As OpenAI does; ``param`` names the message.
    """
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                raise InvalidRequestError(
                    "Messages with role 'tool' must be a response to a preceding message with "
                    "'tool_calls'.",
                    param=f"messages[{index}].tool_call_id",
                )
            waiting.remove(message.tool_call_id)
            continue
        if waiting:
            raise _unanswered(waiting, index)
        if message.role == "assistant" and message.tool_calls:
            waiting = [call.id for call in message.tool_calls]
    if waiting:
        raise _unanswered(waiting, len(messages) - 1)


def _unanswered(waiting: Sequence[str], index: int) -> InvalidRequestError:
    return InvalidRequestError(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        f"each 'tool_call_id'. These have no response: {', '.join(waiting)}.",
        param=f"messages[{index}]",
    )


def _tools(given: Sequence[dict[str, Any]]) -> list[FunctionTool]:
    if len(given) > MAX_TOOLS:
        problem = f"{len(given)} tools were given; at most {MAX_TOOLS} are allowed."
        raise invalid_value("tools", problem)
    tools = []
    seen: set[str] = set()
    for index, raw in enumerate(given):
        _check_kind(raw, f"tools[{index}].type")
        tool = checked(FunctionTool, raw, f"tools[{index}]")
        if tool.function.name in seen:
            raise invalid_value(
                f"tools[{index}].function.name",
                f"the name '{tool.function.name}' was given to an earlier tool already.",
            )
        _check_parameters(tool.function, f"tools[{index}].function.parameters")
        seen.add(tool.function.name)
        tools.append(tool)
    return tools


def _check_kind(raw: dict[str, Any], param: str) -> None:
    """Of a tool that is no function, say this before anything else."""
    if "type" in raw and raw["type"] != "function":
        raise invalid_value(param, "only 'function' is supported.")


def _check_parameters(function: FunctionDeclaration, param: str) -> None:
    kind = function.schema_of_arguments.get("type", "object")
    if kind not in ("object", ["object"]):
        raise InvalidRequestError(
            f"Invalid schema for function '{function.name}': schema must be a JSON Schema of "
            f"'type: \"object\"', got 'type: \"{kind}\"'.",
            param=param,
            code="invalid_function_parameters",
        )


def _choice(
    choice: Any, names: Sequence[str]
) -> tuple[Literal["none", "auto", "required", "named"], Sequence[str]]:
    """The mode, and the names of the functions that may be called."""
    if choice is None:
        return "auto", names
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            problem = "expected 'none', 'auto', 'required' or an object."
            raise invalid_value("tool_choice", problem)
        return choice, names  # type: ignore[return-value]  # one of the three
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = checked(AllowedChoice, choice, "tool_choice").allowed_tools
        wanted = [one.function.name for one in allowed.tools]
        for index, name in enumerate(wanted):
            _known(name, names, f"tool_choice.allowed_tools.tools[{index}].function.name")
        return allowed.mode, wanted
    _check_kind(choice, "tool_choice.type")
    named = checked(NamedChoice, choice, "tool_choice").function.name
    _known(named, names, "tool_choice.function.name")
    return "named", [named]


def _known(name: str, names: Sequence[str], param: str) -> None:
    if name not in names:
        raise invalid_value(param, f"no tool in 'tools' has the name '{name}'.")


def _only_with_tools(param: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"'{param}' is only allowed when 'tools' are specified.", param=param
    )
