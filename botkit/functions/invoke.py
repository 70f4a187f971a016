"""A function that invokes itself: what is to be done once it has answered.

Lambda keeps an asynchronous invocation (``InvocationType=Event``) in a queue of its own, delivers
it at least once, and twice more when the function raises. A delivery that comes twice changes
nothing: a conversation is leased by one worker at a time.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import logging
from collections.abc import Mapping
from typing import Any

from botkit.errors import BotkitError, MissingExtraError
from botkit.types import ConversationKey

logger = logging.getLogger(__name__)

OWN = "botkit"
"""The key that tells an event of ours from everybody else's."""

CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
ATTEMPTS = 2
"""A platform waits three seconds and more for its answer: at most that long is tried."""


def work_event(conversation: ConversationKey | None) -> dict[str, Any]:
    """The event that has a conversation worked on, or whatever is due."""
    return {OWN: {"conversation": None if conversation is None else str(conversation)}}


def read_work(event: Mapping[str, Any]) -> ConversationKey | None:
    """The conversation of such an event.

    Raises:
        BotkitError: It names none.
    """
    try:
        named = event[OWN]["conversation"]
        return None if named is None else ConversationKey.parse(named)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BotkitError("the event names no conversation to work on") from None


class InvokePusher:
    """Invokes the function itself; a :class:`botkit.push.Pushing`.

    What becomes due later is not pushed: Lambda's own retries and the schedule see to that, and
    nobody is woken for what runs already.

    Args:
        function: Name or ARN of the function, with its alias or version.

    Raises:
        MissingExtraError: boto3 is not installed.
    """

    sweeps = False

    def __init__(self, function: str) -> None:
        if importlib.util.find_spec("boto3") is None:
            raise MissingExtraError("boto3", "aws")
        self._function = function
        self._client: Any = None
        self._making = asyncio.Lock()

    async def push(self, conversation: ConversationKey | None) -> None:
        """Returns when Lambda has the event; a failure is logged, and left to the schedule."""
        async with self._making:
            if self._client is None:
                self._client = await asyncio.to_thread(_make_client)
        payload = json.dumps(work_event(conversation)).encode()
        try:
            await asyncio.to_thread(
                self._client.invoke,
                FunctionName=self._function,
                InvocationType="Event",
                Payload=payload,
            )
        except Exception as error:  # botocore's errors have no class in common
            logger.warning("the function could not invoke itself: %s", type(error).__name__)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()


def _make_client() -> Any:
    session = importlib.import_module("boto3.session").Session()
    config = importlib.import_module("botocore.config").Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    return session.client("lambda", config=config)
