"""The process's memory: one heap instead of one for almost every thread, and what lies unused in it given back.

The one decision: a server runs for months in dozens of threads that hear, match and answer, and glibc gives each thread a heap of its own, up to
eight a core, of which only the top ever goes back to the system. After an hour of eight lines 750 MB lay in such heaps. A hearing takes hundreds of
MB in blocks of all sizes; with one heap the next hearing, in whatever thread, finds them again. Python's own
blocks lie elsewhere, so that few threads wait for the heap's lock; what that costs on many cores was not measured. Blocks mapped one by one
(M_MMAP_THRESHOLD at 1 MB) would go back at once, at twice the processor time.
"""

import ctypes
import os
from contextlib import suppress

ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def one_heap() -> None:
    """From now on no other heap; nothing where MALLOC_ARENA_MAX says otherwise, or where the C library is not glibc."""
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)


def give_back() -> None:
    """What is free in the middle of the heaps goes back to the system; nothing where the C library is not glibc."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
