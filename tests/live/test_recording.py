"""A call as a recording that grows."""

import wave
from pathlib import Path

import numpy as np
import pytest

from phrasecheck.live.recording import Recording, abandoned, agent_channel, places
from phrasecheck.live.sound import Format
from phrasecheck.types import Speaker

A, C, U = Speaker.AGENT, Speaker.CUSTOMER, Speaker.UNSURE


def read(path: Path) -> tuple[int, list[list[int]]]:
    with wave.open(str(path)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return file.getframerate(), frames.T.tolist()


def pcm(*values: int) -> bytes:
    return np.array(values, "<i2").tobytes()


def test_it_is_whole_after_every_write(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "new" / "a.wav", Format(rate=8000, channels=2), (A, C))
    recording.write(pcm(1, 2, 3))  # a frame and a half
    assert read(recording.path) == (8000, [[1], [2]])
    assert not abandoned(recording.path)
    recording.write(pcm(4))
    assert read(recording.path) == (8000, [[1, 3], [2, 4]])
    assert recording.close() == pytest.approx(2 / 8000)
    assert abandoned(recording.path)
    assert not abandoned(tmp_path / "never.wav")


def test_channels_that_come_one_by_one_stay_in_step(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.wav", Format(rate=8000, channels=2), (C, A))
    recording.write(pcm(1, 2, 3), 0)
    recording.write(pcm(7), 1)
    assert read(recording.path)[1] == [[1], [7]]
    recording.write(pcm(8), 1)
    recording.close()
    assert read(recording.path)[1] == [[1, 2, 3], [7, 8, 0]]


def test_a_channel_that_stays_away_is_silent_and_what_comes_too_late_is_dropped(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.wav", Format(rate=8000, channels=2), (C, A))
    recording.write(pcm(*[1] * 50_000), 0)
    assert len(read(recording.path)[1][0]) == 10_000  # five seconds may still come
    recording.write(pcm(*[9] * 10_000, *[5] * 40_000), 1)
    recording.close()
    left, right = read(recording.path)[1]
    assert left == [1] * 50_000
    assert right == [0] * 10_000 + [5] * 40_000


@pytest.mark.parametrize(
    ("channels", "placed", "told"),
    [((A, C), (0, 1), "left"), ((C, A), (0, 1), "right"), ((A,), (0,), "left"), ((C,), (1,), "left"), ((U,), (), "auto")],
)
def test_sides(tmp_path: Path, channels: tuple[Speaker, ...], placed: tuple[int, ...], told: str) -> None:
    assert (places(channels), agent_channel(channels)) == (placed, told)
    recording = Recording(tmp_path / "a.wav", Format(rate=8000, channels=len(channels)), channels)
    recording.write(pcm(*range(1, 1 + len(channels))))
    recording.close()
    sides = read(recording.path)[1]
    assert len(sides) == (2 if placed else 1)
    assert [sides[at][0] for at in placed or (0,)] == list(range(1, 1 + len(channels)))
