"""OpenAI's HTTP interface over any completion (aiohttp)."""

from botkit.server.app import create_app
from botkit.server.limits import ServerLimits
from botkit.server.listen import listening, serve
from botkit.server.service import SERVICE, ServerStats, Service

__all__ = [
    "SERVICE",
    "ServerLimits",
    "ServerStats",
    "Service",
    "create_app",
    "listening",
    "serve",
]
