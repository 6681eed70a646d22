"""What headers say is believed where they say something; tests/test_audio.py and tests/broken_files.py hold the rest against real files."""

import struct
from pathlib import Path

import pytest

from phrasecheck.headers import SLACK, STALE, breaks_off, goes_on, is_raw, is_short


def wav(path: Path, said: int, held: int) -> Path:
    """A wav whose header says `said` bytes of a file of `held`."""
    path.write_bytes((b"RIFF" + struct.pack("<I", said - 8) + b"WAVE").ljust(held, b"\0"))
    return path


@pytest.mark.parametrize(
    ("said", "held", "broken", "longer"),
    [
        (1000, 1000, False, False),
        (1000 + SLACK, 1000, False, False),
        (1001 + SLACK, 1000, True, False),
        (0xFFFFFFFF, 1000, False, False),
        (1000, 1000 + STALE, False, False),
        (1000, 1001 + STALE, False, True),
    ],
)
def test_the_length_of_a_wav(tmp_path: Path, said: int, held: int, broken: bool, longer: bool) -> None:
    path = wav(tmp_path / "call.wav", said, held)
    assert (breaks_off(path), goes_on(path)) == (broken, longer)


@pytest.mark.parametrize(("flags", "broken"), [(0, True), (4, False)])
def test_the_last_page_of_an_ogg(tmp_path: Path, flags: int, broken: bool) -> None:
    path = tmp_path / "call.opus"
    path.write_bytes(b"OggS\0\2" + bytes(100) + b"OggS\0" + bytes([flags]) + bytes(100))
    assert breaks_off(path) == broken


@pytest.mark.parametrize(
    ("name", "head", "raw"),
    [
        ("a.wav", b"RIFF", False),
        ("a.raw", b"fLaC", False),
        ("a.al", b"\0\0\0\x20ftypM4A ", False),
        ("a.wav", b"\xd5\x55\xd5\x55", True),
        ("a.pcm", b"", True),
        ("a.MP3", b"\xff\xfb\x90\x64", False),  # nothing but the suffix tells it from mu-law
        ("a.ul", b"\xff\xfb\x90\x64", True),
    ],
)
def test_a_known_mark_or_a_suffix_that_has_none_is_a_header(tmp_path: Path, name: str, head: bytes, raw: bool) -> None:
    (tmp_path / name).write_bytes(head.ljust(40, b"\x55"))
    assert is_raw(tmp_path / name) == raw


def test_the_last_frame_of_an_mp3() -> None:
    whole, padded, other = b"\xff\xfb\x90".ljust(417, b"\0"), b"\xff\xfb\x92".ljust(418, b"\0"), b"\xff\xfb\x50".ljust(209, b"\0")
    assert not is_short(whole, padded)
    assert not is_short(other, whole)  # of a lower bit rate
    assert is_short(whole[:300], padded)
    assert not is_short(b"", b"")
    assert not is_short(b"\xff\xfb", whole)
