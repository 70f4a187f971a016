from __future__ import annotations

import subprocess
import sys

import pytest

import botkit

PUBLIC = {
    "Attachment",
    "Bot",
    "BotkitError",
    "Button",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "Check",
    "Completion",
    "CompletionError",
    "ConversationKey",
    "DeliveryError",
    "Event",
    "File",
    "HandlerError",
    "Message",
    "MissingExtraError",
    "ModelFileError",
    "PullError",
    "Reply",
    "Sender",
    "Settings",
    "SettingsError",
    "StoreError",
    "Turn",
    "load_completion",
}
HEAVY = {"jax", "jaxlib", "flax", "numpy", "aiohttp", "openai", "sqlalchemy", "pydantic", "click"}


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_public_names_are_these() -> None:
    assert set(botkit.__all__) == PUBLIC
    assert set(dir(botkit)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_can_be_imported(name: str) -> None:
    value = getattr(botkit, name)
    assert value is getattr(botkit, name)


def test_another_name_cannot() -> None:
    with pytest.raises(AttributeError, match="'botkit' has no attribute 'nothing'"):
        botkit.nothing  # noqa: B018


def test_importing_botkit_brings_nothing_heavy() -> None:
    imported = run("import sys, botkit; print('\\n'.join(sys.modules))").split()
    assert not HEAVY & set(imported)


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["chat", "--help"]])
def test_help_never_imports_jax(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['botkit', *" + repr(arguments) + "]\n"
        "from botkit.cli import main\n"
        "try: main()\n"
        "finally: print('HEAVY', *{'jax', 'flax', 'aiohttp', 'openai'} & set(sys.modules))"
    )
    assert run(code).splitlines()[-1] == "HEAVY"
