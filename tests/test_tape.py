"""What is put on a tape comes back, a stretch at a time, and no more of it."""

import gc
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from phrasecheck.tape import BLOCK, FULL, Tape, blocks
from tests.sounds import noise

SOUND = np.stack([noise(2.0), -noise(2.0)], axis=1)


def recorded(*parts: slice) -> Tape:
    tape = Tape(channels=2)
    for part in parts:
        tape.add(SOUND[part])
    return tape


def test_channels_come_back_whole_and_in_stretches() -> None:
    left, right = recorded(slice(0, 100), slice(100, 100), slice(100, None)).tracks()
    assert len(left) == len(right) == len(SOUND)
    np.testing.assert_allclose(left[:], SOUND[:, 0], atol=0.5 / FULL)
    np.testing.assert_array_equal(right[:], -left[:])
    np.testing.assert_array_equal(left[90:110], left[:][90:110])
    np.testing.assert_array_equal(left[-10:], left[:][-10:])
    assert left[5:5].shape == left[10**9 :].shape == (0,)
    assert left[:10].dtype == np.float32
    with pytest.raises(ValueError, match="steps of 2"):
        left[::2]


def test_16_bit_samples_come_back_exactly() -> None:
    tape = Tape(channels=1)
    samples = np.arange(-FULL, FULL, dtype=np.float32) / np.float32(FULL)
    tape.add(samples[:, None])
    np.testing.assert_array_equal(tape.tracks()[0][:], samples)


def test_what_is_too_loud_is_clipped_and_what_is_no_number_is_silence() -> None:
    tape = Tape(channels=1)
    tape.add(np.array([[2.0], [-3.0], [np.nan], [np.inf], [-np.inf], [3e38]], np.float32))
    assert tape.tracks()[0][:].tolist() == pytest.approx([1.0, -1.0, 0.0, 0.0, 0.0, 1.0], abs=1e-4)


def test_blocks_are_the_whole() -> None:
    tape = Tape(channels=1)
    tape.add(np.tile(noise(2.0), 20)[:, None])
    (track,) = tape.tracks()
    lengths = [len(block) for block in blocks(track)]
    assert lengths == [BLOCK, len(track) - BLOCK]
    np.testing.assert_array_equal(np.concatenate(list(blocks(track))), track[:])


def test_an_empty_tape_has_no_sound() -> None:
    (track,) = Tape(channels=1).tracks()
    assert len(track) == 0
    assert list(blocks(track)) == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files the Linux way")
def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path.iterdir would count itself
    track = recorded(slice(None)).tracks()[0]
    assert len(track[:]) == len(SOUND)  # a track keeps its tape
    assert list(tmp_path.iterdir()) == []
    del track
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
