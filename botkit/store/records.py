"""Durable values of adapters: text keys, JSON values, per namespace."""

from __future__ import annotations

from botkit.adapter import PERSON
from botkit.store.encoding import dumps, loads
from botkit.store.statement import Driver, Row, Script, execute, first
from botkit.types import Json

# Sorts after every character: keys with a prefix lie between it and it plus this.
_LAST = "\U0010ffff"
_ALIVE = "(expires_at IS NULL OR expires_at > :now)"
_PREFIXED = "namespace = :namespace AND key >= :prefix AND key < :last"


def profile_key(sender_id: str) -> str:
    """The record, in the platform's namespace, that holds what is kept about a person."""
    return f"{PERSON}{sender_id}:profile"


class StoredRecords:
    """:class:`botkit.adapter.Records` in the store's database."""

    def __init__(self, driver: Driver, namespace: str) -> None:
        self._driver = driver
        self._namespace = namespace

    async def get(self, key: str) -> Json | None:
        """The value, or None when there is none or it has expired."""
        row = await self._driver.run(lambda: _get(self._namespace, key), reads=True)
        return None if row is None else loads(row[0])

    async def put(self, key: str, value: Json, *, expires_in: float | None = None) -> None:
        """Set a value, for ``expires_in`` seconds or until it is deleted."""
        text = dumps(value)
        await self._driver.run(lambda: put_record(self._namespace, key, text, expires_in))

    async def setdefault(self, key: str, value: Json) -> Json:
        """What is kept under the key: ``value``, unless something was there already."""
        text = dumps(value)
        return loads(await self._driver.run(lambda: _setdefault(self._namespace, key, text)))

    async def take(self, key: str) -> Json | None:
        """Delete the value and return it; of concurrent callers one gets it."""
        row = await self._driver.run(lambda: _take(self._namespace, key))
        return loads(row[0]) if row is not None and row[1] else None

    async def delete(self, prefix: str) -> int:
        """Delete every key that begins with ``prefix``; how many."""
        return await self._driver.run(lambda: delete_records(self._namespace, prefix))

    async def keys(self, prefix: str) -> list[str]:
        """The keys that begin with ``prefix``, in order."""
        rows = await self._driver.run(lambda: _keys(self._namespace, prefix), reads=True)
        return [row[0] for row in rows]


def _get(namespace: str, key: str) -> Script[Row | None]:
    return (
        yield from first(
            "SELECT value FROM botkit_records"
            f" WHERE namespace = :namespace AND key = :key AND {_ALIVE}",
            namespace=namespace,
            key=key,
        )
    )


def _setdefault(namespace: str, key: str, value: str) -> Script[str]:
    row = yield from first(
        "INSERT INTO botkit_records (namespace, key, value) VALUES (:namespace, :key, :value)"
        # An update of nothing, so that what is there is returned.
        " ON CONFLICT (namespace, key) DO UPDATE SET value = botkit_records.value RETURNING value",
        namespace=namespace,
        key=key,
        value=value,
    )
    assert row is not None
    return str(row[0])


def put_record(
    namespace: str, key: str, value: str, expires_in: float | None = None
) -> Script[None]:
    """Set a value, for ``expires_in`` seconds or until it is deleted."""
    expiry = "NULL" if expires_in is None else ":now + :expires_in"
    yield from execute(
        "INSERT INTO botkit_records (namespace, key, value, expires_at)"
        f" VALUES (:namespace, :key, :value, {expiry})"
        " ON CONFLICT (namespace, key)"
        " DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
        namespace=namespace,
        key=key,
        value=value,
        **({} if expires_in is None else {"expires_in": float(expires_in)}),
    )


def replace_record(namespace: str, key: str, old: str, new: str) -> Script[None]:
    """Set a value that is still ``old``; another one, or none, stays as it is."""
    yield from execute(
        "UPDATE botkit_records SET value = :new"
        " WHERE namespace = :namespace AND key = :key AND value = :old",
        namespace=namespace,
        key=key,
        old=old,
        new=new,
    )


def _take(namespace: str, key: str) -> Script[Row | None]:
    return (
        yield from first(
            "DELETE FROM botkit_records WHERE namespace = :namespace AND key = :key"
            # COALESCE: SQLite 3.40 takes IS NULL in RETURNING for false on an indexed column.
            " RETURNING value, CASE WHEN COALESCE(expires_at, :now + 1) > :now THEN 1 ELSE 0 END",
            namespace=namespace,
            key=key,
        )
    )


def delete_records(namespace: str, prefix: str) -> Script[int]:
    """Delete every key of a namespace that begins with ``prefix``; how many."""
    rows = yield from execute(
        f"DELETE FROM botkit_records WHERE {_PREFIXED} RETURNING 1",
        namespace=namespace,
        prefix=prefix,
        last=prefix + _LAST,
    )
    return len(rows)


def _keys(namespace: str, prefix: str) -> Script[list[Row]]:
    return (
        yield from execute(
            f"SELECT key FROM botkit_records WHERE {_PREFIXED} AND {_ALIVE} ORDER BY key",
            namespace=namespace,
            prefix=prefix,
            last=prefix + _LAST,
        )
    )
