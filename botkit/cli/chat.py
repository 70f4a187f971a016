"""``botkit chat``: talk to a model on the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from botkit.errors import AuthenticationError, SettingsError
from botkit.plugins import load_completion
from botkit.settings import Settings

if TYPE_CHECKING:
    from botkit.completion import Completion


def _endpoint(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """``http://host:8080`` as the SDK wants it: with ``/v1``."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise click.BadParameter(f"{url!r} is no URL such as http://127.0.0.1:8080")
    return url if parts.path.strip("/") else url.rstrip("/") + "/v1"


@click.command(short_help="Talk to a model on the terminal.")
@click.argument("prompt", nargs=-1)
@click.option("--model", metavar="NAME", help="Model that answers [BOTKIT_MODEL].")
@click.option(
    "--temperature",
    type=click.FloatRange(0, 2),
    help="0 takes the likeliest word, as models in botkit do by default.",
)
@click.option("--seed", type=int, help="The same seed gives the same reply.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="Longest reply, in tokens.")
@click.option("--system", metavar="TEXT", help="Instructions the model follows.")
@click.option(
    "--url",
    callback=_endpoint,
    metavar="URL",
    help="Ask a running server instead, such as http://127.0.0.1:8080; "
    "the first of BOTKIT_API_KEYS is its key.",
)
def chat(
    prompt: tuple[str, ...],
    model: str | None,
    system: str | None,
    url: str | None,
    **sampling: Any,
) -> None:
    """Talk to a model.

    With PROMPT, or with text on standard input, or both, answers once. Otherwise opens a
    conversation; /help lists what can be said there.
    """
    from botkit.cli.conversation import Conversation
    from botkit.cli.session import Session
    from botkit.cli.talk import Talk

    question = _question(prompt)
    settings = Settings.load(model=model, warm_up=False)
    completion = _remote(settings, url) if url else load_completion(settings)
    named = model is not None or (url is None and "model" in settings.model_fields_set)
    options = {name: value for name, value in sampling.items() if value is not None}
    conversation = Conversation(system=system)
    try:
        with Talk(completion, settings.model if named else None, options) as talk:
            if question is None:
                Session(talk, conversation).run()
                return
            conversation.ask(question)
            if talk.reply(conversation).stopped:
                raise KeyboardInterrupt
    except AuthenticationError as error:
        if url is None:
            raise
        raise SettingsError(f"{error} Set BOTKIT_API_KEYS to a key of {url}") from None


def _question(prompt: tuple[str, ...]) -> str | None:
    """Argument and piped text together; None when a person sits at the terminal.

    Raises:
        click.UsageError: Nothing was asked, or it is not text.
    """
    piped = "" if sys.stdin is None or sys.stdin.isatty() else _piped()
    question = "\n\n".join(part for part in (" ".join(prompt).strip(), piped) if part)
    try:
        question.encode()
    except UnicodeEncodeError:
        raise click.UsageError("the prompt is not valid text (UTF-8)") from None
    if question:
        return question
    if prompt or sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("there is nothing to answer: the prompt is empty")
    return None


def _piped() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise click.UsageError("standard input is not valid text (UTF-8)") from None


def _remote(settings: Settings, url: str) -> Completion:
    """The server at ``url``. OPENAI_API_KEY is for OPENAI_BASE_URL: no other server is shown it."""
    from botkit.completion.remote import RemoteCompletion

    key = settings.api_keys[0].get_secret_value() if settings.api_keys else None
    return RemoteCompletion(base_url=url, api_key=key)
