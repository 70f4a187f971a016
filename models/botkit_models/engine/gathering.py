"""Many small jobs of one request, a few at a time."""

from __future__ import annotations

from botkit.errors import OverloadedError
from botkit_models.engine.job import Event
from botkit_models.engine.stream import EventStream
from botkit_models.engine.waiting import WaitingJobs


async def gather(stream: EventStream, waiting: WaitingJobs, width: int) -> list[Event]:
    """Run a stream's jobs, which post one event each; ``width`` of them wait or run at any time.

    Returns the events in the order of the jobs. Where the queue is full, the next job follows when
    one of these has ended.

    Raises:
        OverloadedError: The queue is full, and none of these jobs is in it.
        CompletionError: A job failed; the others are let go.
    """
    found: dict[int, Event] = {}
    submitted = 0
    try:
        while len(found) < len(stream):
            while submitted < len(stream) and submitted - len(found) < width:
                try:
                    stream.submit_one(submitted, waiting)
                except OverloadedError:
                    if submitted == len(found):
                        raise
                    break
                submitted += 1
            index, event = await anext(stream)
            found[index] = event
    finally:
        stream.close()
    return [found[index] for index in range(len(stream))]
