"""A recording -> its channels at 16 kHz, whatever the file calls itself.

In: a path, and what files without a header are. Out: Audio, with a Chinese warning for everything odd. The one decision: what can be heard is
used. A file that breaks off gives what there is of it and says so; only a file in which nothing can be heard is an AudioError.
"""

import glob
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np

from phrasecheck.errors import AudioError, InputError
from phrasecheck.headers import breaks_off, goes_on, is_raw, is_short, promised
from phrasecheck.settings import AudioSettings
from phrasecheck.tape import Tape, blocks
from phrasecheck.types import Audio, Channel, Track

RATE = 16_000
AUDIO_SUFFIXES = frozenset(
    {".wav", ".mp3", ".flac", ".m4a", ".mp4", ".aac", ".ogg", ".oga", ".opus", ".amr", ".3gp", ".wma", ".gsm", ".au"}
    | {".aif", ".aiff", ".caf", ".w64", ".webm", ".mka"}
)
# What ffmpeg may take a file for. Its playlist and script formats stay out: they would open other files and addresses on a user's behalf.
FORMATS = ("wav", "w64", "mp3", "flac", "ogg", "mov", "aac", "amr", "amrnb", "amrwb", "asf", "gsm", "au", "aiff", "caf", "matroska")
OPTIONS = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
RAW_SUFFIXES = frozenset({".raw", ".pcm", ".al", ".alaw", ".ul", ".ulaw", ".g711"})
RAW_FORMATS = {"alaw": "alaw", "ulaw": "mulaw", "s16le": "s16le"}  # our name -> ffmpeg's
RATES, CHANNELS = range(4_000, 384_001), range(1, 17)  # outside these a header is broken; a rate of 1 Hz would make days of seconds
DEFAULT = AudioSettings()
NAMES = {1: ("mono",), 2: ("left", "right")}
LAYOUTS = {1: "mono", 2: "stereo"}  # ffmpeg's names
AUDIBLE = 1e-4  # -80 dB
SHORTEST_S = 0.1  # less is no sound, but what a decoder makes of a text that happens to begin like a recording
SAME = 0.01  # channels are one when they differ by this part of the sound (-40 dB): more than a codec does, less than any crosstalk
MISSING_S = 0.5  # a header that promises this much more than was found belongs to a truncated file ...
MISSING_SHARE = 0.01  # ... if it is also this share of the whole (headers of MP3 and AAC round up)


@dataclass(slots=True)
class _Heard:
    """What decoding has come to: the sound at 16 kHz, and what went wrong on the way."""

    tape: Tape | None = None  # None: no sound
    promised_s: float | None = None
    damaged: int = 0  # packets that could not be decoded, with sound after them
    cut: bool = False  # the file ends in the middle of a packet


def decode(path: Path, settings: AudioSettings = DEFAULT) -> Audio:
    """All channels of `path` at 16 kHz, named left and right, or mono, or ch1, ch2, ch3 ...; `sha256` is that of the file.

    A stereo file with the same sound on both sides comes back as mono, with a warning. Raises AudioError (Chinese, naming the file).
    """
    digest = _sha256(path)
    heard = _read(path, settings)
    seconds = len(heard.tape) / RATE if heard.tape is not None else 0.0
    if heard.tape is None or seconds < SHORTEST_S:
        raise AudioError(f"{spelled(path)}：应为录音，但里面没有可听的声音（{seconds:.2f} 秒）。请确认文件完整、确是录音后重新导出。")
    warnings = _damage(heard, seconds)
    tracks: Sequence[Track] = heard.tape.tracks()
    if len(tracks) == 2 and _same(*tracks):
        tracks = tracks[:1]
        warnings.append("左右声道内容相同，按单声道处理，无法按声道区分坐席与客户。")
    names = NAMES.get(len(tracks)) or tuple(f"ch{index + 1}" for index in range(len(tracks)))
    made = tuple(Channel(name=name, samples=track) for name, track in zip(names, tracks, strict=True))
    return Audio(channels=made, sha256=digest, warnings=(*warnings, *_silent(made)))


def spelled(path: Path) -> str:
    """`path` as text that can be printed and stored. A name that is not UTF-8 is read as GBK, the way Windows archives bring it."""
    return str(Path(*map(_part, path.parts)))


def _part(part: str) -> str:
    data = os.fsencode(part)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def find_recordings(args: Sequence[str], settings: AudioSettings = DEFAULT) -> list[Path]:
    """The recordings meant by files, folders (searched all the way down) and globs, sorted, each once.

    A file named outright is taken whatever its suffix. Raises InputError for a path that does not exist or holds no recording.
    """
    suffixes = AUDIO_SUFFIXES | RAW_SUFFIXES if settings.raw else AUDIO_SUFFIXES
    return sorted({path for arg in args for path in _found(arg, suffixes)})


def _found(arg: str, suffixes: frozenset[str]) -> list[Path]:
    path = Path(arg).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if _is_recording(file, suffixes)]
    else:
        hits = [Path(hit) for hit in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - Path.glob takes no absolute patterns
        if not hits:
            raise InputError(f"找不到 {arg}：应为录音文件、文件夹或通配符（如 calls/*.wav），请检查路径。")
        found = [file for hit in hits for file in (hit.rglob("*") if hit.is_dir() else [hit]) if _is_recording(file, suffixes)]
    if not found:
        raise InputError(f"{arg} 里没有录音：应有后缀为 {' '.join(sorted(suffixes))} 的文件。")
    return found


def _is_recording(path: Path, suffixes: frozenset[str]) -> bool:
    return path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise AudioError(f"{spelled(path)}：读不了这个文件（{error.strerror or error}）。请检查路径和权限。") from error
    if size == 0:
        raise AudioError(f"{spelled(path)}：文件是空的（0 字节）。请重新导出录音。")
    return digest


def _read(path: Path, settings: AudioSettings) -> _Heard:
    import av

    try:
        with _open(path, settings) as container:
            _check(container, path)
            heard = _Heard(promised_s=promised(container, path), cut=breaks_off(path))
            for block in _blocks(container, heard):
                if heard.tape is None:
                    heard.tape = Tape(block.shape[1])
                heard.tape.add(block)
            return heard
    except av.error.FFmpegError as error:
        raise AudioError(
            f"{spelled(path)}：不是能识别的录音（{error.strerror}）。支持 wav、mp3、flac、m4a、ogg、opus、amr、wma 等，请确认文件完整、确是录音；"
            "没有文件头的 G.711 或 PCM 须用 --raw 指明格式。"
        ) from error
    except OSError as error:
        raise AudioError(
            f"{spelled(path)}：临时文件夹 {gettempdir()} 放不下解码后的声音（{error.strerror}）。请腾出空间，或用环境变量 TMPDIR 换一个文件夹。"
        ) from error


def _check(container: Any, path: Path) -> None:
    if not container.streams.audio:
        raise AudioError(f"{spelled(path)}：文件里没有音轨，应为通话录音。")
    codec = container.streams.audio[0].codec_context
    if codec is None:
        raise AudioError(f"{spelled(path)}：不认识它的编码。请用播放器转成 wav、mp3 或 flac 后再试。")
    if codec.sample_rate not in RATES or codec.channels not in CHANNELS:
        raise AudioError(
            f"{spelled(path)}：文件头有误，写着 {codec.sample_rate} Hz、{codec.channels} 个声道；"
            f"应为 {RATES[0]} 到 {RATES[-1]} Hz、1 到 {CHANNELS[-1]} 个声道。请重新导出。"
        )


def _open(path: Path, settings: AudioSettings) -> Any:
    """The file as a PyAV container, by its own header or, where it has none, as the settings say."""
    import av

    if settings.raw and is_raw(path):
        options = {"sample_rate": str(settings.raw_rate), "ch_layout": LAYOUTS.get(settings.raw_channels, f"{settings.raw_channels}C")}
        return av.open(str(path), format=RAW_FORMATS[settings.raw], options=options)
    options = OPTIONS | {"ignore_length": "1"} if goes_on(path) else OPTIONS
    # tags in GBK, as old recorders write them, are not worth failing for
    return av.open(str(path), metadata_errors="ignore", options=options)


def _blocks(container: Any, heard: _Heard) -> Iterator[Any]:
    """Decoded sound, blocks of (samples, channels). The layout of the first frame holds for the whole file, so that every block has as many
    channels. Interleaved, because PyAV reads planes beyond the seventh from nowhere and crashes."""
    import av

    resampler, source, layout, channels = None, None, None, 0
    for frame in _frames(container, heard):
        if frame.sample_rate not in RATES:
            heard.damaged += 1
            continue
        if resampler is None or source != (frame.format.name, frame.layout.name, frame.sample_rate):
            layout = layout or frame.layout
            channels = layout.nb_channels
            source = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = av.AudioResampler(format="flt", layout=layout, rate=RATE)
        frame.pts = None  # gaps in broken time stamps are no reason to stop
        yield from (out.to_ndarray().reshape(-1, channels) for out in resampler.resample(frame))
    if resampler is not None:
        yield from (out.to_ndarray().reshape(-1, channels) for out in resampler.resample(None))


def _frames(container: Any, heard: _Heard) -> Iterator[Any]:
    import av

    failed, last, before = 0, b"", b""
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            break
        except (av.error.EOFError, OSError):  # the container itself ends too early
            heard.cut = True
            break
        except av.error.FFmpegError:
            failed += 1
            continue
        # the last packet of PCM of unknown length is always short; the header of such files is read in breaks_off
        heard.cut = heard.cut or (packet.is_corrupt and not packet.stream.codec_context.name.startswith("pcm_"))
        last, before = bytes(packet) or last, last if packet.size else before
        if frames and packet.size:  # the empty last packet only flushes the decoder
            heard.damaged, failed = heard.damaged + failed, 0
        yield from frames
    heard.cut = heard.cut or failed > 0 or (container.format.name == "mp3" and is_short(last, before))


def _damage(heard: _Heard, seconds: float) -> list[str]:
    missing = (heard.promised_s or 0.0) - seconds
    warnings = []
    if missing > max(MISSING_S, MISSING_SHARE * seconds):
        warnings.append(f"录音不完整：文件头写明 {heard.promised_s:.1f} 秒，实际只有 {seconds:.1f} 秒，已按现有部分检查。")
    elif heard.cut:
        warnings.append(f"录音不完整：文件在中途断开，已按能解码的 {seconds:.1f} 秒检查。")
    if heard.damaged:
        warnings.append(f"录音有损坏：{heard.damaged} 处无法解码，已跳过，其后的时间可能略有提前。")
    return warnings


def _same(left: Track, right: Track) -> bool:
    loudness = difference = 0.0
    for one, other in zip(blocks(left), blocks(right), strict=True):
        loudness += float(np.sum(np.square(one))) + float(np.sum(np.square(other)))
        difference += float(np.sum(np.square(one - other)))
    return difference <= SAME**2 * loudness


def _silent(channels: Sequence[Channel]) -> list[str]:
    quiet = [channel.name for channel in channels if not any(np.abs(block).max() > AUDIBLE for block in blocks(channel.samples))]
    if not quiet:
        return []
    titles = {"left": "左声道", "right": "右声道", "mono": "整段录音"}
    return [f"{'、'.join(titles.get(name, name) for name in quiet)}全程没有声音。"]
