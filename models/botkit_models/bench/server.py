"""How fast the server process starts, what it compiles then, and what memory it holds."""

from __future__ import annotations

from pathlib import Path

from botkit.errors import BotkitError
from botkit.settings import Settings
from botkit_models.bench.bystanders import Bystanders
from botkit_models.bench.measure import disturbance, median, spread
from botkit_models.bench.process import Memory, memory_of
from botkit_models.bench.row import Bound, Row
from botkit_models.bench.server_process import ServerProcess

HEALTHZ, READYZ = Bound("most", 1.5), Bound("most", 5.0)
FIRST_TOKEN = Bound("most", 3.5, aim=2.0)
COMPILED = Bound("most", 0.0)
RESIDENT = Bound("most", 700.0)
QUESTIONS = (
    "What is the capital of France?",
    "Write a short poem about the sea.",
    "How do I boil an egg?",
    "Name three colours.",
)
LONG = "The museum opens at nine and closes at five, and on Mondays it stays closed. "
LONG_CHARS, REPLY = 4200, 48
NOTES = ("-atime", ".json")


def server_rows(settings: Settings, repeats: int) -> list[Row]:
    """Warm starts, programs compiled on them, memory after serving.

    The first start is not measured: it fills the caches.
    """
    with ServerProcess(settings) as server:
        server.seconds_until("/readyz")
        server.wait_until_idle()
    before = compiled_programs(settings.compile_cache)
    healthz: list[float] = []
    readyz: list[float] = []
    begun: list[float] = []
    others: list[float] = []
    for number in range(repeats):
        bystanders = Bystanders()
        with ServerProcess(settings) as server:
            healthz.append(server.seconds_until("/healthz"))
            readyz.append(server.seconds_until("/readyz"))
            server.client.begin(QUESTIONS[0], REPLY)
            begun.append(server.seconds)
            others.append(bystanders.share([server.pid]))
            if number == repeats - 1:
                server.wait_until_idle()
                fresh = memory_of(server.pid)
                prompt = _serve_a_few(server)
                memory = memory_of(server.pid)
    compiled = compiled_programs(settings.compile_cache) - before
    return [
        _start("/healthz", healthz, HEALTHZ, others),
        _start("/readyz", readyz, READYZ, others),
        _start("the first token", begun, FIRST_TOKEN, others),
        Row(
            "warm start: programs compiled",
            "",
            float(len(compiled)),
            bound=COMPILED,
            note=_names(compiled) or f"{len(before)} were there",
        ),
        _memory(memory, fresh, prompt),
    ]


def compiled_programs(folder: Path) -> frozenset[Path]:
    """Files of the compile cache, without notes about them: JAX's of their last use, and lists."""
    if not folder.is_dir():
        return frozenset()
    return frozenset(
        path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(NOTES)
    )


def _serve_a_few(server: ServerProcess) -> int:
    """A few chats, alone and together; returns how long the longest prompt was, in tokens."""
    server.client.chat(QUESTIONS[0], REPLY)
    try:
        long = server.client.chat((LONG * (LONG_CHARS // len(LONG) + 1))[:LONG_CHARS], REPLY)
    except BotkitError:  # a model with a short context
        long = server.client.chat(LONG, REPLY)
    server.client.chat_together(list(QUESTIONS), REPLY)
    return long


def _start(what: str, seconds: list[float], bound: Bound, others: list[float]) -> Row:
    busy = max(others)
    note = spread(seconds) + disturbance(busy)
    name = f"warm start to {what}"
    return Row(name, "s", median(seconds), bound=bound, note=note, others=busy)


def _names(programs: frozenset[Path]) -> str:
    """What was compiled, without the hashes that JAX appends."""
    return ", ".join(sorted(path.name.rpartition("-")[0].rpartition("-")[0] for path in programs))


def _memory(memory: Memory, fresh: Memory, prompt: int) -> Row:
    note = (
        f"{memory.split}{fresh.resident:.0f} before any chat; "
        f"chats: one short, one of {prompt} tokens, {len(QUESTIONS)} together"
    )
    return Row("resident memory after chats", "MiB", memory.resident, bound=RESIDENT, note=note)
