"""Makes the environments of the TPU and GPU compilers that ``botkit aot`` asks.

Usage: compilers.py [tpu] [gpu]; both when none is named. They go under $BOTKIT_HOME/compilers: 1.3
and 5.5 GB. One that is there, with the JAX that botkit runs on, stays as it is.
"""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

from botkit.errors import BotkitError
from botkit.settings import Settings
from botkit_models.aot.environment import CompilerEnvironment
from botkit_models.aot.topology import CompilerKind


def make(environment: CompilerEnvironment) -> None:
    """Make one, unless it is there."""
    if environment.installed:
        print(f"{environment.kind}: {environment.requirement} is in {environment.folder}")
        return
    print(f"{environment.kind}: installing {environment.requirement}; this takes minutes ...")
    for command in environment.commands:
        subprocess.run(command, check=True)


kinds = get_args(CompilerKind)
wanted = sys.argv[1:] or list(kinds)
unknown = [kind for kind in wanted if kind not in kinds]
if unknown:
    sys.exit(f"compilers.py: {', '.join(unknown)} is none of {', '.join(kinds)}")
try:
    home = Settings.load().home
    for kind in wanted:
        make(CompilerEnvironment.under(home, kind))
except (BotkitError, subprocess.CalledProcessError, OSError) as error:
    sys.exit(f"compilers.py: {error}")
