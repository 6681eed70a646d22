"""A bar for recordings that are heard one after the other.

In: their paths, and word of each that is done. Out: a bar on standard error with the time left. The one decision: it goes by bytes, the nearest
thing to the length of recordings that nobody has opened yet.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from phrasecheck.cli.language import say

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """How far the recordings are: the one at work, how many are done, the time it took and the time left."""

    def __init__(self, bar: "Progress", paths: Sequence[Path]) -> None:
        from phrasecheck.audio import spelled

        self._bar = bar
        self._names = [Path(spelled(path)).name for path in paths]
        self._sizes = [path.stat().st_size for path in paths]
        self._done = 0
        self._task = bar.add_task(self._names[0], total=sum(self._sizes), calls=f"0/{len(paths)}")

    def heard(self, seconds: float, of: float) -> None:
        """So much of the speech of the recording at work is done."""
        self._bar.update(self._task, completed=sum(self._sizes[: self._done]) + self._sizes[self._done] * seconds / of)

    def advance(self) -> None:
        """The recording at work is done, well or badly."""
        self._done += 1
        following = self._names[min(self._done, len(self._names) - 1)]
        counted = f"{self._done}/{len(self._names)}"
        self._bar.update(self._task, completed=sum(self._sizes[: self._done]), description=following, calls=counted)


@contextmanager
def recordings_bar(paths: Sequence[Path]) -> Iterator[Bar]:
    """The bar while the recordings are heard; at least one."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}", markup=False),  # a file may be called «[b].wav»
        BarColumn(),
        TextColumn("{task.fields[calls]}"),
        TextColumn(say("已用", "elapsed")),
        TimeElapsedColumn(),
        TextColumn(say("剩余", "left")),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=300,  # seconds: the long clips of a call come first, a short look back would see only those
    ) as bar:
        yield Bar(bar, paths)
