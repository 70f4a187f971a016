"""Commands that are typed as text, on platforms or in places that do not tell them apart."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"/([a-z0-9_-]{1,32})(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


def typed_command(text: str) -> tuple[str, str] | None:
    """The name, without its slash and in lower case, and what follows it, of ``/name text``; None
    of anything else, as a path is."""
    found = _COMMAND.fullmatch(text.strip())
    return None if found is None else (found[1].lower(), (found[2] or "").strip())
