"""What a file is, by its first bytes: a recording, a ZIP, a table; or what it is instead.

In: the first bytes and the name. Out: a Kind, or an AudioError that names what came. The one decision: nothing is decoded in the web process (that is
the workers' work, who may crash over it); a file is let in when it begins as recordings do, so an HTML page that calls itself .wav never gets into the
queue.
"""

import re
from enum import StrEnum
from pathlib import PurePosixPath

from phrasecheck.errors import AudioError
from phrasecheck.headers import MARK, UNMARKED
from phrasecheck.settings import AudioSettings

HEAD = 4096  # bytes that are enough
TABLES = frozenset({".csv", ".xlsx"})
ZIPPED = (b"PK\x03\x04", b"PK\x05\x06")
FOREIGN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\s*(<!doctype html|<html|<head|<body|<\?xml|<svg|<!--)", re.IGNORECASE), "网页或 XML"),
    (re.compile(rb"%PDF"), "PDF"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "旧版 Office 文件（.xls、.doc），表格请另存为 XLSX 或 CSV"),
    (re.compile(rb"Rar!|7z\xbc\xaf\x27\x1c|\x1f\x8b|BZh|\xfd7zXZ|....\x20*ustar", re.DOTALL), "RAR、7z、gz 等压缩包，请改用 ZIP"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|BM....\0\0\0\0|II\x2a\0|MM\0\x2a|RIFF....WEBP|....ftyp(heic|avif|mif1)", re.DOTALL), "图片"),
    (re.compile(rb"MZ|\x7fELF|#!/|#! ?/"), "程序"),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), "AVI 视频"),
    (re.compile(rb"SQLite format"), "数据库"),
)
TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")  # so much sound without a control character there is not


class Kind(StrEnum):
    """What may be uploaded."""

    RECORDING = "recording"
    ZIP = "zip"
    TABLE = "table"


def kind_of(head: bytes, name: str, audio: AudioSettings) -> Kind:
    """By the first HEAD bytes and the suffix. Raises AudioError saying what was expected and what came."""
    suffix = PurePosixPath(name).suffix.lower()
    if not head:
        raise AudioError(f"{name}：文件是空的，应为通话录音、ZIP 或元数据表。请重新导出")
    if head.startswith(ZIPPED):
        return Kind.TABLE if suffix == ".xlsx" else Kind.ZIP
    if suffix == ".xlsx":
        raise AudioError(f"{name}：应为 XLSX 表格，里面却不是。请在 Excel 里打开后另存为 XLSX 或 CSV")
    for pattern, what in FOREIGN:
        if pattern.match(head.removeprefix(b"\xef\xbb\xbf")):
            raise AudioError(f"{name}：应为通话录音，里面却是{what}。请确认选对了文件")
    if suffix == ".csv":
        return Kind.TABLE
    if MARK.match(head) or audio.raw is not None or (suffix in UNMARKED and not TEXT.fullmatch(head)):
        return Kind.RECORDING
    raise AudioError(
        f"{name}：不像录音。支持 wav、mp3、flac、m4a、ogg、opus、amr、wma 等；没有文件头的 G.711 或 PCM 须由管理员设置 audio.raw。请重新导出"
    )
