"""Sending an order to a worker in the right environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import botkit
import botkit_models
from botkit.errors import SettingsError
from botkit_models.aot.environment import CompilerEnvironment
from botkit_models.aot.order import Answer, Order
from botkit_models.aot.topology import Topology

# The environment has JAX and its compiler; botkit, and what it needs beside JAX, come after.
_BOOT = (
    "import sys; sys.path.extend(sys.argv[1:]); from botkit_models.aot.worker import main; main()"
)


def compile_ahead(order: Order, home: Path) -> Answer:
    """Have an order compiled; takes seconds to minutes.

    Raises:
        SettingsError: The compiler is not installed, or failed; the message says what to do.
    """
    topology = Topology.parse(order.topology)
    environment = CompilerEnvironment.under(home, topology.chip.compiler)
    environment.check()
    done = subprocess.run(
        [str(environment.python), "-c", _BOOT, *_path()],
        input=order.to_json(),
        capture_output=True,
        text=True,
        env=environment.variables(topology.devices),
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        last = "\n".join(lines[-12:])
        raise SettingsError(
            f"the {environment.kind} compiler ended with {done.returncode}:\n{last}"
        )
    return Answer.from_json(done.stdout)


def _path() -> list[str]:
    """Where botkit is, and everything that this interpreter finds."""
    packages = [Path(module.__file__ or "").parents[1] for module in (botkit, botkit_models)]
    return [str(folder) for folder in packages] + [entry for entry in sys.path if entry]
