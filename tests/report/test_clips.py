"""The sound inside a report."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from phrasecheck.audio import RATE, decode
from phrasecheck.report import clips
from phrasecheck.report.view import hit_views
from tests.report.samples import call_result, lexicon


def samples_of(uri: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    import av

    kind, _, coded = uri.partition(",")
    assert kind == "data:audio/mpeg;base64"
    with av.open(BytesIO(b64decode(coded)), "r") as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])


def test_the_whole_call_and_a_clip_for_each_hit(recording: Path) -> None:
    views = hit_views(call_result(), lexicon())
    sound = clips.embed(decode(recording), views)
    assert sound.call is not None
    assert len(samples_of(sound.call)) == pytest.approx(80 * RATE, abs=2000)
    assert len(sound.call) < 80 * 3000 * 4 / 3 * 1.1  # 3 kB a second, as base64
    for view in views:
        clip = sound.clips[view.number]
        assert clip.start == pytest.approx(view.start - 1.5)
        assert clip.end == pytest.approx(view.end + 1.5)
        assert len(samples_of(clip.uri)) == pytest.approx((clip.end - clip.start) * RATE, abs=2000)


def test_both_channels_are_heard_and_loud_enough(recording: Path) -> None:
    mono = clips.mixed(decode(recording))[:]
    assert np.abs(mono).max() == pytest.approx(clips.LOUDEST, abs=0.01)
    spectrum = np.abs(np.fft.rfft(mono[:RATE]))  # one second: a bin a hertz
    loudest = set(np.argsort(spectrum)[-2:].tolist())
    assert loudest == {220, 440}


def test_a_very_long_call_brings_its_clips_only(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "WHOLE_S", 60.0)
    sound = clips.embed(decode(recording), hit_views(call_result(), lexicon()))
    assert sound.call is None
    assert len(sound.clips) == 6
