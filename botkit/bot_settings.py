"""The variables of a bot: its platforms, its database, its manners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from botkit.limits.rates import PER_USER, check_rates
from botkit.variables import lower_case

Overlap = Annotated[Literal["queue", "merge", "interrupt"], BeforeValidator(lower_case)]
SendPolicy = Annotated[Literal["at_least_once", "at_most_once"], BeforeValidator(lower_case)]
Trigger = Annotated[Literal["process", "http"], BeforeValidator(lower_case)]
CacheScope = Annotated[Literal["user", "public"], BeforeValidator(lower_case)]
TracesExporter = Annotated[Literal["none", "otlp", "console"], BeforeValidator(lower_case)]
Secret = Annotated[SecretStr, Field(min_length=1)]
LongSecret = Annotated[SecretStr, Field(min_length=16)]
Rates = Annotated[str, AfterValidator(check_rates)]
Tokens = Annotated[int, Field(ge=0, le=1 << 53)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]


class BotSettings(BaseSettings):
    """What the environment says about the bot; part of :class:`botkit.settings.Settings`."""

    slack_bot_token: Secret | None = Field(
        None,
        validation_alias="SLACK_BOT_TOKEN",
        description="Bot token (xoxb-...) of the one workspace that the bot serves.",
    )
    slack_signing_secret: Secret | None = Field(
        None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="Proves that a request to /slack/events comes from Slack.",
    )
    slack_app_token: Secret | None = Field(
        None,
        validation_alias="SLACK_APP_TOKEN",
        description="App-level token (xapp-...): events come over Socket Mode, without a URL.",
    )
    slack_client_id: str | None = Field(
        None,
        validation_alias="SLACK_CLIENT_ID",
        description="For many workspaces: client id of the app; /slack/install adds one.",
    )
    slack_client_secret: Secret | None = Field(
        None,
        validation_alias="SLACK_CLIENT_SECRET",
        description="For many workspaces: client secret of the app.",
    )
    slack_api_base_url: Url | None = Field(
        None,
        validation_alias="SLACK_API_BASE_URL",
        description="Slack's Web API, or a simulator or proxy of it.",
        json_schema_extra={"default": "https://slack.com/api/"},
    )
    telegram_bot_token: Secret | None = Field(
        None,
        validation_alias="TELEGRAM_BOT_TOKEN",
        description="Token of the bot, as @BotFather gives it.",
    )
    telegram_webhook_secret: Secret | None = Field(
        None,
        validation_alias="TELEGRAM_WEBHOOK_SECRET",
        description="Proves that a request to /telegram/webhook comes from Telegram: 1 to 256 of "
        "A-Z, a-z, 0-9, _ and -.",
    )
    telegram_api_base_url: Url | None = Field(
        None,
        validation_alias="TELEGRAM_API_BASE_URL",
        description="Telegram's Bot API, or a simulator or proxy of it.",
        json_schema_extra={"default": "https://api.telegram.org/bot"},
    )
    public_url: Url | None = Field(
        None,
        validation_alias="BOTKIT_PUBLIC_URL",
        description="Where the platforms reach this server; without, Telegram is polled.",
    )
    database_url: str | None = Field(
        None,
        pattern=r"^(sqlite:///|postgres(ql)?://).+",
        validation_alias="BOTKIT_DATABASE_URL",
        description="Where conversations are kept: sqlite:///path or postgresql://...",
        json_schema_extra={"default": "botkit.db, under BOTKIT_HOME"},
    )
    redis_url: str | None = Field(
        None,
        pattern=r"^rediss?://[^\s]+$",
        validation_alias="BOTKIT_REDIS_URL",
        description="Where processes share caches and limits: redis:// or rediss://...; without, "
        "each has its own.",
    )
    redis_timeout: float = Field(
        0.25,
        gt=0,
        le=60,
        allow_inf_nan=False,
        validation_alias="BOTKIT_REDIS_TIMEOUT",
        description="Seconds after which Redis, where it does not answer, is done without.",
    )
    cache_seconds: float = Field(
        3600.0,
        ge=0,
        le=30 * 86400,
        allow_inf_nan=False,
        validation_alias="BOTKIT_CACHE_SECONDS",
        description="For which a reply is given again to an exact repeat; 0 keeps none.",
    )
    cache_bytes: int = Field(
        32 << 20,
        ge=0,
        le=1 << 40,
        validation_alias="BOTKIT_CACHE_BYTES",
        description="Bytes of replies that one process keeps in memory.",
    )
    cache_scope: CacheScope = Field(
        "user",
        validation_alias="BOTKIT_CACHE_SCOPE",
        description="Who is given a reply again: the user it was for, or everybody (public).",
    )
    secret_key: Secret | None = Field(
        None,
        validation_alias="BOTKIT_SECRET_KEY",
        description="Encrypts stored tokens and signs pushes to /internal/turns.",
    )
    moderation_file: Path | None = Field(
        None,
        validation_alias="BOTKIT_MODERATION_FILE",
        description="Words, phrases and /regular expressions/, one a line, that neither people nor "
        "the bot may use.",
    )
    redact: bool = Field(
        False,
        validation_alias="BOTKIT_REDACT",
        description="Replace e-mail addresses, phone and card numbers, keys and passwords by "
        "[email], [phone], [card] and [key] before anything is kept. Handlers and the model see "
        "messages like that too.",
    )
    instructions: str = Field(
        "",
        validation_alias="BOTKIT_INSTRUCTIONS",
        description="What the model is told before every conversation (the system message).",
    )
    vision: bool = Field(
        False,
        validation_alias="BOTKIT_VISION",
        description="The model can see: images are passed on as image_url parts.",
    )
    history_tokens: int = Field(
        1024,
        ge=0,
        le=1 << 20,
        validation_alias="BOTKIT_HISTORY_TOKENS",
        description="Roughly how many tokens of the conversation the model is shown.",
    )
    reply_tokens: int | None = Field(
        None,
        ge=1,
        le=1 << 20,
        validation_alias="BOTKIT_REPLY_TOKENS",
        description="The most tokens of one reply.",
        json_schema_extra={"default": "512 for the local model, else the endpoint's"},
    )
    quality_attempts: int = Field(
        2,
        ge=0,
        le=5,
        validation_alias="BOTKIT_QUALITY_ATTEMPTS",
        description="How often a reply that is empty, goes round in circles or is in the wrong "
        "language is begun, before the fallback or the hand-off answers; 0 takes every reply.",
    )
    limit_user: Rates = Field(
        PER_USER,
        validation_alias="BOTKIT_LIMIT_USER",
        description="Turns that one person may ask for, as 20/minute;200/hour; off for any number.",
    )
    limit_conversation: Rates = Field(
        "off",
        validation_alias="BOTKIT_LIMIT_CONVERSATION",
        description="Turns of one conversation, likewise.",
    )
    limit_workspace: Rates = Field(
        "off",
        validation_alias="BOTKIT_LIMIT_WORKSPACE",
        description="Turns of one workspace, or of one Telegram bot, likewise.",
    )
    limit_characters: int = Field(
        40_000,
        ge=1,
        le=1 << 30,
        validation_alias="BOTKIT_LIMIT_CHARACTERS",
        description="The most characters that are answered at once; of more the model is not "
        "asked.",
    )
    tokens_per_day_user: Tokens = Field(
        0,
        validation_alias="BOTKIT_TOKENS_PER_DAY_USER",
        description="Tokens of prompts and replies that one person may use in a day (UTC); 0 for "
        "any number.",
    )
    tokens_per_day_conversation: Tokens = Field(
        0,
        validation_alias="BOTKIT_TOKENS_PER_DAY_CONVERSATION",
        description="Of one conversation, likewise.",
    )
    tokens_per_day_workspace: Tokens = Field(
        0,
        validation_alias="BOTKIT_TOKENS_PER_DAY_WORKSPACE",
        description="Of one workspace, or of one Telegram bot, likewise.",
    )
    retention_days: float = Field(
        0.0,
        ge=0,
        le=36500,
        validation_alias="BOTKIT_RETENTION_DAYS",
        description="Days after which what was said is deleted; 0 keeps it.",
    )
    overlap: Overlap = Field(
        "queue",
        validation_alias="BOTKIT_OVERLAP",
        description="A message while another is answered: queue it, merge what comes within a "
        "moment, or interrupt and answer both.",
    )
    merge_window: float = Field(
        1.0,
        ge=0,
        le=60,
        validation_alias="BOTKIT_MERGE_WINDOW",
        description="Seconds of silence after which merged messages are answered.",
    )
    send_policy: SendPolicy = Field(
        "at_least_once",
        validation_alias="BOTKIT_SEND_POLICY",
        description="A reply of which nobody knows whether it arrived: send it again "
        "(at_least_once) or give it up (at_most_once).",
    )
    turn_attempts: int = Field(
        5,
        ge=1,
        le=1000,
        validation_alias="BOTKIT_TURN_ATTEMPTS",
        description="How often a turn is tried before it becomes a dead letter.",
    )
    delivery_attempts: int = Field(
        10,
        ge=1,
        le=1000,
        validation_alias="BOTKIT_DELIVERY_ATTEMPTS",
        description="How often a reply is sent before it becomes a dead letter.",
    )
    turn_timeout: float = Field(
        300.0,
        gt=0,
        le=86400,
        validation_alias="BOTKIT_TURN_TIMEOUT",
        description="Seconds that one turn may take.",
    )
    concurrent_turns: int = Field(
        64,
        ge=1,
        le=100_000,
        validation_alias="BOTKIT_CONCURRENT_TURNS",
        description="Conversations that one process works on at the same time.",
    )
    lease_seconds: float = Field(
        30.0,
        ge=1,
        le=3600,
        validation_alias="BOTKIT_LEASE_SECONDS",
        description="Seconds after which the conversations of a process that died are taken over.",
    )
    trigger: Trigger = Field(
        "process",
        validation_alias="BOTKIT_TRIGGER",
        description="What runs turns: this process after its response, or http: a signed push to "
        "/internal/turns, for platforms that freeze a process after its response.",
    )
    turns_url: Url | None = Field(
        None,
        validation_alias="BOTKIT_TURNS_URL",
        description="Where the http trigger pushes to.",
        json_schema_extra={"default": "/internal/turns at BOTKIT_PUBLIC_URL"},
    )
    console_key: LongSecret | None = Field(
        None,
        validation_alias="BOTKIT_CONSOLE_KEY",
        description="Opens /console, where whoever has it sees conversations, turns, feedback and "
        "dead letters; at least 16 characters. Without it there is no such page.",
    )
    traces_exporter: TracesExporter | None = Field(
        None,
        validation_alias="OTEL_TRACES_EXPORTER",
        description="Where the spans of turns go: otlp, console or none.",
        json_schema_extra={"default": "otlp when an endpoint is set"},
    )
    otlp_endpoint: Url | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="A collector that takes spans over HTTP, as http://localhost:4318.",
    )
    service_name: str = Field(
        "botkit",
        validation_alias="OTEL_SERVICE_NAME",
        description="What the bot is called where its spans are shown.",
    )
