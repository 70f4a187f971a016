"""Telegram on loopback; see :class:`TelegramSimulator`."""

from botkit.testing.telegram.people import Person
from botkit.testing.telegram.simulator import TelegramSimulator
from botkit.testing.telegram.state import Chat, Said, User

__all__ = ["Chat", "Person", "Said", "TelegramSimulator", "User"]
