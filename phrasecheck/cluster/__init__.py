"""Who does the checking: worker processes of this machine, or actors on a Ray cluster, behind one small protocol.

In: settings. Out: an Executor. The one decision: an Executor is told nothing that the calls table does not know. It keeps workers alive and wakes them; which
call is whose, what was done and how often it was tried is the table's (store/calls.py), so there is no second queue to keep in step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from phrasecheck.settings import Settings
from phrasecheck.store.states import CallState
from phrasecheck.worker import Load, load_check


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the work is: calls by their state, and the workers that live."""

    calls: Mapping[CallState, int]
    workers: int

    @property
    def waiting(self) -> int:
        """Calls without an end yet."""
        return self.calls[CallState.QUEUED] + self.calls[CallState.CHECKING]


class Executor(Protocol):
    """Workers somewhere. Safe to be used by several threads; `start` and `stop` once each."""

    def start(self) -> None:
        """Have workers started, and replaced when they die. Returns at once: they load their models first."""
        ...

    def submit(self, call_id: str) -> None:
        """There is this call to be checked: the workers look at once. A call nobody submits is found all the same, a little later."""
        ...

    def alive(self) -> int:
        """How many workers there are, whether they have loaded their models or not."""
        ...

    def progress(self) -> Progress:
        """How far the work is now. Raises StoreError."""
        ...

    def cancel(self, call_id: str, actor: str) -> None:
        """A call that is queued or being checked is not to be: it has FAILED, and `actor` is named. Raises RefusedError, NotFoundError."""
        ...

    def stop(self, wait_s: float = 30.0) -> None:
        """Workers give back what they hold and end; those still there after `wait_s` are killed (their calls are handed out again)."""
        ...


def make_executor(settings: Settings, load: Load = load_check) -> Executor:
    """The one that the settings name, not started yet. Raises StoreError, InputError when Ray is not installed."""
    if settings.cluster.executor == "ray":
        from phrasecheck.cluster.ray import RayExecutor

        return RayExecutor(settings, load)
    from phrasecheck.cluster.local import LocalExecutor

    return LocalExecutor(settings, load)
