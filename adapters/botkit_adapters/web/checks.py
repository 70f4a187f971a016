"""What ``botkit doctor`` says about the widget."""

from __future__ import annotations

from botkit.errors import MissingExtraError, SettingsError
from botkit.plugins import Check
from botkit.settings import Settings
from botkit_adapters.web import OFF, wanted, web_adapter

_TITLE = "Web"


def checks(settings: Settings) -> list[Check]:
    """Whether the widget is served, for whom, and whether visitors can come back."""
    try:
        adapter = web_adapter(settings)
    except MissingExtraError as error:
        return [Check(_TITLE, "fail", f"the package {error.package!r} is missing", str(error))]
    except SettingsError as error:
        return [Check(_TITLE, "fail", "BOTKIT_WEB_ORIGINS cannot be used", str(error))]
    if adapter is None:
        return [_absent(settings)]
    if not settings.web_origins:
        return [Check(_TITLE, "ok", "for pages of this machine, to try it")]
    return [_present(settings)]


def _absent(settings: Settings) -> Check:
    if settings.web_origins == OFF:
        return Check(_TITLE, "ok", "switched off")
    if wanted(settings):
        return Check(_TITLE, "ok", "not set up: its packages are missing (pip: botkit[web])")
    return Check(_TITLE, "ok", "not set up: BOTKIT_WEB_ORIGINS names the sites that may embed it")


def _present(settings: Settings) -> Check:
    found = f"for {', '.join(settings.web_origins)}"
    if settings.trigger != "process":
        advice = "replies appear when they are whole: a frozen process cannot stream them"
        return Check(_TITLE, "warn", f"{found}, with BOTKIT_TRIGGER={settings.trigger}", advice)
    if any(origin.startswith("http://") for origin in settings.web_origins if _public(origin)):
        advice = "have that site use https: what is said there can be read and changed on its way"
        return Check(_TITLE, "warn", found, advice)
    if not settings.key:
        advice = (
            "set BOTKIT_SECRET_KEY: without, the key of visitors' tokens is in the database, and "
            "goes with it"
        )
        return Check(_TITLE, "warn", found, advice)
    if settings.public_url and not settings.web_proxies:
        advice = (
            "if a proxy is in front, set BOTKIT_WEB_PROXIES: else all visitors have its address, "
            "and the limit of new ones is that of one"
        )
        return Check(_TITLE, "ok", found, advice)
    return Check(_TITLE, "ok", found)


def _public(origin: str) -> bool:
    from botkit_adapters.web.origins import parse_pattern

    return not parse_pattern(origin).origin.local
