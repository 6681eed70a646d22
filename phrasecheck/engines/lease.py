"""Weights that are loaded once, shared by whoever needs them, and let go of when nobody does.

In: a function that loads. Out: a Lease whose `use()` lends the loaded value. The one decision: `unload` never pulls a model from under a
running call; it takes effect when the last user has left.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Lease(Generic[T]):
    """One shared value. Threads that ask while it is being loaded wait for it; a failed load is tried again by the next who asks."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._lock = Lock()
        self._held: list[T] = []  # empty or one: None may be a value
        self._users = 0
        self._leaving = False

    @contextmanager
    def use(self) -> Iterator[T]:
        """The value, loaded when it is not there yet. It stays loaded afterwards, for the next."""
        with self._lock:
            if not self._held:
                self._held.append(self._load())
            self._users += 1
            self._leaving = False
            value = self._held[0]
        try:
            yield value
        finally:
            with self._lock:
                self._users -= 1
                if self._leaving and not self._users:
                    self._held.clear()

    def unload(self) -> bool:
        """Let go of the value now, or when its last user leaves. True when it is gone already."""
        with self._lock:
            self._leaving = self._users > 0
            if not self._users:
                self._held.clear()
            return not self._held

    @property
    def loaded(self) -> bool:
        """Whether the value is in memory."""
        return bool(self._held)
