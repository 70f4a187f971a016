"""An interactive chat on the terminal: read a line, stream the reply, remember both."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from botkit.cli.conversation import Conversation
from botkit.cli.talk import Talk
from botkit.errors import CompletionError

PROMPT = "> "
HELP = """\
/reset        forget the conversation
/system TEXT  set the instructions the model follows; without TEXT, remove them
/retry        answer the last question again
/help         this list
/quit         end (so does Ctrl-D); Ctrl-C stops a reply"""


@dataclass
class Session:
    """The loop. ``run`` returns when the user ends it."""

    talk: Talk
    conversation: Conversation

    def run(self) -> None:
        """Read and answer until ``/quit`` or Ctrl-D. An error ends its turn, not the session."""
        enable_line_editing()
        _note(f"{self.talk.model} answers; /help lists the commands.")
        while (line := _read_line()) is not None:
            if line.startswith("/"):
                if not self._command(line):
                    return
            elif line:
                self._ask(line)

    def _command(self, line: str) -> bool:
        """Obey a slash command; False when it ends the session."""
        name, _, argument = line[1:].partition(" ")
        if name in ("quit", "exit"):
            return False
        commands: dict[str, Callable[[str], None]] = {
            "reset": self._reset,
            "system": self._system,
            "retry": self._retry,
            "help": lambda _: _note(HELP),
        }
        if name in commands:
            commands[name](argument.strip())
        else:
            _note(f"there is no command /{name}; /help lists them")
        return True

    def _reset(self, _: str) -> None:
        self.conversation.reset()
        _note("the conversation is forgotten")

    def _system(self, text: str) -> None:
        self.conversation.system = text or None
        _note("the instructions are set" if text else "the instructions are removed")

    def _retry(self, _: str) -> None:
        question = self.conversation.take_back()
        if question is None:
            _note("there is nothing to answer again")
        else:
            self._ask(question, again=True)

    def _ask(self, text: str, *, again: bool = False) -> None:
        before = len(self.conversation.exchanges)
        self.conversation.ask(text)
        try:
            outcome = self.talk.reply(self.conversation, again=again)
        except CompletionError as error:
            self.conversation.take_back()
            click.echo(f"botkit: {error}", err=True)
            return
        forgotten = before + 1 - len(self.conversation.exchanges)
        self.conversation.answer(outcome.text)
        if forgotten:
            _note(f"the context is full: the oldest {forgotten} exchanges were forgotten")
        if outcome.stopped:
            _note("stopped")
        elif outcome.cut:
            _note("the reply reached its limit of tokens")


def _read_line() -> str | None:
    """The next line, stripped; empty after Ctrl-C, None at the end."""
    prompt = PROMPT
    if not sys.stdout.isatty():
        click.echo(PROMPT, nl=False, err=True)
        prompt = ""
    try:
        line = input(prompt).strip()
        line.encode()
    except EOFError:
        click.echo(err=True)
        return None
    except KeyboardInterrupt:
        click.echo(err=True)
        _note("Ctrl-D or /quit ends")
        return ""
    except UnicodeError:
        _note("that line is not valid text (UTF-8)")
        return ""
    return line


def enable_line_editing() -> None:
    """Arrow keys and history, in memory only: what was said is not written to disk."""
    try:
        import readline
    except ImportError:  # Windows has its own
        return
    readline.set_auto_history(True)


def _note(text: str) -> None:
    click.secho(text, dim=True, err=True)
