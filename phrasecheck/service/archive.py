"""The files in a ZIP, with what speaks against each; and one of them, unpacked.

In: a ZIP's path, limits. Out: entries; files. The one decision: no path from the archive is ever used on our disk, and all limits are held against what
the table of contents says before anything is unpacked; Python never reads more from an entry than that table says, so a lie there makes the entry too
short, not the disk too full.
"""

import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from phrasecheck.errors import InputError, TooLargeError
from phrasecheck.settings import ServiceSettings

CONTENTS = 1024  # bytes of the table of contents that a file may take: its name, its extra fields
SMALL = 1 << 20  # below this nobody asks how well a file was packed
DRIVE = re.compile(r"[A-Za-z]:")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
LITTER = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._)", re.IGNORECASE)  # what systems put in by themselves
BROKEN = (BadZipFile, NotImplementedError, OSError, EOFError, ValueError, RuntimeError, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in a ZIP; `number` is its place. With a `problem` it is not to be unpacked."""

    number: int
    name: str
    problem: str | None
    info: ZipInfo


class _Bounded(FileIO):
    """Python reads the table of contents in one piece, however long it says it is."""

    limit = 1 << 20

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises TooLargeError for more than `limit`."""
        data = super().read(self.limit + 1 if size is None or size < 0 else min(size, self.limit + 1))
        if len(data) > self.limit:
            raise TooLargeError("ZIP 的目录过长：里面的文件太多，请分成几个 ZIP")
        return data


@contextmanager
def opened(path: Path, name: str, limits: ServiceSettings) -> Iterator[tuple[ZipFile, list[Entry]]]:
    """A ZIP and its files in order, folders and litter left out. Raises InputError for a broken one, TooLargeError for one with too much in it."""
    file = _Bounded(path)
    file.limit = max(CONTENTS * limits.zip_files, 1 << 17)
    try:
        try:
            archive = ZipFile(file)
        except BROKEN as error:
            raise InputError(f"{name}：ZIP 已损坏，或没有传完整，请重新打包") from error
        with archive:
            yield archive, _entries(archive, name, limits)
    finally:
        file.close()


def _entries(archive: ZipFile, name: str, limits: ServiceSettings) -> list[Entry]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > limits.zip_files:
        raise TooLargeError(f"{name}：一个 ZIP 里应不超过 {limits.zip_files} 个文件，收到 {len(infos)} 个，请分成几个")
    total = sum(info.file_size for info in infos)
    if total > limits.zip_bytes:
        raise TooLargeError(f"{name}：展开后应不超过 {limits.zip_bytes >> 20} MB，目录写着 {total >> 20} MB，请分成几个")
    return [
        Entry(number=number, name=CONTROL.sub("\N{REPLACEMENT CHARACTER}", said), problem=_problem(said, info, limits), info=info)
        for number, info in enumerate(infos)
        if not LITTER.search(said := name_of(info))
    ]


def name_of(info: ZipInfo) -> str:
    """The name with forward slashes. Without the UTF-8 flag it is in the writer's own encoding: UTF-8 all the same, or GBK as Windows in China has it."""
    text = info.orig_filename
    if not info.flag_bits & 0x800:
        data = text.encode("cp437", "replace")  # how Python has read it
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("gb18030", "replace")
    return text.replace("\\", "/")


def _problem(name: str, info: ZipInfo, limits: ServiceSettings) -> str | None:
    """The first reason not to unpack it."""
    times = info.file_size // max(info.compress_size, 1)
    leads_out = name.startswith("/") or DRIVE.match(name) is not None or ".." in PurePosixPath(name).parts
    reasons = (
        ("\0" in name, "文件名里有空字节，请改名后重新打包"),
        (leads_out, "文件名指向压缩包之外（绝对路径或 ../），请重新打包"),
        (stat.S_ISLNK(info.external_attr >> 16), "是链接而不是文件，请打包录音本身"),
        (bool(info.flag_bits & 1), "加了密，请去掉密码后重新打包"),
        (info.compress_type not in (ZIP_STORED, ZIP_DEFLATED), "压缩方式不常用，请用系统自带的 ZIP 重新打包"),
        (info.file_size > limits.upload_bytes, f"应不超过 {limits.upload_bytes >> 20} MB，展开后有 {info.file_size >> 20} MB"),
        (
            info.file_size > SMALL and times > limits.zip_ratio,
            f"压缩了 {times} 倍，录音不会这样，应不超过 {limits.zip_ratio:g} 倍（压缩炸弹？）",
        ),
        (name.lower().endswith(".zip"), "ZIP 里的 ZIP 不展开，请分别上传"),
    )
    return next((told for applies, told in reasons if applies), None)


def unpack(archive: ZipFile, entry: Entry, to: Path) -> None:
    """The entry's bytes. Raises InputError when it is broken."""
    try:
        with archive.open(entry.info) as source, to.open("wb") as target:
            copyfileobj(source, target, 1 << 16)
        if to.stat().st_size != entry.info.file_size:
            raise BadZipFile("shorter than its table of contents says")
    except BROKEN as error:
        raise InputError(f"{entry.name}：在 ZIP 里已损坏，请重新打包") from error
