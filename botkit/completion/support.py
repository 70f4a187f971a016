"""Refusing by name what a completion does not obey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from botkit.errors import UnsupportedParameterError


def refuse_unsupported(request: BaseModel, harmless: Mapping[str, tuple[Any, ...]]) -> None:
    """Refuse every parameter in ``harmless`` that has a value other than those listed.

    Args:
        request: A validated request.
        harmless: Field name to the values (besides None) that ask for nothing special, so that
            ``tools=[]`` or ``response_format={"type": "text"}`` pass.

    Raises:
        UnsupportedParameterError: Naming the first field that asks for something.
    """
    for field, accepted in harmless.items():
        value = getattr(request, field)
        if value is not None and value not in accepted:
            raise UnsupportedParameterError(field)
