"""Telegram's reasons may quote the message; what is logged and kept of them does not."""

from __future__ import annotations

import pytest
from telegram.error import BadRequest

from botkit_adapters.telegram.calls import translate


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            'Can\'t parse entities: unsupported start tag "my secret" at byte offset 3',
            'Can\'t parse entities: unsupported start tag "…" at byte offset 3',
        ),
        ("Inline keyboard button url 'x://it's \"mine\"' is invalid", 'url "…" is invalid'),
        ("Message is not modified", "Message is not modified"),
    ],
)
def test_a_refusal_quotes_nobody(said: str, kept: str) -> None:
    reason = translate(BadRequest(said)).reason
    assert reason.endswith(kept)
    assert "secret" not in reason
    assert "mine" not in reason
