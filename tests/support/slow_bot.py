"""`botkit serve` whose model takes THINK_SECONDS to begin with its answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

from botkit.cli import main
from botkit.completion.scripted import ScriptedCompletion

stream = ScriptedCompletion.stream


async def slow_stream(self: Any, request: Any) -> AsyncIterator[Any]:
    await asyncio.sleep(float(os.environ["THINK_SECONDS"]))
    async for chunk in stream(self, request):
        yield chunk


ScriptedCompletion.stream = slow_stream  # type: ignore[method-assign]
main()
