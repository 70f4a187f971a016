"""What texts gave once they give again: vectors and scores, kept while there is room."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 16 << 20
ENTRY_BYTES = 200  # of the bookkeeping around an array


class ResultCache:
    """Arrays by what was computed and the text's token ids; those not used for longest go first.

    Args:
        max_bytes: How much all of them together may take.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._arrays: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = self.misses = 0

    def get(self, kind: str, ids: Sequence[int]) -> NDArray[np.float32] | None:
        """What :meth:`put` kept, or None. Not to be written to."""
        with self._lock:
            key = _key(kind, ids)
            found = self._arrays.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._arrays.move_to_end(key)
            return found

    def put(self, kind: str, ids: Sequence[int], array: NDArray[np.float32]) -> None:
        """Keep an array; ``kind`` names the computation and the model's fingerprint."""
        with self._lock:
            key = _key(kind, ids)
            self._drop(key)
            self._arrays[key] = array
            self._bytes += array.nbytes + ENTRY_BYTES
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._arrays)))

    @property
    def size(self) -> int:
        """Bytes that are kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._arrays)

    def _drop(self, key: bytes) -> None:
        gone = self._arrays.pop(key, None)
        if gone is not None:
            self._bytes -= gone.nbytes + ENTRY_BYTES


def _key(kind: str, ids: Sequence[int]) -> bytes:
    """No text is kept, nor anything as long as one."""
    digest = hashlib.blake2b(kind.encode() + b"\0", digest_size=20)
    digest.update(np.asarray(ids, np.int64).tobytes())
    return digest.digest()
