"""What people may not write to the bot, and the bot not to them."""

from botkit.moderation.moderator import Direction, Moderator, Verdict
from botkit.moderation.word_list import WordList

__all__ = ["Direction", "Moderator", "Verdict", "WordList"]
