"""How soon a cold process listens, and acknowledges its first update; the model is not loaded."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

from served_process import served
from telegram_stub import SECRET, update

NOWHERE = "http://127.0.0.1:9/bot"


def cold_start(home: Path) -> tuple[float, float]:
    """Seconds from the start of `botkit serve` to listening, and to the first 200."""
    body = json.dumps(update(1, 1)).encode()
    head = (
        f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nConnection: close\r\n\r\n"
    )
    listened = 0.0
    with served(home, NOWHERE) as process:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", process.port), timeout=10) as line:
                    listened = listened or time.perf_counter() - process.began
                    line.sendall(head.encode() + body)
                    if b" 200 " in line.recv(100):
                        return listened, time.perf_counter() - process.began
            except OSError:
                time.sleep(0.005)
