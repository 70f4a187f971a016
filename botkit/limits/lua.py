"""What Redis does in one piece for limits, each in a file of its own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def lua(name: str) -> str:
    """The text of a script; read when it is first needed, which without Redis is never."""
    return (files("botkit.limits") / f"{name}.lua").read_text()
