"""The bot that the pages with the widget talk to."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from botkit.bot import Bot
from botkit.completion import Completion
from botkit.testing.served import ServedBot, serving


def web_bot(
    completion: Completion,
    bot: Bot | None = None,
    *,
    origins: tuple[str, ...] = (),
    home: Path | None = None,
    **settings: Any,
) -> AbstractAsyncContextManager[ServedBot]:
    """A bot over loopback that serves the widget; visitors of tests come as often as they like.

    Args:
        completion: Who answers.
        bot: None answers everything through the completion.
        origins: Who may embed it, beside its own pages on this machine.
        home: Where its database is; None takes a folder that is deleted afterwards.
        settings: Further settings, by field name.
    """
    return serving(
        bot,
        web=True,
        completion=completion,
        home=home,
        **{
            "web_origins": origins,
            "web_rate": "off",
            "web_session_rate": "off",
            "web_file_rate": "off",
            **settings,
        },
    )
