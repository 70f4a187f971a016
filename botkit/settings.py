"""Every environment variable of botkit, in one typed and frozen object.

``Settings.load()`` reads the environment; ``Settings.describe()`` lists the variables for
``botkit doctor`` and the README. Nothing else takes settings from ``os.environ``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import NoDecode, SettingsConfigDict

from botkit.bot_settings import BotSettings
from botkit.errors import SettingsError
from botkit.variables import Variable, comma_separated, lower_case, mask_password, variable_of
from botkit.web_settings import WebSettings

LOOPBACK = "127.0.0.1"
EVERY_INTERFACE = "0.0.0.0"


def _default_home() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("botkit", appauthor=False)


def _default_host() -> str:
    """Platforms that set PORT route to the container's address: loopback would not be reached."""
    return EVERY_INTERFACE if os.environ.get("PORT") else LOOPBACK


def _expand(value: Any) -> Any:
    return Path(value).expanduser() if isinstance(value, str | Path) else value


def _pairs(value: Any, form: str = "alias=model") -> Any:
    """``a=b, *=c`` as ``{"a": "b", "*": "c"}``."""
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for part in comma_separated(value):
        alias, equals, model = (piece.strip() for piece in part.partition("="))
        if not (alias and equals and model):
            raise ValueError(f"{part!r} is not of the form {form}")
        pairs[alias] = model
    return pairs


def _folders(value: Any) -> Any:
    """``a=~/b`` as ``{"a": Path("/home/me/b")}``."""
    pairs = _pairs(value, "name=folder")
    if not isinstance(pairs, Mapping):
        return pairs
    return {name: _expand(folder) for name, folder in pairs.items()}


Folder = Annotated[Path, BeforeValidator(_expand)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(comma_separated)]
Aliases = Annotated[Mapping[str, str], NoDecode, BeforeValidator(_pairs)]
Folders = Annotated[Mapping[str, Path], NoDecode, BeforeValidator(_folders)]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(lower_case)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower_case)]
Name = Annotated[str, Field(min_length=1)]


class Settings(WebSettings, BotSettings):
    """What the environment says. Make one with :meth:`load`.

    Every field has an alias, its variable; without it the field ``home`` would read ``HOME``.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        # The value of a variable may be a secret: it never enters an error.
        hide_input_in_errors=True,
    )

    home: Folder = Field(
        default_factory=_default_home,
        validation_alias="BOTKIT_HOME",
        description="Folder of pulled models and compiled programs.",
        json_schema_extra={"default": "the user's cache directory"},
    )
    host: Name = Field(
        default_factory=_default_host,
        validation_alias="BOTKIT_HOST",
        description="Address to listen on.",
        json_schema_extra={"default": f"{LOOPBACK}, or {EVERY_INTERFACE} when PORT is set"},
    )
    port: int = Field(
        8080,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("BOTKIT_PORT", "PORT"),
        description="Port to listen on; 0 takes a free one. PORT, as platforms set it, counts too.",
    )
    completion: Name = Field(
        "local",
        validation_alias="BOTKIT_COMPLETION",
        description="Who answers: local (this process), openai (an OpenAI-compatible endpoint), "
        "echo, or the name of an installed plugin.",
    )
    model: Name = Field(
        "smollm2-135m",
        validation_alias="BOTKIT_MODEL",
        description="Model that answers, as `botkit models` lists it.",
    )
    model_aliases: Aliases = Field(
        default_factory=dict,
        validation_alias="BOTKIT_MODEL_ALIASES",
        description="Other names for models, as `text-davinci-002=smollm2-135m,*=smollm2-135m`.",
        json_schema_extra={"default": ""},
    )
    lora: Folders = Field(
        default_factory=dict,
        validation_alias="BOTKIT_LORA",
        description="LoRA adapters of the local model, each a folder and the model name under "
        "which requests ask for it, as `support=/models/support,sales=/models/sales`.",
        json_schema_extra={"default": ""},
    )
    api_keys: Secrets = Field(
        (),
        validation_alias="BOTKIT_API_KEYS",
        description="Keys that clients must show, separated by commas; without, everyone may ask.",
    )
    openai_base_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        validation_alias="OPENAI_BASE_URL",
        description="Endpoint of the openai completion, up to and with /v1.",
        json_schema_extra={"default": "OpenAI's"},
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias="OPENAI_API_KEY",
        description="Key for that endpoint.",
    )
    slots: int = Field(
        4,
        ge=1,
        le=256,
        validation_alias="BOTKIT_SLOTS",
        description="Replies that the local model writes at the same time.",
    )
    context: int = Field(
        2048,
        ge=64,
        le=1 << 20,
        validation_alias="BOTKIT_CONTEXT",
        description="Tokens that prompt and reply may have together, per slot.",
    )
    queue: int = Field(
        64,
        ge=0,
        le=100_000,
        validation_alias="BOTKIT_QUEUE",
        description="Requests that may wait for a slot; one more is answered 429.",
    )
    drafts: int = Field(
        7,
        ge=0,
        le=31,
        validation_alias="BOTKIT_DRAFTS",
        description="Tokens that the local model guesses ahead, from the conversation and from "
        "past replies, and checks in one step; 0 for none. Replies stay the same.",
    )
    prefix_cache: int = Field(
        32,
        ge=0,
        le=1 << 20,
        validation_alias="BOTKIT_PREFIX_CACHE",
        description="MiB for what conversations left in the cache, besides the slots' own room, so "
        "that the next turn reads only what is new; 0 to use nothing again.",
    )
    strict: bool = Field(
        False,
        validation_alias="BOTKIT_STRICT",
        description="Let the same request and seed give the same bits also where that costs speed: "
        "with float weights, and on machines without the CPU kernels.",
    )
    cpu_kernels: bool = Field(
        True,
        validation_alias="BOTKIT_CPU_KERNELS",
        description="Use the CPU kernels where the processor has AVX2; `off` for plain XLA.",
    )
    warm_up: bool = Field(
        True,
        validation_alias="BOTKIT_WARM_UP",
        description="Load every program of the local model in the background after it is ready; "
        "without, each is loaded when it is first needed.",
    )
    log_level: LogLevel = Field(
        "info",
        validation_alias="BOTKIT_LOG_LEVEL",
        description="debug, info, warning or error; debug also shows what errors say, which may "
        "quote people.",
    )
    log_format: LogFormat = Field(
        "text",
        validation_alias="BOTKIT_LOG_FORMAT",
        description="The log on the standard error: text, or json, one object a line.",
    )
    max_body_bytes: int = Field(
        4 << 20,
        ge=1024,
        le=1 << 30,
        validation_alias="BOTKIT_MAX_BODY_BYTES",
        description="Largest request body, in bytes; a larger one is answered 413.",
    )
    max_connections: int = Field(
        512,
        ge=1,
        le=1_000_000,
        validation_alias="BOTKIT_MAX_CONNECTIONS",
        description="Open client connections; one more is answered 503.",
    )
    read_timeout: float = Field(
        30.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        validation_alias="BOTKIT_READ_TIMEOUT",
        description="Seconds a client may take to send a request's body (its headers: 10 at most).",
    )
    shutdown_timeout: float = Field(
        8.0,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        validation_alias="BOTKIT_SHUTDOWN_TIMEOUT",
        description="Seconds that running replies get to finish when the server stops.",
    )
    compile_cache: Folder = Field(
        default_factory=lambda data: data["home"] / "compiled",
        validation_alias="BOTKIT_COMPILE_CACHE",
        description="Folder of compiled programs.",
        json_schema_extra={"default": "compiled, under BOTKIT_HOME"},
    )

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.home / 'botkit.db'}"

    @property
    def key(self) -> bytes:
        """BOTKIT_SECRET_KEY; empty without one."""
        return b"" if self.secret_key is None else self.secret_key.get_secret_value().encode()

    @classmethod
    def load(cls, *, ignore: tuple[str, ...] = (), **overrides: Any) -> Self:
        """Read the environment; ``overrides`` (by field name, None is skipped) win over it.

        Args:
            ignore: Beginnings of names of fields whose variables are not read.
            overrides: Values that win over the environment.

        Raises:
            SettingsError: A variable is wrong; the message names it and never holds a secret.
        """
        variables = {variable.field: variable.name for variable in cls.describe()}
        ignored = {
            name: field.default
            for name, field in cls.model_fields.items()
            if ignore and name.startswith(ignore)
        }
        chosen = {name: value for name, value in overrides.items() if value is not None}
        given = {variables.get(name, name): value for name, value in (ignored | chosen).items()}
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError(cls._explain(error)) from None

    @classmethod
    def describe(cls) -> list[Variable]:
        """Every variable, in the order of the class, with whether it is set now."""
        return [variable_of(name, field) for name, field in cls.model_fields.items()]

    @classmethod
    def _explain(cls, error: ValidationError) -> str:
        return "; ".join(
            cls._explain_one(detail)
            for detail in error.errors(include_url=False)
            if detail["type"] != "default_factory_not_called"  # merely follows from another
        )

    @classmethod
    def _explain_one(cls, detail: ErrorDetails) -> str:
        where = str(detail["loc"][0]) if detail["loc"] else "settings"
        problem = _clause(detail["msg"])
        for variable in cls.describe():
            if where in variable.names:
                value = "" if variable.secret else f" ({mask_password(repr(detail['input']))})"
                default = f" Default: {variable.default}." if variable.default else ""
                return f"{variable.in_use}{value}: {problem}. {variable.description}{default}"
        return f"{where}: {problem}"


def _clause(message: str) -> str:
    """Pydantic's message as a clause: ``Value error, x.`` becomes ``x``."""
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:].rstrip(".")
