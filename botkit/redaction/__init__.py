"""Personal data and secrets taken out of text, before it is kept or logged."""

from __future__ import annotations

from botkit.redaction.addresses import without_addresses
from botkit.redaction.cards import without_cards
from botkit.redaction.phones import without_phones
from botkit.redaction.secrets import without_secrets

__all__ = ["redacted"]


def redacted(text: str) -> str:
    """``text`` with ``[email]``, ``[phone]``, ``[card]`` and ``[key]`` in place of those.

    In time that grows with the text's length only; of what is redacted already nothing changes.

    Phone numbers are told from other numbers by how they are written: with a country code, a trunk
    zero, an area code in parentheses, in the groups that a country writes them in, or after a word
    such as "call". A bare row of digits is left alone, for it may be an order.
    """
    return without_phones(without_cards(without_addresses(without_secrets(text))))
