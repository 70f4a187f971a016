"""A process that spends a budget as fast as it can; prints how many tokens it was granted.

``python spending.py DATABASE REDIS KEY TOKENS``: starts when Redis holds ``go``.
"""

from __future__ import annotations

import asyncio
import random
import sys

from botkit.errors import BudgetExceededError, OverloadedError
from botkit.limits.budgets import Budgets
from botkit.limits.scopes import Names, Scope
from botkit.metrics import Metrics
from botkit.redis_link import RedisLink
from botkit.store import open_store


async def main(database: str, redis: str, user: str, tokens: int) -> None:
    store = await open_store(database)
    link = RedisLink(redis, Metrics(), patience=10.0)
    budgets = Budgets({"user": tokens}, Names(), lambda: store, link)
    while not await link.call(lambda client: client.exists("go"), 0):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    spent = 0

    async def session() -> None:
        nonlocal spent
        while True:
            try:
                granted = await budgets.reserve([Scope("user", user)], 50, 1)
            except OverloadedError:
                await asyncio.sleep(0.001)
                continue
            except BudgetExceededError:
                return
            used = random.randrange(granted.tokens + 1)
            await asyncio.sleep(0)
            spent += used
            budgets.settle(granted, used)

    await asyncio.gather(*(session() for _ in range(20)))
    await budgets.aclose()
    await link.aclose()
    await store.aclose()
    print(spent)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
