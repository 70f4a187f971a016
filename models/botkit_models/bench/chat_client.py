"""Asking a server's model over HTTP, with the standard library alone."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botkit.errors import BotkitError
from botkit.settings import LOOPBACK

CHATS = "/v1/chat/completions"


class ChatClient:
    """Asks the one model of a server on this machine; greedily, so that all is as before.

    Args:
        port: Where it listens.
        patience: Seconds until a request is given up.
    """

    def __init__(self, port: int, patience: float) -> None:
        self._port, self._patience = port, patience

    def answers(self, path: str) -> bool:
        """Whether ``GET path`` is answered 200."""
        try:
            return self._read("GET", path)[0] == 200
        except OSError:
            return False

    def chat(self, text: str, max_tokens: int) -> int:
        """Ask the model once; returns the prompt's length in tokens.

        Raises:
            BotkitError: The answer is an error.
        """
        status, answer = self._read("POST", CHATS, self._body(text, max_tokens))
        if status != 200:
            raise BotkitError(f"a chat was answered {status}: {answer.get('error')}")
        return int(answer["usage"]["prompt_tokens"])

    def chat_together(self, texts: list[str], max_tokens: int) -> list[int]:
        """Ask all of ``texts`` at the same time and wait for the answers; as :meth:`chat`."""
        with ThreadPoolExecutor(len(texts)) as pool:
            return list(pool.map(lambda text: self.chat(text, max_tokens), texts))

    def begin(self, text: str, max_tokens: int) -> None:
        """Ask the model once, streaming; returns when the first text of the reply is there.

        Raises:
            BotkitError: The answer is an error, or has no text.
        """
        body = {**self._body(text, max_tokens), "stream": True}
        with self._response("POST", CHATS, body) as response:
            if response.status != 200:
                raise BotkitError(f"a chat was answered {response.status}: {response.read()!r}")
            for line in response:
                if line.startswith(b"data: {") and _content(json.loads(line[6:])):
                    return
        raise BotkitError("the model had nothing to reply")

    def _body(self, text: str, max_tokens: int) -> dict[str, Any]:
        return {
            "model": self._read("GET", "/v1/models")[1]["data"][0]["id"],
            "messages": [{"role": "user", "content": text}],
            "max_tokens": max_tokens,
            "temperature": 0,
        }

    def _read(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        with self._response(method, path, body) as response:
            return response.status, json.loads(response.read())

    @contextlib.contextmanager
    def _response(
        self, method: str, path: str, body: Any = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=self._patience)
        with contextlib.closing(connection):
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"content-type": "application/json"})
            yield connection.getresponse()


def _content(chunk: dict[str, Any]) -> bool:
    return any(choice["delta"].get("content") for choice in chunk["choices"])
