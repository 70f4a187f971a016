"""A reply while it is written: collected, shown, and ended where the person has had enough."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

from botkit.adapter import Preview, Stoppable
from botkit.answer import Answer
from botkit.stopping import StoppedError, unless_stopped


class Shown:
    """One reply's text, and the preview that shows it; None shows nothing.

    Fields:
        text: What there is of it.
        stopped: The person wanted no more of it.
    """

    def __init__(self, preview: Preview | None) -> None:
        self.text = ""
        self.stopped = False
        self._preview = preview

    async def write(self, pieces: AsyncIterable[str]) -> None:
        """Take ``pieces`` until they end or the person stops them; closes them in any case."""
        preview = self._preview
        try:
            if isinstance(preview, Stoppable):
                await unless_stopped(preview, self._write(pieces))
            else:
                await self._write(pieces)
        except StoppedError:
            self.stopped = True
        finally:
            if preview is not None:
                await preview.close()

    async def _write(self, pieces: AsyncIterable[str]) -> None:
        async with aclosing(_growing(pieces)) as texts:
            async for text in texts:
                self.text = text
                if self._preview is not None:
                    await self._preview.update(text)


async def _growing(pieces: AsyncIterable[str]) -> AsyncGenerator[str, None]:
    """All of the text so far, piece by piece; the model's answer may begin anew."""
    text = ""
    if isinstance(pieces, Answer):
        async with aclosing(pieces.drafts()) as drafts:
            async for draft in drafts:
                if draft.text != text:
                    text = draft.text
                    yield text
        return
    async for piece in pieces:
        text += piece
        yield text
