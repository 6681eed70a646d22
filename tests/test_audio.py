"""Every kind of file gives channels, a warning or a clear error."""

import hashlib
import re
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from phrasecheck.audio import decode, find_recordings
from phrasecheck.errors import AudioError, InputError
from phrasecheck.types import Samples
from tests.sounds import Floats, gsm_wav, noise, tone, write

SECONDS = 3.0


def stereo(rate: int) -> Floats:
    return np.stack([tone(SECONDS, 440, rate), tone(SECONDS, 880, rate)])


def pitch(samples: Samples) -> float:
    """The strongest frequency, hertz."""
    return float(np.argmax(np.abs(np.fft.rfft(samples))) / len(samples) * 16_000)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("pcm.wav", "pcm_s16le", 8_000),
        ("float.wav", "pcm_f32le", 48_000),
        ("alaw.wav", "pcm_alaw", 8_000),
        ("mulaw.wav", "pcm_mulaw", 8_000),
        ("adpcm.wav", "adpcm_ima_wav", 8_000),
        ("call.mp3", "libmp3lame", 44_100),
        ("call.flac", "flac", 22_050),
        ("call.m4a", "aac", 44_100),
        ("call.ogg", "libopus", 48_000),
        ("call.opus", "libopus", 48_000),
    ],
)
def test_stereo_of_any_kind_keeps_its_sides_length_and_pitch(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write(tmp_path / name, stereo(rate), rate, codec)
    audio = decode(path)
    assert [channel.name for channel in audio.channels] == ["left", "right"]
    assert audio.warnings == ()
    assert audio.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for channel, hertz in zip(audio.channels, (440, 880), strict=True):
        assert channel.samples.dtype == np.float32
        assert channel.seconds == pytest.approx(SECONDS, abs=0.1)
        assert pitch(channel.samples) == pytest.approx(hertz, abs=5)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("call.amr", "libopencore_amrnb", 8_000), ("cd.wav", "pcm_s16le", 44_100), ("mono.mp3", "libmp3lame", 8_000)],
)
def test_mono(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    (channel,) = decode(write(tmp_path / name, stereo(rate)[:1], rate, codec)).channels
    assert channel.name == "mono"
    assert pitch(channel.samples) == pytest.approx(440, abs=5)


def test_gsm(tmp_path: Path) -> None:
    (channel,) = decode(gsm_wav(tmp_path / "gsm.wav", 2)).channels
    assert channel.seconds == pytest.approx(2.0, abs=0.05)
    assert np.abs(channel.samples).max() <= 1.0


def test_four_channels_are_numbered(tmp_path: Path) -> None:
    sound = np.stack([tone(1, hertz, 8_000) for hertz in (300, 400, 500, 600)])
    channels = decode(write(tmp_path / "four.wav", sound, 8_000, "pcm_s16le")).channels
    assert [channel.name for channel in channels] == ["ch1", "ch2", "ch3", "ch4"]
    assert [round(pitch(channel.samples)) for channel in channels] == [300, 400, 500, 600]


@pytest.mark.parametrize(("name", "codec"), [("same.wav", "pcm_s16le"), ("same.mp3", "libmp3lame")])
def test_the_same_sound_on_both_sides_is_mono(tmp_path: Path, name: str, codec: str) -> None:
    voice = tone(SECONDS, 440, 44_100)
    audio = decode(write(tmp_path / name, np.stack([voice, voice]), 44_100, codec))
    assert [channel.name for channel in audio.channels] == ["mono"]
    assert "按单声道处理" in audio.warnings[0]


def test_crosstalk_does_not_make_two_sides_one(tmp_path: Path) -> None:
    left, right = stereo(8_000)
    audio = decode(write(tmp_path / "talk.wav", np.stack([left + 0.3 * right, right + 0.3 * left]), 8_000, "pcm_s16le"))
    assert len(audio.channels) == 2


def test_a_silent_side_is_named(tmp_path: Path) -> None:
    voice = tone(1, 440, 8_000)
    audio = decode(write(tmp_path / "half.wav", np.stack([voice, 0 * voice]), 8_000, "pcm_s16le"))
    assert audio.warnings == ("右声道全程没有声音。",)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("cut.wav", "pcm_s16le", 8_000),
        ("cut.wav", "pcm_alaw", 8_000),
        ("cut.mp3", "libmp3lame", 44_100),
        ("cut.flac", "flac", 8_000),
        ("cut.opus", "libopus", 48_000),
    ],
)
def test_a_truncated_file_is_used_as_far_as_it_goes(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write(tmp_path / name, stereo(rate) + noise(SECONDS, rate), rate, codec)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10 // 4 * 4])
    audio = decode(path)
    assert 0.9 < audio.seconds < 2.2
    assert "录音不完整" in audio.warnings[0]


def test_damage_inside_is_skipped_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.mp3", stereo(44_100), 44_100, "libmp3lame")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    audio = decode(path)
    assert audio.seconds > 2.2
    assert any("录音" in warning for warning in audio.warnings)


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_is_whole(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "pipe.wav", stereo(8_000), 8_000, "pcm_s16le")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = struct.pack("<I", length)
    path.write_bytes(data)
    audio = decode(path)
    assert audio.warnings == ()
    assert audio.seconds == pytest.approx(SECONDS, abs=0.01)


def test_the_content_counts_and_not_the_suffix(tmp_path: Path) -> None:
    write(tmp_path / "call.mp3", stereo(44_100), 44_100, "libmp3lame").rename(tmp_path / "call.wav")
    assert len(decode(tmp_path / "call.wav").channels) == 2


def test_a_tag_in_gbk_is_no_obstacle(tmp_path: Path) -> None:
    path = write(tmp_path / "tag.mp3", stereo(44_100), 44_100, "libmp3lame", title="AAAAAAAA")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"AAAAAAAA", "通话录音".encode("gbk")))
    assert decode(path).channels


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("text.wav", "这不是录音，只是改了后缀的文字。\n".encode() * 40, "不是能识别的录音"),
        ("empty.wav", b"", "文件是空的"),
        ("random.mp3", bytes(np.random.default_rng(7).bytes(20_000)), "不是能识别的录音"),
        ("list.wav", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n", "不是能识别的录音"),
        ("script.wav", b"ffconcat version 1.0\nfile call.wav\n", "不是能识别的录音"),
    ],
)
def test_what_is_no_recording_is_a_clear_error(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AudioError, match=told) as caught:
        decode(tmp_path / name)
    assert name in str(caught.value)


def test_a_header_without_sound_and_a_missing_file(tmp_path: Path) -> None:
    path = write(tmp_path / "head.wav", stereo(8_000), 8_000, "pcm_s16le")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(AudioError, match=r"head\.wav"):
        decode(path)
    with pytest.raises(AudioError, match=r"none\.wav"):
        decode(tmp_path / "none.wav")


def test_a_file_without_an_audio_track(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        frame = av.VideoFrame(64, 64, "yuv420p")
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with pytest.raises(AudioError, match="没有音轨"):
        decode(path)


def test_finding_files_folders_and_globs(tmp_path: Path) -> None:
    inner = tmp_path / "五月" / "甲组"
    inner.mkdir(parents=True)
    for file in (tmp_path / "a.wav", inner / "b.MP3", inner / "c.txt", inner / "._b.mp3", tmp_path / "d.bin"):
        file.touch()
    assert find_recordings([str(tmp_path)]) == sorted([tmp_path / "a.wav", inner / "b.MP3"])
    assert find_recordings([str(tmp_path / "*")]) == sorted([tmp_path / "a.wav", inner / "b.MP3"])
    assert find_recordings([str(tmp_path / "a.wav"), str(tmp_path / "*.wav")]) == [tmp_path / "a.wav"]
    assert find_recordings([str(tmp_path / "d.bin")]) == [tmp_path / "d.bin"]


@pytest.mark.parametrize("arg", ["none.wav", "*.flac", "bare", "*.txt"])
def test_finding_nothing_is_an_error(tmp_path: Path, arg: str) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "note.txt").touch()
    with pytest.raises(InputError, match=re.escape(arg)):
        find_recordings([str(tmp_path / arg)])
