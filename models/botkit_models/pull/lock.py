"""One pull of a model at a time, across processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botkit.errors import PullError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file. The system lets go of it when the process ends, however it ends.

    Raises:
        PullError: Another process holds it, or the file cannot be made.
    """
    try:
        file = path.open("ab")
    except OSError as error:
        raise PullError(f"cannot write to {path.parent}: {error.strerror or error}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PullError(
                f"another process is pulling this model right now (it holds {path}); "
                "wait until it is done"
            ) from None
        yield
