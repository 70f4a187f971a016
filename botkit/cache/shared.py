"""What all processes remember, in Redis: replies, who is writing which, and whom to forget.

``botkit:cache:epoch`` is a random word that every erasure changes. Whoever looks for a reply reads
it in the same step, and throws away what it remembers from before. An erasure is thus a state to
be read, not a message that could be lost: a process that was cut off, frozen or late sees it before
it serves anything. A Redis that was emptied has no word, and gets a new one.

A reply is a hash of its bytes and its people. Each person has an index of replies; a reply that is
not in the index of its people (Redis threw the index away to save memory) counts as none, for an
erasure would not find it.

Every step is one script, so that nobody comes between its parts.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from botkit.redis_link import RedisLink
from botkit.redis_script import Script

PREFIX = "botkit:cache:"
EPOCH = f"{PREFIX}epoch"

LOCK_SECONDS = 5.0
"""After which the work of a process that died is taken over."""

_LOOK = """
local epoch = redis.pcall('GET', KEYS[1])
if type(epoch) ~= 'string' or #epoch < 32 then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch)
end
if epoch == ARGV[4] then return {epoch, 1} end
local kept = redis.pcall('HMGET', KEYS[2], 'reply', 'people')
if not kept.err and kept[1] and kept[2] then
  local whole = true
  for person in string.gmatch(kept[2], '%S+') do
    local found = redis.pcall('ZSCORE', ARGV[5] .. person, KEYS[2])
    whole = whole and type(found) == 'string'
  end
  local left = redis.call('PTTL', KEYS[2])
  if whole and left > 0 then return {epoch, 2, kept[1], kept[2], left} end
end
redis.call('DEL', KEYS[2])
if redis.call('PTTL', KEYS[3]) == -1 then redis.call('DEL', KEYS[3]) end
local mine = redis.call('SET', KEYS[3], ARGV[2], 'NX', 'PX', ARGV[3])
return {epoch, mine and 3 or 4}
"""

_KEEP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local ends = string.format('%.0f', now + ARGV[3])
  for person in string.gmatch(ARGV[4], '%S+') do
    local index = ARGV[6] .. person
    redis.call('ZREMRANGEBYSCORE', index, '-inf', string.format('%.0f', now))
    redis.call('ZADD', index, ends, KEYS[2])
    redis.call('PEXPIREAT', index, ends)
  end
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'reply', ARGV[5], 'people', ARGV[4])
  redis.call('PEXPIREAT', KEYS[2], ends)
end
if redis.call('GET', KEYS[3]) == ARGV[2] then redis.call('DEL', KEYS[3]) end
"""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end"

_FORGET = """
local kept = redis.pcall('ZRANGE', KEYS[2], 0, -1)
if not kept.err then
  for _, key in ipairs(kept) do redis.call('DEL', key) end
end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""

_KNOWN, _KEPT, _MINE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Found:
    """What Redis says of a key.

    Fields:
        epoch: The word of now.
        known: The asker's memory is right.
        kept: The reply's bytes, its people, and the seconds it lives on.
        mine: Nobody writes it: it is the asker's to write, under a lock.
    """

    epoch: bytes
    known: bool = False
    kept: tuple[bytes, tuple[str, ...], float] | None = None
    mine: bool = False

    @property
    def settled(self) -> bool:
        """There is a reply, or it is the asker's to write; else somebody is writing it."""
        return self.known or self.kept is not None or self.mine


class SharedReplies:
    """Replies in Redis.

    Args:
        link: To Redis; nothing here raises when it is away.
        seconds: For which a reply is kept.
        lock_seconds: For which a lock holds that is not renewed.
    """

    def __init__(
        self, link: RedisLink, seconds: float, *, lock_seconds: float = LOCK_SECONDS
    ) -> None:
        self.lock_seconds = lock_seconds
        self._link = link
        self._ttl = int(seconds * 1000)
        self._look = Script(link, _LOOK)
        self._keep = Script(link, _KEEP)
        self._renew = Script(link, _RENEW)
        self._release = Script(link, _RELEASE)
        self._forget = Script(link, _FORGET)

    async def look(self, key: str, token: str, known: bytes) -> Found | None:
        """What there is under ``key``; None when Redis is away.

        Args:
            key: Of the request.
            token: Names the lock's holder, should it be the asker.
            known: The epoch of the reply that the asker remembers; empty for none.
        """
        names = [EPOCH, _reply(key), _lock(key)]
        given: list[int | str | bytes]
        given = [secrets.token_hex(16), token, self._lock_ms, known, _index("")]
        said = await self._look.run(names, given)
        if not said:
            return None
        epoch, what = said[0], said[1]
        kept = None
        if what == _KEPT:
            people = tuple(said[3].decode("utf-8", "replace").split())
            kept = (said[2], people, said[4] / 1000)
        return Found(epoch, what == _KNOWN, kept, what == _MINE)

    async def keep(
        self, key: str, token: str, epoch: bytes, kept: bytes, people: Sequence[str]
    ) -> None:
        """Keep a reply, unless somebody was forgotten since ``epoch``; gives back the lock."""
        names = [EPOCH, _reply(key), _lock(key)]
        await self._keep.run(names, [epoch, token, self._ttl, " ".join(people), kept, _index("")])

    async def renew(self, key: str, token: str) -> None:
        """Hold the lock for longer."""
        await self._renew.run([_lock(key)], [token, self._lock_ms])

    async def release(self, key: str, token: str) -> None:
        """Give back the lock: whoever waits for the reply writes it."""
        await self._release.run([_lock(key)], [token])

    async def drop(self, key: str) -> None:
        """Delete a damaged reply."""
        name = _reply(key)
        await self._link.call(lambda redis: redis.delete(name), 0)

    async def forget(self, person: str) -> bool:
        """Delete everything of a person; False when Redis is away."""
        names = [EPOCH, _index(person)]
        return bool(await self._forget.run(names, [secrets.token_hex(16)]))

    @property
    def _lock_ms(self) -> int:
        return int(self.lock_seconds * 1000)


def _reply(key: str) -> str:
    return f"{PREFIX}reply:{key}"


def _lock(key: str) -> str:
    return f"{PREFIX}lock:{key}"


def _index(person: str) -> str:
    return f"{PREFIX}person:{person}"
