"""How many heaps a process with many threads has."""

import os
import subprocess
import sys

import pytest

HEAPS = """
import ctypes, os, sys, threading
from phrasecheck.service.heap import few_heaps
if sys.argv[1] == "few":
    few_heaps()
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


@pytest.mark.skipif(not hasattr(os, "confstr") or "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""), reason="not glibc")
def test_a_process_has_few_heaps_unless_the_administrator_wants_more() -> None:
    assert heaps("many") > 2
    assert heaps("few") <= 2
    assert heaps("few", MALLOC_ARENA_MAX="6") > 2
