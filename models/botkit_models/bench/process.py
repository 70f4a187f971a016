"""What the system knows of another process: memory and processor time."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from botkit.errors import BotkitError

PROC = Path("/proc")
MIB = 1 << 20


@dataclass(frozen=True)
class Memory:
    """Resident memory in MiB.

    Fields:
        resident: All of it.
        file: The part that mirrors files (mapped weights, libraries) and can be dropped at any
            time; None where the system does not tell.
        anonymous: The part that cannot.
    """

    resident: float
    file: float | None = None
    anonymous: float | None = None

    @property
    def split(self) -> str:
        """What it is made of, in words to be followed by others; empty where that is unknown."""
        if self.file is None or self.anonymous is None:
            return ""
        return f"{self.file:.0f} mapped from files, {self.anonymous:.0f} anonymous; "


def memory_of(pid: int) -> Memory:
    """Resident memory of a process, from ``/proc`` or, without one, from ``ps``.

    Raises:
        BotkitError: There is no such process.
    """
    status = PROC / str(pid) / "status"
    try:
        text = status.read_text() if PROC.is_dir() else _ps("rss", pid)
    except OSError:
        raise BotkitError(f"process {pid} is gone") from None
    return parse_status(text) if PROC.is_dir() else Memory(int(text) / 1024)


def proportional_memory(pid: int) -> float | None:
    """Resident memory in MiB, shared pages divided by who shares them; None if not told."""
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return None
    found = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else None


def children_of(pid: int) -> list[int]:
    """Processes that a process has started and that run; none where the system does not tell."""
    found = []
    for path in PROC.glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has just ended
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(path.parent.name))
    return found


def parse_status(text: str) -> Memory:
    """The memory lines of ``/proc/PID/status`` (proc_pid_status(5)); they count in kB of 1024."""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    found = {
        name: int(fields[name].split()[0]) / 1024
        for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem")
        if name in fields
    }
    if "VmRSS" not in found:
        raise BotkitError("the process has no memory any more: it has ended")
    if "RssFile" not in found:
        return Memory(found["VmRSS"])
    file = found["RssFile"] + found.get("RssShmem", 0.0)
    return Memory(found["VmRSS"], file, found.get("RssAnon"))


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, in seconds.

    Raises:
        BotkitError: There is no such process.
    """
    if not PROC.is_dir():
        return parse_ps_time(_ps("time", pid))
    try:
        # The second field is the name in parentheses and may hold anything, blanks too.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        raise BotkitError(f"process {pid} is gone") from None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def parse_ps_time(text: str) -> float:
    """``ps``'s ``[[days-]hours:]minutes:seconds`` in seconds."""
    days, _, clock = text.strip().rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86400 * int(days or 0)


def _ps(column: str, pid: int) -> str:
    command = ["ps", "-o", f"{column}=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip():
        raise BotkitError(f"process {pid} is gone")
    return done.stdout.strip()
