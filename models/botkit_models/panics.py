"""Failures of libraries written in Rust."""

from __future__ import annotations


def is_failure(error: BaseException) -> bool:
    """Whether ``error`` says that a call failed, not that this process is to end.

    A library that panics raises what is no ``Exception`` in Python (pyo3's ``PanicException``, a
    class that cannot be imported), so it is known by name.
    """
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
