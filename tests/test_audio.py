"""Every kind of file gives channels, a warning or a clear error."""

import errno
import hashlib
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest

from phrasecheck.audio import decode, find_recordings, spelled
from phrasecheck.errors import AudioError, InputError
from phrasecheck.settings import AudioSettings
from phrasecheck.tape import Tape
from phrasecheck.types import Channel
from tests.sounds import Floats, amr_wb, gsm, gsm_wav, noise, tone, write

RawKind = Literal["alaw", "ulaw", "s16le"]

SECONDS = 3.0


def stereo(rate: int) -> Floats:
    return np.stack([tone(SECONDS, 440, rate), tone(SECONDS, 880, rate)])


def pitch(channel: Channel) -> float:
    """The strongest frequency, hertz."""
    samples = channel.samples[:]
    return float(np.argmax(np.abs(np.fft.rfft(samples))) / len(samples) * 16_000)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("pcm.wav", "pcm_s16le", 8_000),
        ("8-bit.wav", "pcm_u8", 8_000),
        ("24-bit.wav", "pcm_s24le", 16_000),
        ("32-bit.wav", "pcm_s32le", 48_000),
        ("float.wav", "pcm_f32le", 48_000),
        ("alaw.wav", "pcm_alaw", 8_000),
        ("mulaw.wav", "pcm_mulaw", 8_000),
        ("adpcm-ima.wav", "adpcm_ima_wav", 8_000),
        ("adpcm-ms.wav", "adpcm_ms", 8_000),
        ("adpcm-yamaha.wav", "adpcm_yamaha", 8_000),
        ("mp3-in.wav", "libmp3lame", 16_000),
        ("call.w64", "pcm_s16le", 8_000),
        ("call.au", "pcm_mulaw", 8_000),
        ("call.aiff", "pcm_s16be", 44_100),
        ("call.caf", "pcm_alaw", 8_000),
        ("call.mp3", "libmp3lame", 44_100),
        ("call.flac", "flac", 22_050),
        ("call.m4a", "aac", 44_100),
        ("lossless.m4a", "alac", 16_000),
        ("call.mp4", "aac", 16_000),
        ("call.aac", "aac", 16_000),
        ("vorbis.ogg", "vorbis", 48_000),
        ("opus.ogg", "libopus", 48_000),
        ("call.opus", "libopus", 16_000),
        ("call.webm", "libopus", 48_000),
        ("call.mka", "pcm_s16le", 8_000),
        ("call.wma", "wmav2", 44_100),
        ("old.wma", "wmav1", 22_050),
    ],
)
def test_stereo_of_any_kind_keeps_its_sides_length_and_pitch(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write(tmp_path / name, stereo(rate), rate, codec)
    audio = decode(path)
    assert [channel.name for channel in audio.channels] == ["left", "right"]
    assert audio.warnings == ()
    assert audio.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for channel, hertz in zip(audio.channels, (440, 880), strict=True):
        assert channel.seconds == pytest.approx(SECONDS, abs=0.2)  # MP3 in a wav knows nothing of its padding
        assert pitch(channel) == pytest.approx(hertz, abs=5)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("call.amr", "libopencore_amrnb", 8_000),
        ("call.3gp", "libopencore_amrnb", 8_000),
        ("g726.wav", "g726", 8_000),
        ("g722.wav", "g722", 16_000),
        ("call.wma", "wmav2", 8_000),
        ("call.mp3", "libmp3lame", 8_000),
        ("call.opus", "libopus", 8_000),
    ],
)
def test_mono(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    audio = decode(write(tmp_path / name, stereo(rate)[:1], rate, codec))
    assert [channel.name for channel in audio.channels] == ["mono"]
    assert audio.warnings == ()
    assert pitch(audio.channels[0]) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("rate", [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
def test_any_sample_rate(tmp_path: Path, rate: int) -> None:
    audio = decode(write(tmp_path / "call.wav", stereo(rate), rate, "pcm_s16le"))
    assert audio.seconds == pytest.approx(SECONDS, abs=0.01)
    assert [round(pitch(channel)) for channel in audio.channels] == [440, 880]


@pytest.mark.parametrize(("name", "made"), [("gsm.wav", gsm_wav), ("call.gsm", gsm), ("wide.amr", amr_wb)])
def test_what_ffmpeg_cannot_write(tmp_path: Path, name: str, made: Callable[[Path, int], Path]) -> None:
    audio = decode(made(tmp_path / name, 2))
    assert audio.warnings == ()
    assert [channel.name for channel in audio.channels] == ["mono"]
    assert audio.seconds == pytest.approx(2.0, abs=0.05)
    assert 0.01 < np.abs(audio.channels[0].samples[:]).max() <= 1.0


@pytest.mark.parametrize(("name", "codec"), [("four.wav", "pcm_s16le"), ("four.wav", "pcm_alaw"), ("four.flac", "flac")])
def test_four_channels_are_numbered(tmp_path: Path, name: str, codec: str) -> None:
    sound = np.stack([tone(1, hertz, 8_000) for hertz in (300, 400, 500, 600)])
    channels = decode(write(tmp_path / name, sound, 8_000, codec)).channels
    assert [channel.name for channel in channels] == ["ch1", "ch2", "ch3", "ch4"]
    assert [round(pitch(channel)) for channel in channels] == [300, 400, 500, 600]


@pytest.mark.parametrize("count", [3, 8, 9, 16])
def test_more_channels_than_anybody_has(tmp_path: Path, count: int) -> None:
    sound = np.stack([tone(1, 300 + 100 * index, 8_000) for index in range(count)])
    channels = decode(write(tmp_path / "many.wav", sound, 8_000, "pcm_s16le")).channels
    assert [round(pitch(channel)) for channel in channels] == [300 + 100 * index for index in range(count)]


RAW = [("alaw", "pcm_alaw", "alaw"), ("ulaw", "pcm_mulaw", "mulaw"), ("s16le", "pcm_s16le", "s16le")]


@pytest.mark.parametrize(("kind", "codec", "container"), RAW)
@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_file_without_a_header_is_what_the_user_says(
    tmp_path: Path, kind: RawKind, codec: str, container: str, rate: int, count: int
) -> None:
    sound = np.stack([tone(1, 300 + 100 * index, rate) for index in range(count)])
    path = write(tmp_path / "call.raw", sound, rate, codec, container)
    audio = decode(path, AudioSettings(raw=kind, raw_rate=rate, raw_channels=count))
    assert audio.warnings == ()
    assert audio.seconds == pytest.approx(1.0, abs=0.01)
    assert [round(pitch(channel)) for channel in audio.channels] == [300 + 100 * index for index in range(count)]


def test_a_file_with_a_header_is_what_its_header_says(tmp_path: Path) -> None:
    raw = AudioSettings(raw="alaw", raw_channels=1)
    for name, codec in (("pcm.wav", "pcm_s16le"), ("call.mp3", "libmp3lame"), ("wav-called.raw", "pcm_s16le")):
        container = "wav" if name.endswith("raw") else None
        audio = decode(write(tmp_path / name, stereo(16_000), 16_000, codec, container), raw)
        assert [round(pitch(channel)) for channel in audio.channels] == [440, 880]
    # here the suffix promises a header, and the bytes do not keep it
    bare = write(tmp_path / "bare.wav", tone(1, 440, 8_000)[None], 8_000, "pcm_alaw", "alaw")
    assert pitch(decode(bare, raw).channels[0]) == pytest.approx(440, abs=5)


@pytest.mark.parametrize(("kind", "codec", "container"), RAW)
def test_without_a_word_from_the_user_the_message_says_how_to_give_it(tmp_path: Path, kind: str, codec: str, container: str) -> None:
    path = write(tmp_path / f"call.{kind}", tone(2, 440, 8_000)[None] + noise(2, 8_000), 8_000, codec, container)
    with pytest.raises(AudioError, match="--raw"):
        decode(path)


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
        ("cut.aac", "aac", 16_000),
        ("cut.wma", "wmav2", 44_100),
        ("cut.webm", "libopus", 48_000),
        ("cut.w64", "pcm_s16le", 8_000),
        ("cut.au", "pcm_mulaw", 8_000),
    ],
)
def test_a_truncated_file_is_used_as_far_as_it_goes(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write(tmp_path / name, stereo(rate) + noise(SECONDS, rate), rate, codec)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10 // 4 * 4])
    audio = decode(path)
    assert 0.9 < audio.seconds < 2.2
    assert "录音不完整" in audio.warnings[0]


@pytest.mark.parametrize(("name", "made"), [("cut.wav", gsm_wav), ("cut.gsm", gsm), ("cut.amr", amr_wb)])
def test_a_truncated_file_of_bare_frames(tmp_path: Path, name: str, made: Callable[[Path, int], Path]) -> None:
    path = made(tmp_path / name, 2)
    path.write_bytes(path.read_bytes()[:1001])
    audio = decode(path)
    assert 0.5 < audio.seconds < 1.0
    assert "录音不完整" in audio.warnings[0]


def test_a_whole_file_is_not_called_incomplete(tmp_path: Path) -> None:
    """ffmpeg guesses the length of bare AAC from its first, quiet frames: 227 s for these 20."""
    quiet_first = np.concatenate([np.zeros(44_100 * 10, np.float32), noise(10, 44_100, 0.3)])[None]
    assert decode(write(tmp_path / "call.aac", quiet_first, 44_100, "aac")).warnings == ()


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


def test_a_header_that_counts_itself_is_no_cut(tmp_path: Path) -> None:
    """Some recorders write the length of the file where the length of what follows belongs."""
    path = write(tmp_path / "call.wav", stereo(8_000), 8_000, "pcm_alaw")
    data = bytearray(path.read_bytes())
    data[4:8] = struct.pack("<I", len(data))
    path.write_bytes(data)
    assert decode(path).warnings == ()


def test_a_header_older_than_the_recording_hides_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav", np.tile(stereo(8_000), 4), 8_000, "pcm_s16le")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8], data[at : at + 4] = struct.pack("<I", 36 + 32_000), struct.pack("<I", 32_000)
    path.write_bytes(data)
    assert decode(path).seconds == pytest.approx(4 * SECONDS, abs=0.01)


@pytest.mark.parametrize(("rate", "count"), [(1, 1), (999_999, 1), (8_000, 0), (8_000, 200)])
def test_a_header_that_cannot_be_true_is_refused(tmp_path: Path, rate: int, count: int) -> None:
    path = write(tmp_path / "call.wav", tone(1, 440, 8_000)[None], 8_000, "pcm_s16le")
    data = bytearray(path.read_bytes())
    data[22:24], data[24:28] = struct.pack("<H", count), struct.pack("<I", rate)
    path.write_bytes(data)
    with pytest.raises(AudioError, match=r"call\.wav"):
        decode(path)


def test_no_room_for_the_sound_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Tape, block: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = write(tmp_path / "call.wav", stereo(8_000), 8_000, "pcm_s16le")
    monkeypatch.setattr(Tape, "add", full)
    with pytest.raises(AudioError, match=r"call\.wav：临时文件夹 .*TMPDIR"):
        decode(path)


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


def test_files_without_a_header_are_found_when_they_can_be_read(tmp_path: Path) -> None:
    for name in ("a.wav", "b.PCM", "c.alaw"):
        (tmp_path / name).touch()
    assert [path.name for path in find_recordings([str(tmp_path)])] == ["a.wav"]
    assert [path.name for path in find_recordings([str(tmp_path)], AudioSettings(raw="alaw"))] == ["a.wav", "b.PCM", "c.alaw"]


def test_names_that_are_no_text_are_spelled() -> None:
    assert spelled(Path("录音/a b.wav")) == "录音/a b.wav"
    assert spelled(Path("录音") / os.fsdecode("通话录音.wav".encode("gbk"))) == "录音/通话录音.wav"
    assert spelled(Path(os.fsdecode(b"\xff\xff.wav"))).encode()
    assert spelled(Path("a\x07b\n.wav")) == "a\ufffdb\ufffd.wav"


@pytest.mark.parametrize("arg", ["none.wav", "*.flac", "bare", "*.txt"])
def test_finding_nothing_is_an_error(tmp_path: Path, arg: str) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "note.txt").touch()
    with pytest.raises(InputError, match=re.escape(arg)):
        find_recordings([str(tmp_path / arg)])
