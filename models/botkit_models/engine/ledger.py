"""Which programs the compilation cache on disk holds, so that a start need not look each one up.

Looking one up means tracing and loading it, about a second. A wrong entry does no harm: the
program is then compiled when it is needed.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

logger = logging.getLogger(__name__)

Key = tuple[str, int, int]


class Ledger:
    """Keys of compiled programs, in a file of the cache's folder.

    Args:
        folder: The compilation cache, or None to remember nothing.
        identity: Everything that the programs depend on besides their key, as text.
    """

    def __init__(self, folder: Path | None, identity: str) -> None:
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._path = folder / f"programs-{digest}.json" if folder else None
        self._keys = self._read()

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: Key) -> None:
        """Note that ``key`` is compiled and on disk."""
        if key in self._keys:
            return
        self._keys.add(key)
        if self._path is None:
            return
        try:
            partial = self._path.with_suffix(".partial")
            partial.write_text(json.dumps(sorted(self._keys)))
            partial.replace(self._path)
        except OSError as error:
            logger.warning("the list of compiled programs cannot be written: %s", error)

    def _read(self) -> set[Key]:
        try:
            text = self._path.read_text() if self._path else "[]"
            return {(str(kind), int(size), int(length)) for kind, size, length in json.loads(text)}
        except (OSError, ValueError, TypeError):
            return set()
