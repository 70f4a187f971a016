"""What the log says, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from botkit.logs import log_to_stderr

SAID = "the quick brown canary"
EMAIL = "canary@example.org"


class Log:
    """What went through the real handler."""

    def __init__(self, form: Any, level: str) -> None:
        self._stream = io.StringIO()
        self._handler = log_to_stderr(level, form, self._stream)

    def alone(self) -> None:
        """Without pytest's handlers, which raise."""
        logging.getLogger().handlers[:] = [self._handler]

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    yield
    root.handlers[:], root.level = kept
    sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Log:
    return Log(request.param, "info")


def fail() -> None:
    try:
        int(SAID)
    except ValueError as error:
        raise RuntimeError(f"said {SAID} {EMAIL}") from error


def foreign(name: str, text: str, *args: object) -> None:
    """As if a package in site-packages spoke."""
    logger = logging.getLogger(name)
    record = logger.makeRecord(name, logging.WARNING, logging.__file__, 1, text, args, None)
    logger.handle(record)


def test_a_line_of_text() -> None:
    log = Log("text", "info")
    logging.getLogger("botkit.x").info("took %d ms", 5, extra={"request_id": "req_1"})
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO botkit\.x: took 5 ms request_id=req_1\n",
        log.text,
    )


def test_a_line_of_json() -> None:
    log = Log("json", "info")
    extra = {"request_id": "req_1", "n": 2, "who": object(), "mail": EMAIL}
    logging.getLogger("botkit_adapters.x").info("a\nb %s", EMAIL, extra=extra)
    (line,) = log.lines
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "botkit_adapters.x",
        "message": "a\nb [email]",
        "request_id": "req_1",
        "n": 2,
        "who": "object",
        "mail": "[email]",
    }


def test_an_error_shows_where_and_not_what(log: Log) -> None:
    try:
        fail()
    except RuntimeError:
        logging.getLogger("botkit.x").exception("a handler failed")
    assert "a handler failed" in log.text
    assert "RuntimeError" in log.text
    assert "ValueError" in log.text
    assert "test_logs.py" in log.text
    assert "fail" in log.text
    assert "canary" not in log.text


def test_the_text_form_says_that_it_withholds() -> None:
    log = Log("text", "info")
    logging.getLogger("botkit.x").error("no", exc_info=ValueError(SAID))
    assert "ValueError: (text withheld, it may quote a person; BOTKIT_LOG_LEVEL=debug" in log.text


@pytest.mark.parametrize("form", ["text", "json"])
def test_debug_shows_it_redacted(form: str) -> None:
    log = Log(form, "debug")
    logging.getLogger("botkit.x").error("no", exc_info=ValueError(f"{SAID} {EMAIL}"))
    foreign("aiohttp.server", "could not %s", f"{SAID} {EMAIL}")
    assert log.text.count(SAID) == 2
    assert EMAIL not in log.text


def test_groups_show_each_error() -> None:
    log = Log("json", "info")
    group = ExceptionGroup(SAID, [ValueError(SAID), TypeError(SAID)])
    logging.getLogger("botkit.x").error("no", exc_info=group)
    (line,) = log.lines
    assert [each["type"] for each in line["error"]["errors"]] == ["ValueError", "TypeError"]
    assert "canary" not in log.text


@pytest.mark.parametrize("name", ["aiohttp.server", "slack_sdk.x", "telegram.x", "httpx", "openai"])
def test_of_other_packages_only_the_words_are_written(log: Log, name: str) -> None:
    foreign(name, "Failed to send %s to %-5s", SAID, EMAIL)
    foreign(name, f"Failed to parse: {SAID}")
    foreign(name, f"Failed with '{SAID}'")
    foreign(name, "Unclosed client session")
    assert "Failed to send … to …" in log.text
    assert "Failed to parse …" in log.text
    assert "Unclosed client session" in log.text
    assert "canary" not in log.text


def test_other_packages_speak_from_warning_on(log: Log) -> None:
    logging.getLogger("httpx").info("HTTP Request")
    assert log.text == ""


async def test_an_exception_that_nobody_retrieved(log: Log) -> None:
    async def broken() -> None:
        raise ValueError(SAID)

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
    await asyncio.sleep(0)
    assert "Task exception was never retrieved" in log.text
    assert "ValueError" in log.text
    assert "canary" not in log.text


async def test_an_exception_in_a_callback(log: Log) -> None:
    def broken(said: str) -> None:
        raise ValueError(said)

    asyncio.get_running_loop().call_soon(broken, SAID)
    await asyncio.sleep(0.01)
    assert "Exception in callback" in log.text
    assert "canary" not in log.text


def test_threads_and_the_interpreter(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    warnings.showwarning(SAID, UserWarning, "x.py", 3)
    assert log.text.count("RuntimeError") == 2
    assert "UserWarning at x.py:3" in log.text
    assert "canary" not in log.text + capsys.readouterr().err


def test_values_that_do_not_fit_are_not_printed(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise ValueError(SAID)

    log.alone()
    logging.getLogger("botkit.x").warning("a %d", SAID)
    logging.getLogger("botkit.x").warning("a %s", Unprintable())
    assert "canary" not in log.text + capsys.readouterr().err
    assert "a %d" in log.text


def test_a_line_cannot_be_made_up(log: Log) -> None:
    logging.getLogger("botkit.x").warning("a %s", "b\r\x1b[31m\u2028c", extra={"x": "d\ne"})
    assert len(log.text.splitlines()) == 1
    assert "\x1b" not in log.text
