"""A recording -> its channels at 16 kHz, whatever the file calls itself.

In: a path. Out: Audio, with a Chinese warning for everything odd. The one decision: what can be heard is used. A file that breaks off
gives what there is of it and says so; only a file in which nothing can be heard is an AudioError.
"""

import glob
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from phrasecheck.errors import AudioError, InputError
from phrasecheck.types import Audio, Channel, Samples

RATE = 16_000
AUDIO_SUFFIXES = frozenset(
    {".wav", ".mp3", ".flac", ".m4a", ".mp4", ".aac", ".ogg", ".oga", ".opus", ".amr", ".3gp", ".wma", ".gsm", ".au"}
    | {".aif", ".aiff", ".caf", ".w64", ".webm", ".mka"}
)
# What ffmpeg may take a file for. Its playlist and script formats stay out: they would open other files and addresses on a user's behalf.
FORMATS = ("wav", "w64", "mp3", "flac", "ogg", "mov", "aac", "amr", "amrnb", "amrwb", "asf", "gsm", "au", "aiff", "caf", "matroska")
OPTIONS = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
NAMES = {1: ("mono",), 2: ("left", "right")}
SAME = 0.01  # channels are one when they differ by this part of the sound (-40 dB): more than a codec does, less than any crosstalk
MISSING_S = 0.5  # a header that promises this much more than was found belongs to a truncated file ...
MISSING_SHARE = 0.01  # ... if it is also this share of the whole (headers of MP3 and AAC round up)
STREAMED = 0x7FFF0000  # wav writers that do not know the length yet put a number near the largest one here
OGG_PAGE, OGG_LAST = 65_307, 4  # largest page in bytes, and the header flag of a stream's last page (RFC 3533)
LONGEST_S = 100 * 3600.0  # a header that promises more is one of a stream whose length was not known


@dataclass(slots=True)
class _Heard:
    """What decoding has come to: blocks of float32 (channels, samples) at 16 kHz, and what went wrong on the way."""

    blocks: list[Any] = field(default_factory=list)
    promised_s: float | None = None
    damaged: int = 0  # packets that could not be decoded, with sound after them
    cut: bool = False  # the file ends in the middle of a packet


def decode(path: Path) -> Audio:
    """All channels of `path` as float32 at 16 kHz, named left and right, or mono, or ch1, ch2, ch3 ...; `sha256` is that of the file.

    A stereo file with the same sound on both sides comes back as mono, with a warning. Raises AudioError (Chinese, naming the file).
    """
    digest = _sha256(path)
    heard = _read(path)
    if not heard.blocks:
        raise AudioError(f"{path}：应为录音，但里面没有可听的声音（0 个采样）。请确认文件完整后重新导出。")
    sound = np.concatenate(heard.blocks, axis=1)
    heard.blocks.clear()
    warnings = _damage(heard, sound.shape[1] / RATE)
    np.clip(sound, -1.0, 1.0, out=sound)
    channels = [np.ascontiguousarray(row) for row in sound]
    if len(channels) == 2 and _same(*channels):
        channels = channels[:1]
        warnings.append("左右声道内容相同，按单声道处理，无法按声道区分坐席与客户。")
    names = NAMES.get(len(channels)) or tuple(f"ch{index + 1}" for index in range(len(channels)))
    warnings += _silent(names, channels)
    made = tuple(Channel(name=name, samples=samples) for name, samples in zip(names, channels, strict=True))
    return Audio(channels=made, sha256=digest, warnings=tuple(warnings))


def find_recordings(args: Sequence[str]) -> list[Path]:
    """The recordings meant by files, folders (searched all the way down) and globs, sorted, each once.

    A file named outright is taken whatever its suffix. Raises InputError for a path that does not exist or holds no recording.
    """
    return sorted({path for arg in args for path in _found(arg)})


def _found(arg: str) -> list[Path]:
    path = Path(arg).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if _is_recording(file)]
    else:
        hits = [Path(hit) for hit in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - Path.glob takes no absolute patterns
        if not hits:
            raise InputError(f"找不到 {arg}：应为录音文件、文件夹或通配符（如 calls/*.wav），请检查路径。")
        found = [file for hit in hits for file in (hit.rglob("*") if hit.is_dir() else [hit]) if _is_recording(file)]
    if not found:
        raise InputError(f"{arg} 里没有录音：应有后缀为 {' '.join(sorted(AUDIO_SUFFIXES))} 的文件。")
    return found


def _is_recording(path: Path) -> bool:
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise AudioError(f"{path}：读不了这个文件（{error.strerror or error}）。请检查路径和权限。") from error
    if size == 0:
        raise AudioError(f"{path}：文件是空的（0 字节）。请重新导出录音。")
    return digest


def _read(path: Path) -> _Heard:
    import av

    try:
        # tags in GBK, as old recorders write them, are not worth failing for
        with av.open(str(path), metadata_errors="ignore", options=OPTIONS) as container:
            if not container.streams.audio:
                raise AudioError(f"{path}：文件里没有音轨，应为通话录音。")
            heard = _Heard(promised_s=_promised(container.streams.audio[0]), cut=_breaks_off(path))
            for block in _blocks(container, heard):
                heard.blocks.append(block)
            return heard
    except av.error.FFmpegError as error:
        raise AudioError(
            f"{path}：不是能识别的录音（{error.strerror}）。支持 wav、mp3、flac、m4a、ogg、opus、amr、wma 等，请确认文件完整、确是录音。"
        ) from error


def _breaks_off(path: Path) -> bool:
    """Whether a wav holds fewer bytes than its header says, or an Ogg file lacks its last page: ffmpeg passes over both in silence."""
    with path.open("rb") as file:
        head = file.read(12)
        size = file.seek(0, 2)
        file.seek(max(0, size - OGG_PAGE))
        tail = file.read()
    if head[:4] == b"RIFF":
        promised = int.from_bytes(head[4:8], "little")
        return promised + 8 > size and promised < STREAMED
    if head[:4] == b"OggS":
        flags = tail[tail.rfind(b"OggS") + 5 :][:1]
        return not flags or not flags[0] & OGG_LAST
    return False


def _promised(stream: Any) -> float | None:
    """Seconds that the header speaks of; None where it does not know."""
    if stream.duration is None or stream.time_base is None:
        return None
    seconds = float(stream.duration * stream.time_base)
    return seconds if 0 < seconds < LONGEST_S else None


def _blocks(container: Any, heard: _Heard) -> Iterator[Any]:
    """Decoded sound, block by block. The layout of the first frame holds for the whole file, so that every block has as many channels."""
    import av

    resampler, source, layout = None, None, None
    for frame in _frames(container, heard):
        if resampler is None or source != (frame.format.name, frame.layout.name, frame.sample_rate):
            layout = layout or frame.layout
            source = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=RATE)
        frame.pts = None  # gaps in broken time stamps are no reason to stop
        yield from (out.to_ndarray() for out in resampler.resample(frame))
    if resampler is not None:
        yield from (out.to_ndarray() for out in resampler.resample(None))


def _frames(container: Any, heard: _Heard) -> Iterator[Any]:
    import av

    failed = 0
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
        # the last packet of PCM of unknown length is always short; the header of such files is read in _breaks_off
        heard.cut = heard.cut or (packet.is_corrupt and not packet.stream.codec_context.name.startswith("pcm_"))
        if frames and packet.size:  # the empty last packet only flushes the decoder
            heard.damaged, failed = heard.damaged + failed, 0
        yield from frames
    heard.cut = heard.cut or failed > 0


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


def _same(left: Samples, right: Samples) -> bool:
    loudness = float(np.mean(np.square(left))) + float(np.mean(np.square(right)))
    return float(np.mean(np.square(left - right))) <= SAME**2 * loudness


def _silent(names: Sequence[str], channels: Sequence[Samples]) -> list[str]:
    quiet = [name for name, samples in zip(names, channels, strict=True) if not np.any(np.abs(samples) > 1e-4)]
    if not quiet:
        return []
    titles = {"left": "左声道", "right": "右声道", "mono": "整段录音"}
    return [f"{'、'.join(titles.get(name, name) for name in quiet)}全程没有声音。"]
