"""Refusing a grammar in OpenAI's terms."""

from __future__ import annotations

import re

from botkit.errors import InvalidRequestError

_SHOWN = 300


def refused(message: str, param: str) -> InvalidRequestError:
    """The request's grammar is wrong or too large; ``message`` says why, as a sentence."""
    return InvalidRequestError(message, param=param, code="invalid_grammar")


def exhausted(reason: str, param: str) -> InvalidRequestError:
    """The grammar became too much work in the middle of a reply."""
    return InvalidRequestError(
        f"The reply was stopped: its grammar is too complex to follow ({shown(reason)}). "
        "Fewer optional properties, alternatives and ambiguous repetitions help.",
        param=param,
        code="grammar_too_complex",
    )


def shown(reason: str) -> str:
    """What the library said, without its remarks about itself and its view of the source."""
    text = reason.replace("<non-verbose/>", "")
    text = re.split(r"\n\s*\d+ \| ", text, maxsplit=1)[0].split("failed to compile JSON schema: ")[
        -1
    ]
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
