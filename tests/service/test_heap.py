"""How many heaps a process with many threads has."""

import os
import subprocess
import sys

import pytest

GLIBC = pytest.mark.skipif(not hasattr(os, "confstr") or "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""), reason="not glibc")

HEAPS = """
import ctypes, os, sys, threading
from phrasecheck.service.heap import one_heap
if sys.argv[1] == "one":
    one_heap()
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
gate = threading.Barrier(12)
def need():
    gate.wait()
    libc.malloc(1000)
    gate.wait()
threads = [threading.Thread(target=need) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
"""


def heaps(*asked: str, **environment: str) -> int:
    clean = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    made = subprocess.run([sys.executable, "-c", HEAPS, *asked], capture_output=True, text=True, check=True, env={**clean, **environment})
    return made.stdout.count("<heap nr=")


@GLIBC
def test_a_process_has_one_heap_unless_the_administrator_wants_more() -> None:
    assert heaps("many") > 1
    assert heaps("one") == 1
    assert heaps("one", MALLOC_ARENA_MAX="6") > 1


HOLES = """
import ctypes
from phrasecheck.service.heap import give_back
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
blocks = [libc.malloc(100_000) for _ in range(2000)]  # under the size that malloc maps by itself
for block in blocks:
    ctypes.memset(block, 1, 100_000)
full = resident()
for block in blocks[:-1]:  # the last one keeps the top of the heap
    libc.free(ctypes.c_void_p(block))
before = resident()
give_back()
print(full - before, before - resident())
"""


@GLIBC
def test_free_memory_below_what_is_used_goes_back_to_the_system() -> None:
    made = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    by_itself, given_back = map(int, made.stdout.split())
    assert by_itself < 50_000_000
    assert given_back > 150_000_000
