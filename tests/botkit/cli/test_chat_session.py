"""`botkit chat` on a terminal: a conversation."""

from __future__ import annotations

import time

import pexpect

from botkit.completion import ChatCompletionRequest, message_text
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.text import TextCompletionRequest
from botkit.errors import CompletionError, ContextLengthError, OverloadedError

PROMPT = "> "


def transcript(request: ChatCompletionRequest | TextCompletionRequest) -> str:
    """What the model was sent, as one line."""
    assert isinstance(request, ChatCompletionRequest)
    said = (f"{message.role}:{message_text(message)}" for message in request.messages)
    return "|".join(said) + "."


def say(terminal: pexpect.spawn[str], text: str) -> None:
    terminal.expect_exact(PROMPT)
    terminal.sendline(text)


def leave(terminal: pexpect.spawn[str]) -> None:
    terminal.expect_exact(PROMPT)
    terminal.sendeof()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_a_conversation_is_remembered_and_forgotten(botkit_command, serve) -> None:
    address = serve(ScriptedCompletion(replies=transcript))
    terminal = botkit_command.terminal("chat", "--url", address)
    say(terminal, "one")
    terminal.expect_exact("user:one.")
    say(terminal, "two")
    terminal.expect_exact("user:one|assistant:user:one.|user:two.")
    say(terminal, "/reset")
    say(terminal, "three")
    terminal.expect_exact("\nuser:three.")
    say(terminal, "/system Be brief.")
    say(terminal, "four")
    terminal.expect_exact("system:Be brief.|user:three|assistant:user:three.|user:four.")
    say(terminal, "/system")
    say(terminal, "/reset")
    say(terminal, "five")
    terminal.expect_exact("\nuser:five.")
    leave(terminal)


def test_a_question_is_answered_again(botkit_command, serve) -> None:
    address = serve(ScriptedCompletion(replies=["first", "second"]))
    terminal = botkit_command.terminal("chat", "--url", address)
    say(terminal, "/retry")
    terminal.expect_exact("nothing to answer again")
    say(terminal, "hello")
    terminal.expect_exact("first")
    say(terminal, "/retry")
    terminal.expect_exact("second")
    leave(terminal)


def test_a_reply_streams(botkit_command, serve) -> None:
    address = serve(ScriptedCompletion(replies=["tick " * 20], delay=0.1))
    terminal = botkit_command.terminal("chat", "--url", address)
    say(terminal, "go")
    terminal.expect_exact("tick")
    first = time.monotonic()
    terminal.expect_exact(" tick" * 15)
    assert time.monotonic() - first > 1
    leave(terminal)


def test_ctrl_c_stops_the_reply_and_keeps_the_session(botkit_command, serve) -> None:
    completion = ScriptedCompletion(replies=endless_then_transcript, delay=0.05)
    address = serve(completion)
    terminal = botkit_command.terminal("chat", "--url", address)
    say(terminal, "go")
    terminal.expect_exact("tick tick")
    terminal.sendintr()
    terminal.expect_exact("stopped")
    deadline = time.monotonic() + 5
    while completion.counts.cancelled == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert completion.counts.cancelled == 1
    assert completion.counts.running == 0
    say(terminal, "still there?")
    terminal.expect(r"user:go\|assistant:tick tick[tick ]*\|user:still there\?\.")
    leave(terminal)


def test_ctrl_c_stops_a_completion_in_the_process(botkit_command, slow_plugin) -> None:
    terminal = botkit_command.terminal("chat", BOTKIT_COMPLETION="slow", PYTHONPATH=slow_plugin)
    say(terminal, "go")
    terminal.expect_exact("tick tick")
    terminal.sendintr()
    terminal.expect_exact("[generation ended]")
    terminal.expect_exact("stopped")
    leave(terminal)


def test_ctrl_c_at_the_prompt_keeps_the_session(botkit_command) -> None:
    terminal = botkit_command.terminal("chat")
    terminal.expect_exact(PROMPT)
    terminal.sendintr()
    terminal.expect_exact("/quit ends")
    say(terminal, "hello")
    terminal.expect_exact("hello")
    leave(terminal)


def test_quit_ends(botkit_command) -> None:
    terminal = botkit_command.terminal("chat")
    say(terminal, "/quit")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_help_lists_every_command(botkit_command) -> None:
    terminal = botkit_command.terminal("chat")
    say(terminal, "/nonsense")
    terminal.expect_exact("no command /nonsense")
    say(terminal, "/help")
    for command in ("/reset", "/system", "/retry", "/help", "/quit"):
        terminal.expect_exact(command)
    leave(terminal)


def test_the_last_line_comes_back_with_the_arrow_key(botkit_command) -> None:
    terminal = botkit_command.terminal("chat")
    say(terminal, "remember me")
    terminal.expect_exact("remember me")
    terminal.expect_exact(PROMPT)
    terminal.send("\x1b[A\n")
    terminal.expect_exact("remember me")
    terminal.expect_exact("remember me")
    leave(terminal)


def test_an_error_ends_its_turn_only(botkit_command, serve) -> None:
    busy = OverloadedError("64 requests wait already", retry_after=0.01)
    address = serve(ScriptedCompletion(replies=errors_then_transcript(busy)))
    terminal = botkit_command.terminal("chat", "--url", address)
    say(terminal, "one")
    terminal.expect_exact("64 requests wait already")
    say(terminal, "two")
    terminal.expect_exact("\nuser:two.")
    leave(terminal)


def test_a_full_context_forgets_the_oldest(botkit_command, serve) -> None:
    address = serve(ScriptedCompletion(replies=at_most_three_messages))
    terminal = botkit_command.terminal("chat", "--url", address)
    say(terminal, "one")
    terminal.expect_exact("ok")
    say(terminal, "two")
    terminal.expect_exact("ok")
    say(terminal, "three")
    terminal.expect_exact("ok")
    terminal.expect_exact("oldest")
    leave(terminal)


def test_a_reply_cannot_command_the_terminal(botkit_command, serve) -> None:
    address = serve(ScriptedCompletion(replies=["\x1b]0;owned\x07red \x1b[31malert\r\x9b2J end"]))
    terminal = botkit_command.terminal("chat", "--url", address)
    say(terminal, "go")
    terminal.expect_exact("]0;ownedred [31malert2J end")
    leave(terminal)


def endless_then_transcript(request: ChatCompletionRequest | TextCompletionRequest) -> str:
    assert isinstance(request, ChatCompletionRequest)
    return "tick " * 600 if len(request.messages) == 1 else transcript(request)


def errors_then_transcript(error: CompletionError):
    def reply(request: ChatCompletionRequest | TextCompletionRequest) -> str | CompletionError:
        return error if transcript(request) == "user:one." else transcript(request)

    return reply


def at_most_three_messages(
    request: ChatCompletionRequest | TextCompletionRequest,
) -> str | CompletionError:
    assert isinstance(request, ChatCompletionRequest)
    if len(request.messages) > 3:
        return ContextLengthError(limit=3, prompt_tokens=5, reply_tokens=1)
    return "ok"
