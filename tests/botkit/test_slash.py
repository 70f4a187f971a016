"""What is a command and what is a text that begins with a slash."""

from __future__ import annotations

import pytest

from botkit.slash import typed_command


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/reset", ("reset", "")),
        (" /Memory forget 2 ", ("memory", "forget 2")),
        ("/ask what\nis it?", ("ask", "what\nis it?")),
        ("/", None),
        ("/etc/passwd", None),
        ("/over-there? no", None),
        ("what is /reset", None),
        ("", None),
    ],
)
def test_a_command_is_a_name_after_a_slash(text: str, meant: tuple[str, str] | None) -> None:
    assert typed_command(text) == meant
