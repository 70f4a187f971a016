"""The app, as Slack's OAuth knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urljoin

from botkit_adapters.slack.addresses import API, REDIRECT_PATH


@dataclass(frozen=True)
class App:
    """Credentials and addresses.

    Fields:
        client_id, client_secret: From the app's page, Basic Information.
        base_url: Of the Web API, ending in ``/api/``.
        public_url: Where people reach this server; None leaves the redirect URL to the app's page.
    """

    client_id: str
    client_secret: str = field(repr=False)
    base_url: str = API
    public_url: str | None = None

    @property
    def redirect_uri(self) -> str | None:
        """Where Slack sends people back to; must stand on the app's page."""
        return self.public_url and self.public_url.rstrip("/") + REDIRECT_PATH

    def authorize_url(self, state: str, scopes: tuple[str, ...]) -> str:
        """Slack's page that asks a person whether the app may be added
        (https://docs.slack.dev/authentication/installing-with-oauth). It stands beside the API, on
        GovSlack and simulators too."""
        from slack_sdk.oauth import AuthorizeUrlGenerator

        return AuthorizeUrlGenerator(
            client_id=quote(self.client_id),
            # The SDK puts it into the query as it is.
            redirect_uri=self.redirect_uri and quote(self.redirect_uri, safe=":/"),
            scopes=scopes,
            authorization_url=urljoin(self.base_url, "../oauth/v2/authorize"),
        ).generate(state)
