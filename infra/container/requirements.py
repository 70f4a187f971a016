"""Prints what botkit and some of its extras need, a requirement a line.

Usage: requirements.py EXTRA,EXTRA... (in the folder of pyproject.toml)
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

_OWN = re.compile(r"botkit\[(.+)\]")


def needed(project: dict[str, Any], extras: list[str]) -> list[str]:
    """The requirements; an extra may name others, as ``botkit[slack,telegram]``."""
    found = list(project["dependencies"])
    for extra in extras:
        if extra not in project["optional-dependencies"]:
            sys.exit(f"botkit has no extra {extra!r}")
        for requirement in project["optional-dependencies"][extra]:
            own = _OWN.fullmatch(requirement)
            found += needed(project, own[1].split(",")) if own else [requirement]
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    chosen = [extra.strip() for extra in sys.argv[1].split(",") if extra.strip()]
    print("\n".join(needed(project, chosen)))
