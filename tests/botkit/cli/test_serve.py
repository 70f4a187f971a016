"""`botkit serve` as a process."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

TIMEOUT = 20
SAID = "a very private question"

Start = Callable[..., "Server"]


class Server:
    """The process and what it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"listens on (http://\S+)", first)
        assert found, first
        self.address = found[1]

    def output_until(self, text: str) -> str:
        assert self.process.stdout is not None
        lines: list[str] = []
        while not lines or text not in lines[-1]:
            line = self.process.stdout.readline()
            assert line, f"{text!r} was not printed, but {''.join(lines)!r}"
            lines.append(line)
        return "".join(lines)

    def ask(self, path: str, body: object = None, key: str | None = None) -> tuple[int, bytes]:
        headers = {"content-type": "application/json"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and standard error."""
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, errors


@pytest.fixture
def start(botkit_command) -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []

    def begin(*options: str, **variables: str) -> Server:
        process = botkit_command.start("serve", "--port", "0", *options, **variables)
        processes.append(process)
        return Server(process)

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.communicate()


def chat(text: str) -> dict[str, object]:
    return {"model": "echo", "messages": [{"role": "user", "content": text}]}


def test_it_answers_shows_its_page_and_ends_at_sigterm(start: Start) -> None:
    server = start()
    server.output_until("is ready after")
    assert server.ask("/healthz")[0] == server.ask("/readyz")[0] == 200
    status, page = server.ask("/")
    assert (status, page[:15]) == (200, b"<!doctype html>")
    status, reply = server.ask("/v1/chat/completions", chat("hello"))
    assert status == 200
    assert json.loads(reply)["choices"][0]["message"]["content"] == "hello"
    assert server.stop()[0] == 0


def test_it_shows_the_widget_and_how_to_embed_it(start: Start) -> None:
    server = start()
    output = server.output_until("Ctrl-C stops the server")
    assert "the bot answers on: Web" in output
    assert f'<script async src="{server.address}/widget.js"></script>' in output
    assert b"/widget.js" in server.ask("/")[1]
    status, page = server.ask("/playground")
    assert (status, b'id="composer"' in page) == (200, True)
    assert server.ask("/chat", {"prompt": "hello"})[0] == 200
    assert server.stop()[0] == 0


def test_ctrl_c_ends_it(start: Start) -> None:
    server = start()
    server.output_until("Ctrl-C stops the server")
    assert server.stop(signal.SIGINT)[0] == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_printed_curl_command_works(start: Start) -> None:
    server = start(BOTKIT_API_KEYS="secret-key")
    printed = server.output_until("Ctrl-C stops the server")
    found = re.search(r"  curl    (curl .*?\n.*?)\n", printed)
    assert found
    done = subprocess.run(
        ["sh", "-c", found[1]],
        capture_output=True,
        env=os.environ | {"KEY": "secret-key"},
        timeout=TIMEOUT,
        check=True,
    )
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "Hello!"
    assert "secret-key" not in printed


def test_it_asks_for_a_key(start: Start) -> None:
    server = start(BOTKIT_API_KEYS="one,two")
    server.output_until("is ready after")
    assert server.ask("/v1/models")[0] == 401
    assert server.ask("/v1/models", key="two")[0] == 200


def test_aliases_and_limits_come_from_the_variables(start: Start) -> None:
    server = start(BOTKIT_MODEL_ALIASES="gpt-4=echo", BOTKIT_MAX_BODY_BYTES="1024")
    server.output_until("is ready after")
    assert server.ask("/v1/chat/completions", chat("x") | {"model": "gpt-4"})[0] == 200
    assert server.ask("/v1/chat/completions", chat("x" * 2000))[0] == 413


def test_the_log_holds_requests_but_no_text(start: Start) -> None:
    server = start()
    server.output_until("is ready after")
    assert server.ask("/v1/chat/completions", chat(SAID))[0] == 200
    _, errors = server.stop()
    assert "POST /v1/chat/completions 200" in errors
    assert SAID not in errors


def test_the_log_can_be_for_programs(start: Start) -> None:
    server = start(BOTKIT_LOG_FORMAT="json")
    server.output_until("is ready after")
    assert server.ask("/v1/chat/completions", chat(SAID))[0] == 200
    assert server.ask(f"/{SAID.replace(' ', '-')}")[0] == 404
    _, errors = server.stop()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert any("POST /v1/chat/completions 200" in line["message"] for line in lines)
    assert any("GET an unknown path 404" in line["message"] for line in lines)
    assert all({"time", "level", "logger"} <= line.keys() for line in lines)


def test_the_log_can_be_quiet(start: Start) -> None:
    server = start(BOTKIT_LOG_LEVEL="error")
    server.output_until("is ready after")
    server.ask("/healthz")
    assert server.stop() == (0, "")


def test_a_port_in_use_is_one_sentence(start: Start, botkit_command) -> None:
    port = start().address.rpartition(":")[2]
    done = botkit_command.run("serve", "--port", port)
    assert (done.stdout, done.returncode) == (b"", 1)
    assert done.stderr.decode() == (
        f"botkit: 127.0.0.1:{port} is in use already; stop what listens there, or choose another "
        "port with --port or BOTKIT_PORT\n"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_one_sentence(botkit_command, host: str) -> None:
    done = botkit_command.run("serve", "--host", host, "--port", "0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"botkit: cannot listen on {host}:0: ".encode())
    assert done.stderr.count(b"\n") == 1


def test_an_alias_to_nothing_ends_it(botkit_command) -> None:
    done = botkit_command.run("serve", "--port", "0", BOTKIT_MODEL_ALIASES="gpt-4=gpt-5")
    assert done.returncode == 1
    assert b"botkit: the model alias 'gpt-4' leads to 'gpt-5'" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_open_door_is_pointed_out(start: Start) -> None:
    server = start("--host", "0.0.0.0")
    assert "set BOTKIT_API_KEYS" in server.output_until("Everyone who reaches 0.0.0.0")


def test_a_running_reply_is_finished_before_the_end(start: Start, slow_plugin: str) -> None:
    server = start(BOTKIT_COMPLETION="slow", PYTHONPATH=slow_plugin)
    server.output_until("is ready after")
    host = server.address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=TIMEOUT)
    request = chat("x") | {"model": "scripted", "stream": True, "max_tokens": 20}
    headers = {"content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(request), headers)
    response = connection.getresponse()
    response.read(10)
    server.process.send_signal(signal.SIGTERM)
    assert b"[DONE]" in response.read()
    assert server.process.wait(TIMEOUT) == 0
