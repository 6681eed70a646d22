"""What telephone systems send, read as ffmpeg reads it."""

from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest

from phrasecheck.errors import InputError
from phrasecheck.live.sound import RATE, Cutter, Format, Upsampler
from tests.sounds import tone

TASKS = Path("/proc/self/task")  # one entry a thread


@pytest.mark.parametrize(("ours", "theirs"), [("alaw", "pcm_alaw"), ("ulaw", "pcm_mulaw")])
def test_every_byte_means_what_it_means_to_ffmpeg(ours: Any, theirs: str) -> None:
    codec: Any = av.CodecContext.create(theirs, "r")
    codec.sample_rate, codec.layout = 8000, "mono"
    (frame,) = codec.decode(av.Packet(bytes(range(256))))
    np.testing.assert_array_equal(Format(encoding=ours).pcm(bytes(range(256)))[:, 0], frame.to_ndarray().reshape(-1))


def test_pcm_is_interleaved() -> None:
    pcm = Format(channels=2).pcm(b"\x01\x00\xff\xff\x02\x00\xfe\xff")
    assert pcm.tolist() == [[1, -1], [2, -2]]


def test_bytes_cut_in_the_middle_of_a_sample_wait() -> None:
    cut = Cutter(4)
    assert [cut(b"abc"), cut(b"defgh"), cut(b"")] == [b"", b"abcdefgh", b""]


@pytest.mark.parametrize("wrong", [{"encoding": "opus"}, {"rate": 44_100}, {"channels": 3}, {"channels": 0}])
def test_what_cannot_be_read_is_refused_with_what_is_expected(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="应为"):
        Format(**wrong)


def test_upsampling_piece_by_piece_leaves_no_seams() -> None:
    sound = (tone(1.0, 440.0, 8000) * 32_767).astype(np.int16)
    whole = Upsampler(8000)(sound)
    pieces = Upsampler(8000)
    made = np.concatenate([pieces(sound[start : start + 160]) for start in range(0, len(sound), 160)])
    shared = min(len(whole), len(made))
    assert shared > RATE - 500
    np.testing.assert_allclose(made[:shared], whole[:shared], atol=1e-6)


def test_a_channel_sounds_as_a_recording_does_and_costs_no_thread() -> None:
    pcm = (tone(1.0, 440.0, 8000) * 32_767).astype(np.int16)
    threads = len(list(TASKS.iterdir()))
    upsampler = Upsampler(8000)
    made = upsampler(pcm)
    assert len(list(TASKS.iterdir())) == threads
    frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), "s16", "mono")
    frame.sample_rate = 8000
    of_recordings = av.AudioResampler(format="flt", layout="mono", rate=RATE).resample(frame)
    np.testing.assert_array_equal(made, np.concatenate([out.to_ndarray().reshape(-1) for out in of_recordings]))


def test_sixteen_kilohertz_pass_unchanged() -> None:
    given = np.array([0, 16_384, -32_768], np.int16)
    assert cast(list[float], Upsampler(RATE)(given).tolist()) == [0.0, 0.5, -1.0]
