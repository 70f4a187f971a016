"""Socket Mode: URLs that are good for one connection, and the connections
(https://docs.slack.dev/apis/events-api/using-socket-mode)."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from aiohttp import WSMsgType, web

from botkit.testing.slack.deliveries import Deliveries
from botkit.testing.slack.state import Json, State


class SocketMode:
    """The connections of one app."""

    def __init__(self, state: State, deliveries: Deliveries) -> None:
        self._state = state
        self._deliveries = deliveries
        self._tickets: set[str] = set()

    def open(self, root: str) -> Json:
        """The answer of ``apps.connections.open``."""
        ticket = f"ticket-{next(self._state.numbers)}"
        self._tickets.add(ticket)
        query = urlencode({"ticket": ticket, "app_id": self._state.app_id})
        return {"url": f"ws://{root}/socket?{query}"}

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """A connection, until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=408, text="link_disabled")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(self._hello())
        self._deliveries.connect(socket)
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            if socket in self._deliveries.sockets:
                self._deliveries.disconnect(socket)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._deliveries.sockets) + 1,
            "connection_info": {"app_id": self._state.app_id},
            "debug_info": {
                "host": "simulated",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
        }

    def _acknowledged(self, message: Json) -> None:
        if "envelope_id" in message:
            self._deliveries.acknowledge(message["envelope_id"], message.get("payload"))
