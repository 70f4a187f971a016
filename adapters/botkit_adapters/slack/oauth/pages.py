"""What people see while they add the app: one plain document, in which nothing can run."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

_STYLE = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem;"
    "color:#1d1c1d;background:#fff}a{color:#1264a3}"
    "@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#1a1d21}a{color:#5ab0f2}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    # The address of the page holds a code.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Link:
    """Where a page leads."""

    label: str
    url: str


START_AGAIN = Link("Start again", "install")
"""Beside the redirect page, wherever the server is mounted."""


@dataclass(frozen=True)
class Page:
    """A page; every text in it is escaped."""

    title: str
    text: str
    links: tuple[Link, ...] = (START_AGAIN,)
    status: int = 400

    def response(self) -> web.Response:
        """The page, as an answer."""
        links = "".join(
            f'<p><a href="{html.escape(each.url)}" rel="noreferrer">{html.escape(each.label)}</a>'
            for each in self.links
        )
        title = html.escape(self.title)
        body = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{title}</title><style>{_STYLE}</style></head>"
            f"<body><h1>{title}</h1><p>{html.escape(self.text)}</p>{links}</body></html>"
        )
        return web.Response(
            text=body,
            content_type="text/html",
            charset="utf-8",
            status=self.status,
            headers=HEADERS,
        )


def added(team: str, name: str, app: str) -> Page:
    """The app is in the workspace; links back to it
    (https://docs.slack.dev/interactivity/deep-linking)."""
    return Page(
        "Added to Slack",
        f"The app is now in {name}. Write to it, or mention it in a channel it was invited to.",
        (
            Link("Open Slack", f"slack://app?{urlencode({'team': team, 'id': app})}"),
            Link(
                "Open Slack in the browser",
                f"https://slack.com/app_redirect?{urlencode({'app': app, 'team': team})}",
            ),
        ),
        status=200,
    )


CANCELLED = Page("Not added", "Slack was told not to add the app. Nothing was changed.", status=403)
BAD_STATE = Page(
    "This did not start here",
    "The link is more than ten minutes old, was used already, or was opened in another browser "
    "than the one that began. Please begin again, in a browser that accepts cookies.",
)
BAD_CODE = Page(
    "Slack did not accept this",
    "What Slack sent along is too old or was used already. Please begin again.",
)
ORGANISATION = Page(
    "One workspace at a time",
    "The app was approved for a whole organisation, which it cannot serve. Nothing was kept. "
    "Please add it to a single workspace of the organisation instead.",
)
NOT_SET_UP = Page(
    "The app is not set up right",
    "Slack refused the app itself. Whoever runs it finds the reason in its log.",
    status=503,
)
UNREACHABLE = Page("Slack did not answer", "Please begin again in a moment.", status=503)
NOT_KEPT = Page(
    "This could not be kept",
    "The bot's database does not answer. Please begin again in a moment.",
    status=503,
)


def refused(reason: str) -> Page:
    """Slack sent the person back with an error other than that they declined."""
    return Page("Not added", f"Slack did not add the app: {reason}. Nothing was changed.")
