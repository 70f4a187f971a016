"""How often something may be done, and who does it."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable
from functools import cached_property

from aiohttp import web

from botkit.limits.addresses import Address, network, parse_address
from botkit.limits.rates import Rate, parse_rates
from botkit.limits.waiting import in_words
from botkit.limits.windows import Window, Windows
from botkit_adapters.web.refusals import RefusalError

logger = logging.getLogger(__name__)

_FORWARDED = "X-Forwarded-For"


class Limit:
    """One limit, counted in this process.

    Args:
        text: As :func:`botkit.limits.rates.parse_rates` reads it.
        clock: Seconds since 1970.
    """

    def __init__(self, text: str, clock: Callable[[], float] = time.time) -> None:
        self._text = text
        self._windows = Windows(clock)

    def take(self, who: str) -> None:
        """Count once more.

        Raises:
            RefusalError: That is too often.
        """
        windows = [
            Window(f"{who} {rate.amount}/{rate.seconds}", rate, "user") for rate in self._rates
        ]
        full = self._windows.full(windows)
        if full is not None:
            wait = full[1]
            message = f"That is a lot at once. Please try again in {in_words(wait)}."
            raise RefusalError(429, "rate_limited", message, retry_after=wait)
        self._windows.add(windows)

    @cached_property
    def _rates(self) -> tuple[Rate, ...]:
        return parse_rates(self._text)


class Newcomers:
    """New visitors, by the address that they come from.

    Args:
        text: The limit.
        proxies: How many stand in front of the server.
        development: This machine's own visitors are not counted.
    """

    def __init__(self, text: str, proxies: int, *, development: bool) -> None:
        self._limit = Limit(text)
        self._proxies = proxies
        self._development = development
        self._warned = False

    def take(self, request: web.Request) -> None:
        """Count one more.

        Raises:
            RefusalError: Too many came from there.
        """
        address = client_address(request, self._proxies)
        if self._development and address.is_loopback:
            return
        try:
            self._limit.take(network(address))
        except RefusalError:
            self._explain(request)
            raise

    def _explain(self, request: web.Request) -> None:
        if not self._proxies and _FORWARDED in request.headers and not self._warned:
            self._warned = True
            logger.warning(
                "web: many visitors come from one address, and name others in %s: is a proxy in "
                "front of this server? Set BOTKIT_WEB_PROXIES",
                _FORWARDED,
            )


def client_address(request: web.BaseRequest, proxies: int) -> Address:
    """Who asks: whoever connects, or whom the outermost of ``proxies`` saw."""
    named = ",".join(request.headers.getall(_FORWARDED, [])).split(",") if proxies else []
    written = [request.remote or "", *named[-proxies:][:1]] if proxies else [request.remote or ""]
    for text in reversed(written):
        address = parse_address(text.strip())
        if address is not None:
            return address
    return ipaddress.IPv6Address(0)  # a socket of this machine
