"""Which sites may ask.

Sources: RFC 6454 (The Web Origin Concept), Fetch Standard ("HTTP-network-or-cache fetch": when an
``Origin`` is sent), Fetch Metadata (``Sec-Fetch-Site``).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from aiohttp import hdrs, web
from yarl import URL

from botkit_adapters.web.refusals import RefusalError

_WRITTEN = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
_PORTS = {"http": 80, "https": 443}
_OWN_SITE = frozenset({"", "same-origin", "none"})
_SITE = "Sec-Fetch-Site"

WRITE = "write it as https://shop.example, or https://*.shop.example for all below it"


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port, each in the one form in which they are compared."""

    scheme: str
    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether the name can mean this machine only, whatever a name server says."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


def parse_origin(text: str) -> Origin:
    """The origin that ``text`` writes, as browsers do.

    Raises:
        ValueError: It is none, or more than one: a path, a user, a name that ends with a dot.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"that is no origin; {WRITE}")
    scheme, host = found[1].lower(), found[2].lower()
    if host.startswith("["):
        host = f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
    port = int(found[3]) if found[3] else _PORTS[scheme]
    if not 0 < port < 65536:
        raise ValueError("that is no port")
    return Origin(scheme, host, port)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One origin, or with ``below`` every one whose host ends with a dot and this one's."""

    origin: Origin
    below: bool = False

    def matches(self, origin: Origin) -> bool:
        """Whether ``origin`` is meant."""
        if not self.below:
            return origin == self.origin
        same = (origin.scheme, origin.port) == (self.origin.scheme, self.origin.port)
        return same and origin.host.endswith(f".{self.origin.host}")


def parse_pattern(text: str) -> Pattern:
    """What the setting writes; names in any script.

    Raises:
        ValueError: It is no origin; the message says how to write one.
    """
    scheme, _, rest = text.partition("://")
    below = rest.startswith("*.")
    try:
        host, colon, port = rest.removeprefix("*.").partition(":")
        if not host.isascii():
            host = URL.build(scheme="https", host=host).raw_host or ""
        origin = parse_origin(f"{scheme}://{host}{colon}{port}")
    except ValueError:
        raise ValueError(f"BOTKIT_WEB_ORIGINS: {text!r} is no origin; {WRITE}") from None
    if below and "." not in origin.host and origin.host != "localhost":
        raise ValueError(f"BOTKIT_WEB_ORIGINS: {text!r} is half of the internet; name sites")
    return Pattern(origin, below)


@dataclass(frozen=True)
class Origins:
    """The list, and this server's own origin.

    Fields:
        patterns: Who may ask.
        own: Where this server is reached; None where nobody said so: then pages of this very server
            are let in under names of this machine alone, for any other name may be made to lead
            here.
    """

    patterns: tuple[Pattern, ...] = ()
    own: Origin | None = None

    @classmethod
    def of(cls, texts: Iterable[str], own: str | None = None) -> Self:
        """What the settings write.

        Raises:
            ValueError: One of them is no origin.
        """
        patterns = tuple(parse_pattern(text) for text in texts)
        return cls(patterns, None if own is None else parse_origin(own))

    @property
    def development(self) -> bool:
        """Whether only this machine's own pages may ask."""
        return not self.patterns and self.own is None

    def check(self, request: web.BaseRequest, *, signed: bool = False) -> str:
        """The origin to name in the answer; empty where the request has none and needs none, as one
        of a page of this server, or with ``signed`` any.

        Raises:
            RefusalError: It may not ask.
        """
        sent = request.headers.getall(hdrs.ORIGIN, [])
        if self.development and not _is_local(request):
            raise _refused()
        if not sent:
            if not signed and request.headers.get(_SITE, "").lower() not in _OWN_SITE:
                raise _refused()
            return ""
        if len(sent) > 1 or not self.allows(sent[0], request.headers.get(hdrs.HOST, "")):
            raise _refused()
        return sent[0]

    def allows(self, text: str, host: str) -> bool:
        """Whether a page of the origin ``text`` may ask, the request being to ``host``."""
        try:
            origin = parse_origin(text)
        except ValueError:
            return False
        return self._is_own(origin, host) or any(each.matches(origin) for each in self.patterns)

    def _is_own(self, origin: Origin, host: str) -> bool:
        if self.own is not None:
            return origin == self.own
        try:
            return origin.local and origin == parse_origin(f"{origin.scheme}://{host}")
        except ValueError:
            return False


def _is_local(request: web.BaseRequest) -> bool:
    try:
        return parse_origin(f"http://{request.headers.get(hdrs.HOST, '')}").local
    except ValueError:
        return False


def _refused() -> RefusalError:
    return RefusalError(403, "origin_not_allowed", "This site may not talk to the bot.")
