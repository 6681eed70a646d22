"""A collection of broken and odd recordings. usage: python -m tests.broken_files FOLDER

Each is named for what is wrong with it; the first word says what is to come of it: `good` and `odd` files are heard whole, of `cut` ones what there
is, with a word that something is missing, and of `bad` ones nothing but a clear message.
"""

import os
import struct
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import numpy.typing as npt

from tests.sounds import Floats, amr_wb, gsm_wav, noise, tone, write

RATE = 8_000
SECONDS = 3.0


def sound(rate: int = RATE, count: int = 2) -> Floats:
    """A tone and a hiss of its own on each channel."""
    return np.stack([tone(SECONDS, 300 + 100 * index, rate) + noise(SECONDS, rate) for index in range(count)])


@cache
def encoded(suffix: str, codec: str, rate: int = RATE, count: int = 2, container: str | None = None, title: str = "") -> bytes:
    """A whole recording of this kind."""
    tags = {"title": title} if title else {}
    with TemporaryDirectory() as folder:
        return write(Path(folder) / f"call{suffix}", sound(rate, count), rate, codec, container, **tags).read_bytes()


@cache
def by_hand(made: Callable[[Path, int], Path]) -> bytes:
    """A whole recording that ffmpeg cannot write."""
    with TemporaryDirectory() as folder:
        return made(Path(folder) / "call", int(SECONDS)).read_bytes()


def wav() -> bytes:
    """PCM, 16 bit, stereo: a header of 44 bytes, the lengths at 4 and 40, then the samples."""
    return wav_of(np.rint(sound().T * 32_000).astype("<i2").tobytes())


def wav_of(data: bytes, tag: int = 1, count: int = 2, rate: int = RATE, bits: int = 16) -> bytes:
    """A wav that says this of `data`, whether it is true or not."""
    step = max(count * bits // 8, 1)
    head = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, tag, count, rate, rate * step % 2**32, step % 2**16, bits, b"data", len(data))
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(data)) + b"WAVE" + head + data


def at(data: bytes, place: int, value: bytes) -> bytes:
    """`data` with `value` at `place`."""
    return data[:place] + value + data[place + len(value) :]


def lengths(riff: int, samples: int) -> bytes:
    """The wav with these lengths in its header."""
    return at(at(wav(), 4, struct.pack("<I", riff)), 40, struct.pack("<I", samples))


def cut(data: bytes, share: float = 0.6) -> bytes:
    """The beginning of `data`, up to an odd byte."""
    return data[: int(len(data) * share) | 1]


def hole(data: bytes, size: int = 1500) -> bytes:
    """`data` with zeros in the middle."""
    return at(data, len(data) // 2, bytes(size))


def left() -> npt.NDArray[np.int16]:
    """The left channel of wav()."""
    return np.frombuffer(wav()[PCM], "<i2")[::2]


def archive() -> bytes:
    """A zip with a text in it."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("通话.txt", "不是录音" * 100)
    return buffer.getvalue()


def film() -> bytes:
    """An MP4 without sound."""
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        file.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def floats() -> bytes:
    """A float wav whose first samples are no numbers, infinite and far too large."""
    samples = sound().T.astype("<f4")
    samples[:9, 0] = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-40, np.nan, 7.0, -7.0]
    return wav_of(samples.tobytes(), tag=3, bits=32)


MP3: tuple[str, str, int] = (".mp3", "libmp3lame", 16_000)
OPUS: tuple[str, str, int] = (".opus", "libopus", 48_000)
PCM = slice(44, None)  # the samples of wav()

FILES: dict[str, Callable[[], bytes]] = {
    "good.wav": wav,
    "good.mp3": lambda: encoded(*MP3),
    # what is no recording
    "bad-empty.wav": lambda: b"",
    "bad-one-byte.wav": lambda: b"R",
    "bad-four-letters.wav": lambda: b"RIFF",
    "bad-nothing-but-zeros.wav": lambda: bytes(20_000),
    "bad-nothing-but-zeros.mp3": lambda: bytes(20_000),
    "bad-random-bytes.mp3": lambda: np.random.default_rng(1).bytes(20_000),
    "bad-text.wav": lambda: "这不是录音，只是改了后缀的文字。\n".encode() * 40,
    "bad-text-in-utf-16.wav": lambda: "录音文件不存在".encode("utf-16") * 40,
    "bad-login-page.mp3": lambda: b"<!DOCTYPE html><html><head><title>Login</title></head><body>" + b"<p>401</p>" * 200,
    "bad-answer-of-an-api.wav": lambda: b'{"code": 403, "message": "no permission", "data": null}',
    "bad-archive.wav": archive,
    "bad-picture.mp3": lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(range(256)) * 20,
    "bad-playlist.mp3": lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\ngood.mp3\n#EXT-X-ENDLIST\n",
    "bad-script.wav": lambda: b"ffconcat version 1.0\nfile good.wav\n",
    "bad-film-without-sound.mp4": film,
    # nothing in it that can be heard
    "bad-header-alone.wav": lambda: wav()[:44],
    "bad-one-sample.wav": lambda: wav_of(b"\x00\x10", count=1),
    "bad-half-a-header.wav": lambda: wav()[:30],
    "bad-header-alone.amr": lambda: b"#!AMR\n",
    "bad-header-alone.flac": lambda: encoded(".flac", "flac")[:42],
    "bad-tag-alone.mp3": lambda: b"ID3\x03\x00\x00\x00\x00\x0f\x76" + bytes(2038),
    "bad-first-page-alone.opus": lambda: encoded(*OPUS)[:47],
    "bad-index-missing.m4a": lambda: cut(encoded(".m4a", "aac", 16_000)),
    "bad-index-missing.3gp": lambda: cut(encoded(".3gp", "libopencore_amrnb", RATE, 1)),
    "bad-no-header-and-no-word-of-it.wav": lambda: encoded(".al", "pcm_alaw", RATE, 1, "alaw"),
    # a header that cannot be true
    "bad-format-missing.wav": lambda: at(wav(), 12, b"junk"),
    "bad-samples-missing.wav": lambda: wav()[:36] + b"LIST" + struct.pack("<I", 4) + b"INFO",
    "bad-rate-of-0.wav": lambda: wav_of(wav()[PCM], rate=0),
    "bad-rate-of-1-hertz.wav": lambda: wav_of(wav()[PCM], rate=1),
    "bad-rate-of-a-radio.wav": lambda: wav_of(wav()[PCM], rate=4_000_000_000),
    "bad-0-channels.wav": lambda: wav_of(wav()[PCM], count=0),
    "bad-200-channels.wav": lambda: wav_of(wav()[PCM], count=200),
    "bad-codec-that-nobody-knows.wav": lambda: wav_of(wav()[PCM], tag=0x7777),
    "bad-body-of-random-bytes.flac": lambda: encoded(".flac", "flac")[:42] + np.random.default_rng(1).bytes(9_000),
    # broken off
    "cut-in-a-sample.wav": lambda: cut(wav()),
    "cut-alaw.wav": lambda: cut(encoded(".wav", "pcm_alaw")),
    "cut-adpcm.wav": lambda: cut(encoded(".wav", "adpcm_ima_wav")),
    "cut-gsm.wav": lambda: cut(by_hand(gsm_wav)),
    "cut.mp3": lambda: cut(encoded(*MP3)),
    "cut.flac": lambda: cut(encoded(".flac", "flac")),
    "cut.opus": lambda: cut(encoded(*OPUS)),
    "cut.aac": lambda: cut(encoded(".aac", "aac", 16_000)),
    "cut-without-a-frame-count.mp3": lambda: cut(encoded(*MP3).replace(b"Info", bytes(4))),
    "cut-out-of-the-middle.opus": lambda: hole(encoded(*OPUS)),
    "cut.amr": lambda: cut(encoded(".amr", "libopencore_amrnb", RATE, 1)),
    "cut-wide.amr": lambda: cut(by_hand(amr_wb)),
    "cut.wma": lambda: cut(encoded(".wma", "wmav2", 44_100)),
    "cut.webm": lambda: cut(encoded(".webm", "libopus", 48_000)),
    "cut-to-a-tenth.wav": lambda: cut(wav(), 0.1),
    # odd, and yet all there
    "odd-mp3-called.wav": lambda: encoded(*MP3),
    "odd-wav-called.mp3": wav,
    "odd-opus-called.amr": lambda: encoded(*OPUS),
    "odd-m4a-called.wma": lambda: encoded(".m4a", "aac", 16_000),
    "odd-length-of-0.wav": lambda: lengths(0, 0),
    "odd-length-of-a-stream.wav": lambda: lengths(0xFFFFFFFF, 0xFFFFFFFF),
    "odd-length-that-counts-the-header.wav": lambda: at(wav(), 4, struct.pack("<I", len(wav()))),
    "odd-length-from-long-before-the-end.wav": lambda: lengths(8_036, 8_000),
    "odd-rubbish-behind-the-end.wav": lambda: wav() + np.random.default_rng(1).bytes(3_000),
    "odd-rubbish-before-the-start.mp3": lambda: np.random.default_rng(1).bytes(700) + encoded(*MP3),
    "odd-hole.wav": lambda: hole(wav()),
    "odd-hole.mp3": lambda: hole(encoded(*MP3)),
    "odd-hole.flac": lambda: hole(encoded(".flac", "flac")),
    "odd-not-a-number-and-infinity.wav": floats,
    "odd-16-channels.wav": lambda: encoded(".wav", "pcm_s16le", RATE, 16),
    "odd-digital-silence.wav": lambda: wav_of(bytes(32_000)),
    "odd-one-side-silent.wav": lambda: wav_of(np.stack([left(), 0 * left()], axis=1).tobytes()),
    "odd-both-sides-the-same.wav": lambda: wav_of(np.stack([left(), left()], axis=1).tobytes()),
    "odd-without-a-frame-count.mp3": lambda: encoded(*MP3).replace(b"Info", bytes(4)),
    "odd-tag-at-the-end.mp3": lambda: encoded(*MP3).replace(b"Info", bytes(4)) + b"TAG" + bytes(125),
    "odd-tag-in-gbk.mp3": lambda: encoded(*MP3, title="AAAAAAAA").replace(b"AAAAAAAA", "通话录音".encode("gbk")),
    # odd names
    "odd-SUFFIX-IN-CAPITALS.WAV": wav,
    "odd-[bold]-in-brackets.wav": wav,
    "odd-=1+1.wav": wav,
    "odd-line\nbreak-and-bell\x07.wav": wav,
    "odd-中文名字 和空格.wav": wav,
    f"odd-{'很长的名字' * 16}.wav": wav,
    os.fsdecode(b"odd-name-in-gbk-" + "通话录音".encode("gbk") + b".wav"): wav,
}


def make(folder: Path) -> list[Path]:
    """All of them in `folder`; a name that the file system does not take is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, data in FILES.items():
        try:
            (folder / name).write_bytes(data())
        except OSError as error:
            print(f"{name!r} was not made: {error}", file=sys.stderr)
        else:
            made.append(folder / name)
    return made


if __name__ == "__main__":
    print(f"{len(make(Path(sys.argv[1])))} files in {sys.argv[1]}")
