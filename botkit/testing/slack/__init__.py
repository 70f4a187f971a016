"""Slack on loopback; see :class:`SlackSimulator`."""

from botkit.testing.slack.people import Person
from botkit.testing.slack.simulator import SlackSimulator
from botkit.testing.slack.state import Channel, Posted

__all__ = ["Channel", "Person", "Posted", "SlackSimulator"]
