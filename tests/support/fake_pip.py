"""Stands in for pip: copies a wheel, or fails as pip fails. ``FAKE_PIP`` says how.

``ok:PATH`` copies the wheel; ``slow:PATH`` writes half of it and waits for ever; anything else is
printed as pip prints an error, with exit code 1.
"""

import os
import shutil
import sys
import time
from pathlib import Path


def main() -> int:
    """Act as told."""
    behaviour, _, argument = os.environ["FAKE_PIP"].partition(":")
    dest = Path(sys.argv[sys.argv.index("--dest") + 1])
    log = os.environ.get("FAKE_PIP_LOG")
    if log:
        with open(log, "a") as file:
            file.write(" ".join(sys.argv[1:]) + "\n")
    if behaviour == "ok":
        shutil.copy(argument, dest)
        return 0
    if behaviour == "slow":
        data = Path(argument).read_bytes()
        scratch = Path(os.environ["TMPDIR"]) / "pip-unpack"
        scratch.mkdir()
        (scratch / "half.whl").write_bytes(data[: len(data) // 2])
        time.sleep(3600)
    if behaviour == "nothing":
        return 0
    print("Looking in indexes: https://user:secret@example.org/simple")
    print(f"{behaviour}:{argument}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
