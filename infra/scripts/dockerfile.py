"""The instructions of infra/Dockerfile, and what .dockerignore lets into a build."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Instruction:
    """``word`` is FROM, RUN, COPY ...; ``rest`` what follows it on the line."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """What follows, split as a shell does."""
        return shlex.split(self.rest)

    @property
    def command(self) -> list[str]:
        """The program of a CMD in its exec form."""
        return [str(word) for word in json.loads(self.rest)]


@dataclass
class Stage:
    """What follows one FROM."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)


def parse(text: str) -> tuple[list[Instruction], list[Stage]]:
    """The ARGs before the first FROM, and the stages."""
    before: list[Instruction] = []
    stages: list[Stage] = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, *named = rest.split(" AS ")
            stages.append(Stage(base, *(named or [""])))
        else:
            (stages[-1].instructions if stages else before).append(Instruction(word, rest.strip()))
    return before, stages


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """``$NAME`` and ``${NAME}`` with their values; nothing for those that have none."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), text)


def context(root: Path, ignore: Sequence[str]) -> Iterator[Path]:
    """The files of a build context, relative to ``root``, in order."""
    patterns = [line for line in ignore if line and not line.startswith("#")]
    for top in sorted({p[1:].split("/")[0] for p in patterns if p.startswith("!")}):
        found = root / top
        for path in sorted(found.rglob("*")) if found.is_dir() else [found]:
            relative = path.relative_to(root)
            if path.is_file() and not _ignored(PurePosixPath(relative), patterns):
                yield relative


def _ignored(path: PurePosixPath, patterns: Sequence[str]) -> bool:
    """The last pattern that fits decides."""
    ignored = False
    for pattern in patterns:
        if any(_fits(part, pattern.lstrip("!")) for part in (path, *path.parents)):
            ignored = not pattern.startswith("!")
    return ignored


def _fits(path: PurePosixPath, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatch(path.name, pattern[3:])
    return path.parts != () and path.match(pattern) and len(path.parts) == pattern.count("/") + 1
