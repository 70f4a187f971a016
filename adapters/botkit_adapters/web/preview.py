"""A reply while it is written: a draft in its scene."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from botkit.adapter import Holds, SavePreview
from botkit.errors import StoreError
from botkit.types import Json
from botkit_adapters.web.render import STOPPED
from botkit_adapters.web.scene import Draft, Scene


class WebPreview:
    """Shows each text at once; see :class:`botkit.adapter.Preview`.

    That there was something on show is saved, so that a reply without text still takes it away.

    Args:
        scene: Of the conversation, as it is now.
        entry: What is answered.
        saved, save, holds: As :meth:`botkit.adapter.Adapter.preview` has them.
    """

    def __init__(
        self,
        scene: Callable[[], Scene],
        entry: str,
        *,
        saved: Json | None,
        save: SavePreview,
        holds: Holds,
    ) -> None:
        self._scene = scene
        self._entry = entry
        self._save = save
        self._holds = holds
        self._saved = saved is not None
        self._saving: asyncio.Task[None] | None = None
        self._draft: Draft | None = None
        self._stopped = False

    async def update(self, text: str) -> None:
        """Show ``text``."""
        if not self._holds():
            return
        self._draft = self._scene().show(self._draft, self._entry, text)
        if not self._saved:
            self._saved = True
            self._saving = asyncio.create_task(self._keep({"draft": self._draft.id}))

    async def stopped(self) -> None:
        """Return when the person wants no more of it."""
        scene = self._scene()
        while not self._entry or scene.stop != self._entry:
            scene.stopping.clear()
            await scene.stopping.wait()
        self._stopped = True

    async def close(self) -> None:
        """Stop."""
        if self._saving is not None:
            await self._saving
        if self._stopped:
            await self._keep({STOPPED: True})

    async def _keep(self, saved: Json) -> None:
        with contextlib.suppress(StoreError):
            await self._save(saved)
