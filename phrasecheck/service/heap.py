"""The process's memory: few heaps instead of one for almost every thread, and what lies unused in them given back.

The one decision: a server runs for months in dozens of threads that hear, match and answer, and glibc gives each thread a heap of its own, up to
eight a core, of which only the top ever goes back to the system. After an hour of eight lines 750 MB lay in such heaps.
"""

import ctypes
import os
from contextlib import suppress

ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def few_heaps(most: int = 2) -> None:
    """From now on no new heap beyond `most`; nothing where MALLOC_ARENA_MAX says otherwise, or where the C library is not glibc."""
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(ARENA_MAX, most)


def give_back() -> None:
    """What is free in the middle of the heaps goes back to the system; nothing where the C library is not glibc."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
