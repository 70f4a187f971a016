"""The compilers' environments: a folder each under ``$BOTKIT_HOME/compilers``.

They are not part of botkit's own environment: JAX with a TPU or GPU plugin behaves otherwise, and
the GPU one takes 5.5 GB. ``infra/scripts/compilers.py`` makes them.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType

from botkit.errors import MissingExtraError, SettingsError
from botkit_models.aot.topology import CompilerKind

_EXTRAS: Mapping[CompilerKind, str] = MappingProxyType({"tpu": "tpu", "gpu": "cuda12"})
_PACKAGES: Mapping[CompilerKind, str] = MappingProxyType(
    {"tpu": "libtpu", "gpu": "jax_cuda12_pjrt"}
)


@dataclass(frozen=True)
class CompilerEnvironment:
    """A virtual environment with one accelerator's compiler."""

    kind: CompilerKind
    folder: Path

    @classmethod
    def under(cls, home: Path, kind: CompilerKind) -> CompilerEnvironment:
        """Where the compiler of this kind is, or would be."""
        return cls(kind, home / "compilers" / kind)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def requirement(self) -> str:
        """What pip installs: JAX of the version that botkit itself runs on.

        Raises:
            MissingExtraError: botkit has none here.
        """
        try:
            return f"jax[{_EXTRAS[self.kind]}]=={version('jax')}"
        except PackageNotFoundError:
            raise MissingExtraError("jax", "jax") from None

    @property
    def installed(self) -> bool:
        """Whether the compiler is there, beside the right JAX."""
        wanted = self.requirement.rpartition("==")[2]
        packages = list(self.folder.glob("lib/python*/site-packages"))
        return self.python.is_file() and any(
            (folder / f"jax-{wanted}.dist-info").is_dir()
            and any(folder.glob(f"{_PACKAGES[self.kind]}-*.dist-info"))
            for folder in packages
        )

    @property
    def commands(self) -> list[list[str]]:
        """What to run to make it."""
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--no-cache-dir"]
        return [
            [sys.executable, "-m", "venv", "--clear", str(self.folder)],
            [*pip, "--disable-pip-version-check", self.requirement],
        ]

    def check(self) -> None:
        """Nothing, when the compiler is installed.

        Raises:
            SettingsError: It is not; the message says what to run.
        """
        if not self.installed:
            run = " && ".join(shlex.join(command) for command in self.commands)
            size = {"tpu": "1.3", "gpu": "5.5"}[self.kind]
            raise SettingsError(
                f"the {self.kind} compiler ({self.requirement}) is not installed; run: {run} "
                f"({size} GB; in a checkout: python infra/scripts/compilers.py {self.kind})"
            )

    def variables(self, devices: int) -> dict[str, str]:
        """The environment of a process that compiles for so many devices without having one."""
        kept = {name: value for name, value in os.environ.items() if not _jax_reads(name)}
        kept["JAX_PLATFORMS"] = "cpu"
        if self.kind == "tpu":
            kept |= {
                "TPU_SKIP_MDS_QUERY": "1",
                "TPU_ACCELERATOR_TYPE": f"v5litepod-{devices}",
                "TPU_WORKER_HOSTNAMES": "localhost",
                "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # there is no device to quarrel over
            }
        return kept


def _jax_reads(name: str) -> bool:
    return name.startswith(("JAX_", "TPU_", "XLA_", "LIBTPU", "ALLOW_MULTIPLE_", "PYTHON"))
