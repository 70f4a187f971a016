"""Words that no log, metric, trace or error may hold, and what watches for them."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientResponse

from botkit.logs import formatter, log_to_stderr

PHRASE = "mauve canary over Lisbon"
EMAIL = "canary.person@private-mail.example"
PHONE = "+351 912 345 678"
CARD = "4111 1111 1111 1111"
KEY = "sk-proj-C4n4ryC4n4ryC4n4ryC4n4ry"
PERSONAL = (EMAIL, PHONE, CARD, KEY)
CANARIES = (PHRASE, *PERSONAL)
SAID = f"the {PHRASE}: {EMAIL}, {PHONE}, {CARD}, {KEY}"


@dataclass
class Watch:
    """Everything that a bot gives away but its replies.

    Fields:
        log: What went through the real handlers, in either form.
        answers: Bodies and headers of HTTP responses that are errors.
        scrapes: What the metrics said.
    """

    log: io.StringIO = field(default_factory=io.StringIO)
    answers: list[str] = field(default_factory=list)
    scrapes: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Log as ``botkit serve`` does, as text and as JSON."""
        first = log_to_stderr("info", "text", self.log)
        second = type(first)(self.log)
        second.setFormatter(formatter("json", told=False))
        logging.getLogger().addHandler(second)

    async def heard(self, response: ClientResponse) -> int:
        """Keep what an error says; its status."""
        body = (await response.read()).decode("utf-8", "replace")
        if response.status >= 400:
            self.answers.append(f"{response.status} {dict(response.headers)} {body}")
        return response.status

    def json_lines(self) -> list[dict[str, object]]:
        """The log's lines in the form for programs."""
        return [json.loads(line) for line in self.log.getvalue().splitlines() if line[0] == "{"]


def held(text: str, words: Iterable[str]) -> list[str]:
    """Those of ``words`` that are in ``text``, however JSON or a URL writes them."""
    plain = text.replace("\\u002b", "+").replace("%20", " ").replace("%40", "@")
    return [word for word in words if word in text or word in plain]


def database_bytes(folder: Path) -> bytes:
    """Everything that SQLite keeps on disk."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("botkit.db*")))


def around(data: bytes, word: str) -> list[bytes]:
    """Where ``word`` is in ``data``, with what stands about it."""
    return [
        data[max(0, found.start() - 100) : found.end() + 40]
        for found in re.finditer(re.escape(word.encode()), data)
    ]
