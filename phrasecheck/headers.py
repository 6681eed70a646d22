"""What the bytes of a recording say of its kind and its length, where ffmpeg passes over it in silence.

In: a path, or what ffmpeg knows of it. Out: yes, no, or seconds. The one decision: a header is believed only where it speaks of something; lengths of
0, lengths near the largest number, and lengths that ffmpeg only guesses say nothing, and no whole recording is to be called incomplete.
"""

import re
from pathlib import Path
from typing import Any

# How a file with a header begins. MP3, AAC and GSM may begin without any mark: there the suffix has to do.
MARK = re.compile(rb"RIFF|RF64|riff|fLaC|OggS|ID3|#!AMR|\.snd|FORM|caff|\x1aE\xdf\xa3|0&\xb2u|....ftyp", re.DOTALL)
UNMARKED = frozenset({".mp3", ".aac", ".gsm"})
STREAMED = 0x7FFF0000  # wav writers that do not know the length yet put a number near the largest one here
STREAMED_W64 = 1 << 62
SLACK = 64  # bytes by which wav headers are wrong in whole files
STALE = 1 << 16  # bytes behind the end of which the header speaks that are no tag, but a recording that went on (or is larger than 4 GB)
OGG_PAGE, OGG_LAST = 65_307, 4  # largest page in bytes, and the header flag of a stream's last page (RFC 3533)
LONGEST_S = 100 * 3600.0  # a header that promises more is one of a stream whose length was not known


def is_raw(path: Path) -> bool:
    """Whether the file has no header that anybody knows."""
    with path.open("rb") as file:
        return path.suffix.lower() not in UNMARKED and not MARK.match(file.read(12))


def goes_on(path: Path) -> bool:
    """Whether a wav is longer than its header says, as when the recorder died before it wrote the final length."""
    with path.open("rb") as file:
        head = file.read(8)
        return head[:4] == b"RIFF" and file.seek(0, 2) > int.from_bytes(head[4:], "little") + 8 + STALE


def breaks_off(path: Path) -> bool:
    """Whether a wav holds fewer bytes than its header says, or an Ogg file lacks its last page: ffmpeg passes over both in silence."""
    with path.open("rb") as file:
        head = file.read(24)
        size = file.seek(0, 2)
        file.seek(max(0, size - OGG_PAGE))
        tail = file.read()
    if head[:4] == b"RIFF":
        return size + SLACK < int.from_bytes(head[4:8], "little") + 8 < STREAMED
    if head[:4] == b"riff":  # w64
        return size < int.from_bytes(head[16:24], "little") < STREAMED_W64
    if head[:4] == b"OggS":
        flags = tail[tail.rfind(b"OggS") + 5 :][:1]
        return not flags or not flags[0] & OGG_LAST
    return False


def promised(container: Any, path: Path) -> float | None:
    """Seconds that the header speaks of; None where it does not know and ffmpeg would only guess from the size."""
    kind, stream = container.format.name, container.streams.audio[0]
    if kind == "aac" or (kind == "mp3" and not _is_counted(path)):
        return None
    duration, unit = (container.duration, 1e-6) if "matroska" in kind else (stream.duration, stream.time_base)
    seconds = float((duration or 0) * (unit or 0))
    return seconds if 0 < seconds < LONGEST_S else None


def _is_counted(path: Path) -> bool:
    """Whether an MP3 begins with a frame that holds the number of frames."""
    with path.open("rb") as file:
        head = file.read(1 << 20)  # album art may come first
    return any(mark in head for mark in (b"Xing", b"Info", b"VBRI"))


def is_short(last: bytes, before: bytes) -> bool:
    """Whether the last frame of an MP3 lacks its end: frames with the same header, but for the padding bit, differ by that byte at most."""
    same = last[:2] == before[:2] and last[2:3] != b"" and last[2] & 0xFD == before[2] & 0xFD
    return same and len(last) < len(before) - 1
