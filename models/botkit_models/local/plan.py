"""Everything that a chat request asks for, checked: a prompt, a grammar, a reader of replies."""

from __future__ import annotations

from dataclasses import dataclass

from botkit.completion.chat import ChatCompletionRequest, FinishReason
from botkit.completion.formats import ChoiceForm, GrammarForm, ReplyForm, reply_form
from botkit.completion.support import refuse_unsupported_chat
from botkit.completion.tools import ToolPlan, check_tool_messages, tool_plan
from botkit.errors import InvalidRequestError, UnsupportedParameterError
from botkit_models.local.requests import ChatPrompt
from botkit_models.local.runtime import Runtime
from botkit_models.structured import Grammar, GrammarCompiler, GrammarConstraint, Part
from botkit_models.tools.grammar import ReplyGrammar, arguments_part, form_part
from botkit_models.tools.reader import ReplyReader
from botkit_models.tools.syntax import CallSyntax

OBEYED = frozenset(
    {"tools", "tool_choice", "response_format", "structured_outputs", "reasoning_effort"}
)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True)
class ChatPlan:
    """How a chat request is answered.

    Fields:
        prompt: What the model reads.
        budget: The most tokens of a reply.
        tools: The functions it may call, or None.
        syntax: How it writes calls; None where it may write none.
        formed: Whether its text, where it writes one, is of a form.
        grammar: What replies may be; None for any text.
        param: The request's field that asks for that.
    """

    prompt: ChatPrompt
    budget: int
    tools: ToolPlan | None
    syntax: CallSyntax | None
    formed: bool
    grammar: Grammar | None
    param: str

    def reader(self) -> ReplyReader:
        """What takes a reply apart; each needs its own."""
        thought = self.prompt.thought
        names = None if self.tools is None else [one.name for one in self.tools.callable]
        return ReplyReader(
            self.syntax,
            names=names,
            formed=self.formed,
            thinks=thought == "may",
            opened=thought == "begun",
        )

    def constraint(self) -> GrammarConstraint | None:
        """What holds a reply to the grammar; each needs its own."""
        if self.grammar is None:
            return None
        return self.grammar.constraint(budget=self.budget, param=self.param)

    @property
    def finish_of_calls(self) -> FinishReason:
        """Why a reply with calls ends. OpenAI says ``stop`` where one function was named
        (https://github.com/vllm-project/vllm/pull/25054 shows its answers)."""
        named = self.tools is not None and self.tools.mode == "named"
        return "stop" if named else "tool_calls"

    def no_text(self, called: bool) -> str | None:
        """The content of a reply without text: null where calls stand in its place."""
        forced = self.tools is not None and self.tools.mode != "auto"
        return None if called or forced else ""


async def plan_chat(runtime: Runtime, request: ChatCompletionRequest) -> ChatPlan:
    """Check a request and prepare its answer.

    Raises:
        CompletionError: It cannot be obeyed.
    """
    runtime.check_model(request.model)
    refuse_unsupported_chat(request, OBEYED)
    check_tool_messages(request.messages)
    tools, form = tool_plan(request), reply_form(request)
    _check_together(request, tools, form)
    prompt = runtime.prompts.chat(
        request.messages,
        continuing=bool(request.continue_final_message),
        tools=() if tools is None else tools.declared,
        form=form,
        effort=_effort(request),
    )
    budget = runtime.prompts.budget(prompt.ids, request.reply_limit, "messages")
    syntax = None if tools is None else runtime.prompts.template.syntax
    param = form.param if form is not None and tools is None else "tools"
    part = _part(runtime, prompt, tools, form)
    grammar = None if part is None else await _grammar(runtime.grammars, part, tools, form, param)
    return ChatPlan(prompt, budget, tools, syntax, form is not None, grammar, param)


async def _grammar(
    grammars: GrammarCompiler,
    part: Part,
    tools: ToolPlan | None,
    form: ReplyForm | None,
    param: str,
) -> Grammar:
    try:
        return await grammars.compile(part, param=param)
    except InvalidRequestError:
        if tools is not None:  # which of them is it, or is it the form?
            for place, function in tools.places:
                where = f"tools[{place}].function.parameters"
                await grammars.compile(arguments_part(function), param=where)
            if form is not None:
                await grammars.compile(form_part(form), param=form.param)
        raise


def _part(
    runtime: Runtime, prompt: ChatPrompt, tools: ToolPlan | None, form: ReplyForm | None
) -> Part | None:
    if tools is None and form is None:
        return None
    if prompt.thought != "none" and form is not None:
        _check_after_thought(form)
    grammar = ReplyGrammar(runtime.prompts.template.syntax, runtime.tokenizer.special_tokens)
    return grammar.reply(tools, form, thought=prompt.thought)


def _check_after_thought(form: ReplyForm) -> None:
    """Refuse a form that cannot be told from what stands before it.

    White space between a thought and the answer is of neither, so no answer can begin with any.
    """
    spaced = isinstance(form, ChoiceForm) and any(text[:1].isspace() for text in form.choices)
    if spaced or isinstance(form, GrammarForm):
        beginning = " for a choice that begins with white space" if spaced else ""
        raise UnsupportedParameterError(
            form.param, f"needs 'reasoning_effort' to be 'none' here{beginning}"
        )


def _check_together(
    request: ChatCompletionRequest, tools: ToolPlan | None, form: ReplyForm | None
) -> None:
    if form is None and tools is None:
        return
    if tools is not None and request.structured_outputs is not None:
        raise InvalidRequestError(
            "'structured_outputs' cannot be combined with 'tools' that may be called.",
            param="structured_outputs",
        )
    if form is not None and request.continue_final_message:
        raise InvalidRequestError(
            "'continue_final_message' cannot be combined with a form of the reply: its beginning "
            "is there already.",
            param="continue_final_message",
        )


def _effort(request: ChatCompletionRequest) -> str | None:
    effort = request.reasoning_effort
    if effort is not None and effort not in EFFORTS:
        raise InvalidRequestError(
            f"Invalid value for 'reasoning_effort': expected one of {', '.join(EFFORTS)}.",
            param="reasoning_effort",
            code="invalid_value",
        )
    return effort
