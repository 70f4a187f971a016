"""`botkit chat` with a prompt: one answer, then the end."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from botkit.completion import ChatCompletionRequest, message_text
from botkit.completion.script import Broken
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.text import TextCompletionRequest
from botkit.errors import CompletionUnavailableError


def test_an_argument_is_answered_once(botkit_command) -> None:
    done = botkit_command.run("chat", "two", "words")
    assert (done.stdout, done.stderr, done.returncode) == (b"two words\n", b"", 0)


def test_piped_text_is_the_prompt(botkit_command) -> None:
    done = botkit_command.run("chat", stdin="Wörter\nund mehr\n".encode())
    assert (done.stdout.decode(), done.returncode) == ("Wörter\nund mehr\n", 0)


def test_argument_and_piped_text_are_joined(botkit_command) -> None:
    done = botkit_command.run("chat", "Summarise:", stdin=b"a long text\n")
    assert done.stdout == b"Summarise:\n\na long text\n"


def test_without_standard_input_the_argument_is_enough(botkit_command) -> None:
    shell = 'exec "$0" -m botkit chat hello <&-'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable],
        capture_output=True,
        env=botkit_command.environment,
        timeout=20,
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"hello\n", 0)


@pytest.mark.parametrize(
    ("arguments", "stdin", "problem"),
    [
        ([], b"", b"the prompt is empty"),
        ([" "], b"\n", b"the prompt is empty"),
        ([], b"caf\xe9", b"standard input is not valid text"),
        ([b"caf\xe9"], b"", b"the prompt is not valid text"),
        (["--temperature", "3", "x"], b"", b"--temperature"),
        (["--max-tokens", "0", "x"], b"", b"--max-tokens"),
        (["--seed", "x", "x"], b"", b"--seed"),
        (["--url", "ftp://x", "x"], b"", b"--url"),
        (["--url", "http://[", "x"], b"", b"--url"),
        (["--colour", "x"], b"", b"--colour"),
    ],
)
def test_wrong_usage_ends_with_2(botkit_command, arguments, stdin: bytes, problem: bytes) -> None:
    done = botkit_command.run("chat", *arguments, stdin=stdin)
    assert done.returncode == 2
    assert done.stdout == b""
    assert problem in done.stderr
    assert b"Traceback" not in done.stderr


def test_no_number_is_no_temperature(botkit_command) -> None:
    done = botkit_command.run("chat", "--temperature", "nan", "x")
    assert (done.stdout, done.returncode) == (b"", 1)
    assert b"temperature" in done.stderr


def test_a_wrong_variable_is_one_line(botkit_command) -> None:
    done = botkit_command.run("chat", "x", BOTKIT_SLOTS="many")
    assert done.returncode == 1
    assert done.stderr.startswith(b"botkit: BOTKIT_SLOTS ('many'): ")
    assert done.stderr.count(b"\n") == 1


def test_a_reader_that_leaves_is_no_error(botkit_command) -> None:
    command = botkit_command.start("chat", "word " * 20_000)
    assert command.stdout is not None
    assert command.stdout.read(4) == "word"
    command.stdout.close()
    assert command.wait(20) == 1
    assert command.stderr is not None
    assert command.stderr.read() == ""


def test_what_the_output_cannot_show_is_a_question_mark(botkit_command) -> None:
    done = botkit_command.run("chat", "Wörter 日本", PYTHONIOENCODING="iso8859-1")
    assert (done.stdout, done.returncode) == (b"W\xf6rter ??\n", 0)


def test_a_server_is_asked_with_every_option(botkit_command, serve) -> None:
    seen: list[ChatCompletionRequest | TextCompletionRequest] = []

    def answer(request: ChatCompletionRequest | TextCompletionRequest) -> str:
        seen.append(request)
        return "Paris"

    address = serve(ScriptedCompletion(replies=answer))
    options = ["--temperature", "0.5", "--seed", "7", "--max-tokens", "9", "--system", "Be brief."]
    done = botkit_command.run("chat", "--url", address, *options, "Capital of France?")
    assert (done.stdout, done.stderr, done.returncode) == (b"Paris\n", b"", 0)
    (request,) = seen
    assert isinstance(request, ChatCompletionRequest)
    assert request.model == "scripted"
    assert (request.temperature, request.seed, request.reply_limit) == (0.5, 7, 9)
    said = [(message.role, message_text(message)) for message in request.messages]
    assert said == [("system", "Be brief."), ("user", "Capital of France?")]


def test_a_server_that_asks_for_a_key_gets_botkits_and_never_openais(botkit_command, serve) -> None:
    address = serve(ScriptedCompletion(), api_keys=("right",))
    right = {"BOTKIT_API_KEYS": "right", "OPENAI_API_KEY": "wrong"}
    assert botkit_command.run("chat", "--url", address, "x", **right).returncode == 0
    done = botkit_command.run("chat", "--url", address, "x", OPENAI_API_KEY="right")
    assert done.returncode == 1
    assert b"API key" in done.stderr


def test_a_server_that_is_not_there_is_one_line(botkit_command, free_port: int) -> None:
    done = botkit_command.run("chat", "--url", f"http://127.0.0.1:{free_port}", "x")
    assert (done.stdout, done.returncode) == (b"", 1)
    assert done.stderr.startswith(b"botkit: ")
    assert done.stderr.count(b"\n") == 1


def test_an_unknown_model_is_named(botkit_command, serve) -> None:
    address = serve(ScriptedCompletion())
    done = botkit_command.run("chat", "--url", address, "--model", "gpt-9", "x")
    assert done.returncode == 1
    assert b"gpt-9" in done.stderr


def test_a_reply_that_breaks_off_ends_with_an_error(botkit_command, serve) -> None:
    broken = Broken("half an", CompletionUnavailableError("the model is gone"))
    address = serve(ScriptedCompletion(replies=[broken]))
    done = botkit_command.run("chat", "--url", address, "x")
    assert (done.stdout, done.returncode) == (b"half an\n", 1)
    assert done.stderr == b"botkit: the model is gone\n"


def test_ctrl_c_ends_an_answer_with_130(botkit_command, slow_plugin: str) -> None:
    slow = {"BOTKIT_COMPLETION": "slow", "PYTHONPATH": slow_plugin}
    command = botkit_command.start("chat", "go", **slow)
    assert command.stdout is not None
    assert command.stdout.read(9) == "tick tick"
    command.send_signal(signal.SIGINT)
    output, errors = command.communicate(timeout=20)
    assert command.returncode == 130
    assert "[generation ended] 0" in output
    assert errors == "\n"
