"""What this machine lets the process use.

In: nothing. Out: processors and bytes of memory. The one decision: a container's limits count and not its host's, since 64 threads on two
permitted processors are slower than two.
"""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # version 2: inside a container its limits lie at the top
MEMORY = Path("/proc/meminfo")


def cores() -> int:
    """Processors this process may use, at least one."""
    permitted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = [*_numbers(CGROUP / "cpu.max"), 0, 0][:2]
    return max(1, min(permitted, -(-quota // period))) if quota and period else permitted


def free_memory() -> int | None:
    """Bytes that can still be taken without driving others out; None where the system does not say."""
    rows = [line.split() for line in _text(MEMORY).splitlines()]
    found = [int(row[1]) * 1024 for row in rows if row[0] == "MemAvailable:"]
    if limit := _numbers(CGROUP / "memory.max"):
        found.append(max(0, limit[0] - sum(_numbers(CGROUP / "memory.current"))))
    return min(found, default=None)


def _numbers(path: Path) -> list[int]:
    """The numbers in a file of the kernel's; none where it is missing or says «max» first."""
    words = _text(path).split()
    return [int(word) for word in words] if all(word.isdecimal() for word in words) else []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
