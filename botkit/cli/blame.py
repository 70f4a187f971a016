"""Where in somebody's own code an error comes from, without the frames of botkit and Python."""

from __future__ import annotations

import linecache
import logging
import sys
import sysconfig
import traceback
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])
_PYTHON = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib"))


def blame(error: BaseException) -> str:
    """The error with its file, line and the line's text, on one or two lines."""
    where, text = _place(error)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    what = type(error).__name__ + (f": {said}" if said else "")
    return f"{where}{what}" + (f"\n    {text.strip()}" if text.strip() else "")


def _place(error: BaseException) -> tuple[str, str]:
    """``file, line n: `` and that line; both empty when no frame is anybody's own."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: ", error.text or ""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_PACKAGE, *_PYTHON, "<"))
    ]
    if not own:
        return "", ""
    frame = own[-1]
    return f"{frame.filename}, line {frame.lineno}: ", linecache.getline(
        frame.filename, frame.lineno or 0
    )


class BlamingHandler(logging.Handler):
    """Log records on stderr; of an exception, what :func:`blame` says."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        lines = [record.getMessage()]
        if record.exc_info and record.exc_info[1] is not None:
            lines.append(blame(record.exc_info[1]))
        print("\n".join(lines), file=sys.stderr)
