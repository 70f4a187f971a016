"""The variables of the web widget."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from botkit.bot_settings import Rates
from botkit.variables import comma_separated, lower_case

FILE_TYPES = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "text/csv",
    "text/markdown",
    "application/json",
)
"""What visitors may send, unless the settings say otherwise."""


Words = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(comma_separated), BeforeValidator(lower_case)
]
SigningSecret = Annotated[SecretStr, Field(min_length=32)]


class WebSettings(BaseSettings):
    """What the environment says about the web widget; part of
    :class:`botkit.settings.Settings`."""

    web_origins: Words = Field(
        (),
        validation_alias="BOTKIT_WEB_ORIGINS",
        description="Sites that may embed the widget: https://shop.example, "
        "https://*.shop.example; none switches it off. Without, it is there where the server "
        "listens on this machine alone and has neither API keys nor a public URL.",
    )
    web_identity_secret: SigningSecret | None = Field(
        None,
        validation_alias="BOTKIT_WEB_IDENTITY_SECRET",
        description="Shared with a site that tells who its visitors are, in tokens (JWT, HS256) "
        "that it signs; at least 32 characters.",
    )
    web_session_days: float = Field(
        30.0,
        gt=0,
        le=3650,
        allow_inf_nan=False,
        validation_alias="BOTKIT_WEB_SESSION_DAYS",
        description="Days after which a visitor who did not come back begins anew, and files go.",
    )
    web_rate: Rates = Field(
        "30/minute",
        validation_alias="BOTKIT_WEB_RATE",
        description="Messages and ratings of one visitor, as 20/minute;200/hour; off for any "
        "number.",
    )
    web_session_rate: Rates = Field(
        "60/hour",
        validation_alias="BOTKIT_WEB_SESSION_RATE",
        description="New visitors from one address, likewise; this machine's own are not counted "
        "where BOTKIT_WEB_ORIGINS is not set.",
    )
    web_file_rate: Rates = Field(
        "20/hour",
        validation_alias="BOTKIT_WEB_FILE_RATE",
        description="Files of one visitor, likewise.",
    )
    web_proxies: int = Field(
        0,
        ge=0,
        le=16,
        validation_alias="BOTKIT_WEB_PROXIES",
        description="Proxies in front of the server that add to X-Forwarded-For: the address of a "
        "visitor is the so-manieth from its end. 0 takes whoever connects.",
    )
    web_file_bytes: int = Field(
        4 << 20,
        ge=0,
        le=1 << 30,
        validation_alias="BOTKIT_WEB_FILE_BYTES",
        description="Largest file that a visitor may send, in bytes; 0 takes none.",
    )
    web_file_types: Words = Field(
        FILE_TYPES,
        validation_alias="BOTKIT_WEB_FILE_TYPES",
        description="Types of files that visitors may send, as image/png,application/pdf.",
        json_schema_extra={"default": ",".join(FILE_TYPES)},
    )
