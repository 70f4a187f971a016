"""The console of one bot: what it records, and its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from botkit.adapter import AdapterRoute
from botkit.console.api import Api
from botkit.console.directory import Directory
from botkit.console.gate import Gate
from botkit.console.page import show_file, show_page
from botkit.console.recorder import Recorder
from botkit.pseudonyms import Pseudonyms
from botkit.spans import Tracer
from botkit.store import Store

PATH = "/console"


class Console:
    """See :func:`botkit.console.make_console`.

    Fields:
        recorder: Keeps the turns.
    """

    def __init__(
        self,
        key: str,
        store: Callable[[], Store],
        pseudonyms: Pseudonyms,
        *,
        platforms: Sequence[str],
        model: str,
        ready: Callable[[], bool],
        wake: Callable[[], Awaitable[None]],
    ) -> None:
        self.recorder = Recorder()
        directory = Directory(store, pseudonyms)
        self._api = Api(Gate(key), self.recorder, store, directory, platforms, model, ready, wake)

    def recording(self, tracer: Tracer) -> Tracer:
        """A tracer that keeps turns for the console, and passes their spans on to ``tracer``."""
        self.recorder.onward = tracer
        return self.recorder

    @property
    def routes(self) -> list[AdapterRoute]:
        """The page, which holds no data, and what it asks for, which needs the key."""
        api = self._api
        looks = {
            "overview": api.overview,
            "conversations": api.conversations,
            "conversation": api.conversation,
            "turns": api.turns,
            "turns/{id}": api.turn,
            "feedback": api.feedback,
            "dead-letters": api.dead_letters,
        }
        retry = f"{PATH}/api/dead-letters/{{number}}/retry"
        return [
            AdapterRoute("GET", PATH, show_page),
            AdapterRoute("GET", f"{PATH}/page/{{name}}", show_file),
            *(
                AdapterRoute("GET", f"{PATH}/api/{name}", api.guarded(look))
                for name, look in looks.items()
            ),
            AdapterRoute("POST", retry, api.guarded(api.retry)),
        ]
