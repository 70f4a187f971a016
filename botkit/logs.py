"""The log: lines that say what happened, and never what a person said.

* Messages are redacted. Of other packages' messages, whose values may quote anything, only the
  words are written.
* Of an exception its type and frames are written; its own text may quote a person, as that of
  ``int("...")`` does, and is withheld.

With ``BOTKIT_LOG_LEVEL=debug`` both are written, redacted.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import sysconfig
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from botkit.redaction import redacted

LogFormat = Literal["text", "json"]

OWN = ("botkit", "botkit_adapters", "botkit_handlers", "botkit_models")
"""Loggers that speak below warning: an SDK's debug lines hold message text."""

WITHHELD = "text withheld, it may quote a person; BOTKIT_LOG_LEVEL=debug shows it"

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LIBRARIES = tuple(
    f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_VALUE = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[a-zA-Z]")
_QUOTE = re.compile(r"[\"'`“‘«<(\[{=:\n]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_CAUSES = 8
_FRAMES = 50

logger = logging.getLogger(__name__)


def log_to_stderr(level: str, form: LogFormat, stream: TextIO | None = None) -> logging.Handler:
    """Send every logger's lines to the standard error, in this form only.

    Args:
        level: Of botkit's own loggers; the others speak from warning on.
        form: Text for people, or one JSON object a line.
        stream: Instead of the standard error.
    """
    handler = _Handler(stream)
    handler.setFormatter(formatter(form, told=level == "debug"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in OWN:
        logging.getLogger(name).setLevel(level.upper())
    _catch_the_rest(told=level == "debug")
    return handler


def formatter(form: LogFormat, *, told: bool) -> logging.Formatter:
    """The formatter.

    Args:
        form: As for :func:`log_to_stderr`.
        told: Whether other packages' values and the text of exceptions are written.
    """
    return (JsonFormatter if form == "json" else TextFormatter)(told)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, what was passed as ``extra``, error."""

    def __init__(self, told: bool = False) -> None:
        super().__init__()
        self._told = told

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            **extras(record),
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message(record, self._told),
        }
        if error := _error(record):
            line["error"] = _described(error, self._told)
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """Time, level, logger and message on a line; then the frames of an error."""

    def __init__(self, told: bool = False) -> None:
        super().__init__()
        self._told = told

    def format(self, record: logging.LogRecord) -> str:
        """The line, and those of the error."""
        more = "".join(f" {name}={value}" for name, value in extras(record).items())
        said = message(record, self._told).replace("\n", "\n  ")
        lines = [f"{_time(record)} {record.levelname} {record.name}: {said}{more}"]
        if error := _error(record):
            lines += _lines(_described(error, self._told))
        return "\n".join(lines)


class _Handler(logging.StreamHandler[TextIO]):
    """Says only that a line could not be written: logging itself would print its values."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        stream = sys.stderr
        if stream is not None and not stream.closed:
            stream.write(f"a line of {record.name} could not be logged\n")


def message(record: logging.LogRecord, told: bool) -> str:
    """What a record says, as far as it may be written."""
    try:
        whole = record.getMessage()
    except Exception:  # values that do not fit
        whole, told = str(record.msg), False
    if not told and _foreign(record):
        whole = _words(record)
    return _CONTROL.sub(_escaped, redacted(whole))


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What was passed as ``extra``; of anything but text and numbers only the type."""
    return {name: _plain(value) for name, value in vars(record).items() if name not in _STANDARD}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else type(value).__name__
    return _CONTROL.sub(_escaped, redacted(text)).replace("\n", "\\n")


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _foreign(record: logging.LogRecord) -> bool:
    """Whether another package speaks; not botkit, and not the bot's author."""
    return record.name.partition(".")[0] not in OWN and record.pathname.startswith(_LIBRARIES)


def _words(record: logging.LogRecord) -> str:
    """A message without its values: the template, or what stands before anything quoted."""
    template = str(record.msg)
    if record.args:
        return _VALUE.sub("…", template)
    words = _QUOTE.split(template, 1)[0].rstrip()
    return words if words == template.rstrip() else f"{words} …"


# Errors


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _described(error: BaseException, told: bool, depth: int = 0) -> dict[str, Any]:
    """Type and frames; what it arose from."""
    described: dict[str, Any] = {"type": _name(type(error)), "frames": list(_frames(error))}
    if told:
        described["message"] = _CONTROL.sub(_escaped, redacted(_text(error)))
    if isinstance(error, BaseExceptionGroup) and depth < _CAUSES:
        among = error.exceptions[:_CAUSES]
        described["errors"] = [_described(each, told, depth + 1) for each in among]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < _CAUSES:
        described["cause"] = _described(cause, told, depth + 1)
    return described


def _name(kind: type[BaseException]) -> str:
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _frames(error: BaseException) -> Iterator[dict[str, Any]]:
    for frame, line in list(traceback.walk_tb(error.__traceback__))[-_FRAMES:]:
        code = frame.f_code
        yield {"file": code.co_filename, "line": line, "function": code.co_name}


def _lines(described: Mapping[str, Any], indent: str = "  ") -> list[str]:
    said = described.get("message", f"({WITHHELD})")
    lines = [f"{indent}{described['type']}: {said}".replace("\n", f"\n{indent}  ")]
    lines += [
        f'{indent}  File "{frame["file"]}", line {frame["line"]}, in {frame["function"]}'
        for frame in described["frames"]
    ]
    for each in described.get("errors", ()):
        lines += _lines(each, indent + "  ")
    if "cause" in described:
        lines += [f"{indent}which arose from", *_lines(described["cause"], indent)]
    return lines


# What nobody caught


def _catch_the_rest(*, told: bool) -> None:
    """Python prints warnings and what nobody caught, with its text: here they are logged."""

    def warned(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        said = f": {message}" if told else ""
        logger.warning("%s at %s:%d%s", category.__name__, filename, lineno, said)

    warnings.showwarning = warned
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("stopped by an error", exc_info=error)


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and given.exc_type is not SystemExit:
        logger.error("a thread was stopped by an error", exc_info=given.exc_value)


def _unraisable(given: sys.UnraisableHookArgs) -> None:
    if given.exc_value is not None:
        logger.error("an error could not be raised", exc_info=given.exc_value)
