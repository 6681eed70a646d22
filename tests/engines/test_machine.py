"""The limits of a container count, and a system that says nothing is no error."""

import os
from pathlib import Path

import pytest

from phrasecheck.engines import machine

GIB = 1 << 30


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the kernel's, with 8 processors and 4 GiB available."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text(f"MemTotal: {8 * GIB >> 10} kB\nMemAvailable: {4 * GIB >> 10} kB\n", encoding="ascii")
    return tmp_path


@pytest.mark.parametrize(
    ("limit", "cores"),
    [(None, 8), ("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("1600000 100000", 8)],
)
def test_no_more_processors_than_the_container_may_use(told: Path, limit: str | None, cores: int) -> None:
    if limit is not None:
        (told / "cpu.max").write_text(limit + "\n", encoding="ascii")
    assert machine.cores() == cores


def test_no_more_memory_than_the_container_may_take(told: Path) -> None:
    assert machine.free_memory() == 4 * GIB
    (told / "memory.max").write_text("max\n", encoding="ascii")
    assert machine.free_memory() == 4 * GIB
    (told / "memory.max").write_text(f"{2 * GIB}\n", encoding="ascii")
    (told / "memory.current").write_text(f"{GIB}\n", encoding="ascii")
    assert machine.free_memory() == GIB


def test_a_system_that_says_nothing(told: Path) -> None:
    (told / "meminfo").unlink()
    assert machine.free_memory() is None
