"""Builds the image's files without a container engine: ``tree.py FOLDER [NAME=VALUE ...]``.

infra/Dockerfile is carried out line by line, with FOLDER in the place of ``/``; the base image is
this machine. ``FOLDER.json`` then says how the image starts. Arguments are build arguments;
``LAYERS=FOLDER`` keeps what the first RUN made there, and takes it from there when nothing before
it has changed, as engines do; the folder has to be on the same disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dockerfile import Instruction, Stage, context, parse, substitute

ROOT = Path(__file__).parents[2]
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
OWN = ("BOTKIT_", "PYTHON", "VIRTUAL_ENV")
"""Beginnings of variables of this process that no build sees."""


@dataclass
class Tree:
    """One stage while it is built."""

    root: Path
    layers: Path | None
    variables: dict[str, str]
    earlier: dict[str, Path]
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": SYSTEM_PATH})
    workdir: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    _done: str = sys.version

    def begin(self, *what: str) -> None:
        """Everything that the stage depends on besides its lines."""
        self._note(*what)

    def carry_out(self, instruction: Instruction) -> None:
        """One line of the Dockerfile."""
        self._note(instruction.word, instruction.rest, *sorted(self.variables.items()))
        match instruction.word:
            case "ARG":
                name, _, value = instruction.rest.partition("=")
                self.variables.setdefault(name, value)
            case "ENV":
                for word in instruction.words:
                    name, _, value = word.partition("=")
                    self.environment[name] = self._inside(value)
            case "WORKDIR":
                self.workdir = instruction.rest
                self.path(self.workdir).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(instruction.words)
            case "RUN":
                self._run(instruction.rest)
            case "USER":
                self.user = instruction.rest
            case "CMD":
                self.command = instruction.command
            case "EXPOSE":
                pass
            case other:
                sys.exit(f"tree.py cannot carry out {other}")

    def path(self, inside: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / (self.workdir + "/" + inside if inside[0] != "/" else inside).lstrip("/")

    def _inside(self, value: str) -> str:
        """A variable's value, its absolute paths moved below the root."""
        moved = [f"{self.root}{part}" if part[:1] == "/" else part for part in value.split(":")]
        return substitute(":".join(moved), self.variables | self.environment)

    def _copy(self, words: list[str]) -> None:
        options = dict(word[2:].split("=") for word in words if word.startswith("--"))
        *sources, target = (word for word in words if not word.startswith("--"))
        if "chown" in options:
            self.owners[target] = options["chown"]
        if "from" in options:
            (source,) = sources
            taken = self.earlier[options["from"]] / source.lstrip("/")
            self.path(target).parent.mkdir(parents=True, exist_ok=True)
            taken.rename(self.path(target))  # the earlier stage is not needed any more
            return
        for name in context(ROOT, (ROOT / ".dockerignore").read_text().splitlines()):
            for source in sources:
                if name.is_relative_to(source):
                    inner = name.relative_to(source)
                    self._copy_file(name, self.path(target) / (inner if inner.parts else name))

    def _copy_file(self, name: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
        self._note(str(name), hashlib.sha256(target.read_bytes()).hexdigest())

    def _run(self, script: str) -> None:
        layer = self.layers / self._done[:16] if self.layers else None
        self.layers = None
        if layer is not None and layer.exists():
            shutil.rmtree(self.root)
            link_tree(layer, self.root)
            return
        kept = {name: text for name, text in os.environ.items() if not name.startswith(OWN)}
        # The base image's Python is the one that runs this.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        variables = {**kept, **self.variables, **self.environment, "PATH": path}
        subprocess.run(["sh", "-c", script], cwd=self.path("."), env=variables, check=True)
        if layer is not None:
            shutil.rmtree(layer.parent, ignore_errors=True)  # what has changed is not needed again
            partial = layer.with_suffix(".partial")
            link_tree(self.root, partial)
            partial.rename(layer)

    def _note(self, *what: object) -> None:
        self._done = hashlib.sha256(repr((self._done, what)).encode()).hexdigest()


def link_tree(source: Path, target: Path) -> None:
    """The same files under another folder, as hard links."""
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)


def build(root: Path, arguments: Iterable[str], layers: Path | None = None) -> dict[str, object]:
    """Build every stage at ``root``, one after another; how the last one starts."""
    given = dict(argument.split("=", 1) for argument in arguments)
    before, stages = parse((ROOT / "infra/Dockerfile").read_text())
    defaults = {name: value for name, _, value in (each.rest.partition("=") for each in before)}
    earlier: dict[str, Path] = {}
    for stage in stages:
        # Environments know where they are: every stage has to have the same root.
        tree = _build_stage(root, stage, defaults | given, earlier, layers)
        if stage is not stages[-1]:
            earlier[stage.name] = root.with_name(f"{root.name}-{stage.name}")
            root.rename(earlier[stage.name])
    for path in earlier.values():
        shutil.rmtree(path)
    return {
        "command": tree.command,
        "environment": tree.environment,
        "workdir": str(tree.path(".")),
        "user": tree.user,
        "owners": {str(tree.path(path)): owner for path, owner in tree.owners.items()},
    }


def _build_stage(
    root: Path,
    stage: Stage,
    variables: dict[str, str],
    earlier: dict[str, Path],
    layers: Path | None,
) -> Tree:
    root.mkdir(parents=True)
    tree = Tree(root, layers, dict(variables), earlier)
    tree.begin(str(root), stage.base)
    for instruction in stage.instructions:
        tree.carry_out(instruction)
    return tree


if __name__ == "__main__":
    folder = Path(sys.argv[1]).absolute()
    chosen = [argument for argument in sys.argv[2:] if not argument.startswith("LAYERS=")]
    kept_at = next((a.partition("=")[2] for a in sys.argv[2:] if a.startswith("LAYERS=")), "")
    started = build(folder, chosen, Path(kept_at) if kept_at else None)
    folder.with_name(f"{folder.name}.json").write_text(json.dumps(started, indent=1) + "\n")
