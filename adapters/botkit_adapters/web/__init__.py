"""The web widget. Importing this brings nothing that a server without the widget would not have."""

from __future__ import annotations

import importlib.util
import ipaddress
from typing import TYPE_CHECKING

from botkit.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from botkit.settings import Settings
    from botkit_adapters.web.adapter import WebAdapter

__all__ = ["wanted", "web_adapter"]

OFF = ("none",)


def web_adapter(settings: Settings) -> WebAdapter | None:
    """The adapter, or None where it is switched off.

    Raises:
        SettingsError: A variable cannot be.
        MissingExtraError: The extra ``web`` is not installed, and sites are named.
    """
    if not wanted(settings):
        return None
    for package in ("itsdangerous", "jwt", "filetype"):
        if importlib.util.find_spec(package) is None:
            if not settings.web_origins:
                return None
            raise MissingExtraError(package, "web")
    from botkit_adapters.web.adapter import WebAdapter
    from botkit_adapters.web.options import WebOptions

    try:
        return WebAdapter(WebOptions.of(settings))
    except ValueError as error:
        raise SettingsError(str(error)) from None


def wanted(settings: Settings) -> bool:
    """Whether the settings switch the widget on: by naming sites, or where a developer tries the
    server. Whoever has keys, a public address or a frozen process has said that this is none."""
    if settings.web_origins:
        return settings.web_origins != OFF
    published = settings.public_url or settings.api_keys or settings.trigger != "process"
    return not published and _is_loopback(settings.host)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
