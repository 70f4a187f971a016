"""What the settings say about the widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from botkit.settings import Settings
from botkit_adapters.web.origins import Origins, parse_origin

DAY = 86400.0


@dataclass(frozen=True)
class WebOptions:
    """How the widget is served. Times in seconds, sizes in bytes.

    Fields:
        origins: Who may ask.
        key: BOTKIT_SECRET_KEY; empty without one.
        identity_secret: Shared with the site; empty takes nobody's word.
        session_seconds: For which a session goes on without being used.
        retention_seconds: After which what was said is deleted; 0 keeps it.
        rate, session_rate, file_rate: As :func:`botkit.limits.rates.parse_rates` reads them.
        proxies: How many stand in front.
        file_bytes, file_types: What visitors may send; 0 bytes is nothing.
        characters: The longest message.
        public_url: Where the server is reached; empty when nobody said so.
        answer_seconds: For which ``POST /chat`` waits.
    """

    origins: Origins
    key: bytes = b""
    identity_secret: bytes = b""
    session_seconds: float = 30 * DAY
    retention_seconds: float = 0.0
    rate: str = "30/minute"
    session_rate: str = "60/hour"
    file_rate: str = "20/hour"
    proxies: int = 0
    file_bytes: int = 4 << 20
    file_types: tuple[str, ...] = ()
    characters: int = 40_000
    public_url: str = ""
    answer_seconds: float = 120.0

    @property
    def file_seconds(self) -> float:
        """For which files are kept: no longer than what was said with them."""
        return min(self.session_seconds, self.retention_seconds or self.session_seconds)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What ``settings`` say.

        Raises:
            ValueError: An origin is written wrongly; the message names the variable.
        """
        secret = settings.web_identity_secret
        own = None if settings.public_url is None else _own(settings.public_url)
        return cls(
            origins=Origins.of(settings.web_origins, own),
            key=settings.key,
            identity_secret=b"" if secret is None else secret.get_secret_value().encode(),
            session_seconds=settings.web_session_days * DAY,
            retention_seconds=settings.retention_days * DAY,
            rate=settings.web_rate,
            session_rate=settings.web_session_rate,
            file_rate=settings.web_file_rate,
            proxies=settings.web_proxies,
            file_bytes=settings.web_file_bytes,
            file_types=settings.web_file_types,
            characters=settings.limit_characters,
            public_url=(settings.public_url or "").rstrip("/"),
            answer_seconds=min(cls.answer_seconds, settings.turn_timeout),
        )


def _own(url: str) -> str:
    scheme, _, rest = url.partition("://")
    own = f"{scheme}://{rest.partition('/')[0]}"
    try:
        parse_origin(own)
    except ValueError as error:
        raise ValueError(f"BOTKIT_PUBLIC_URL: {error}") from None
    return own
