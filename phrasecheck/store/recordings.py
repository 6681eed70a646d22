"""Recordings, kept under their hash in a local folder or any store that fsspec knows (s3://bucket/...).

In: a stream of bytes. Out: its key; later a local file again. The one decision: the key is the SHA-256 (and the suffix, which tells headerless
formats apart), so that the same recording is kept once and a repeated upload changes nothing. Object stores need their own package (s3fs for s3://).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import IO, Any
from uuid import uuid4

from phrasecheck.errors import NotFoundError, StoreError

BLOCK = 1 << 20
SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A recording in the store."""

    key: str  # ab/abcdef...wav
    sha256: str
    size: int  # bytes


class Recordings:
    """A folder of recordings by hash."""

    def __init__(self, url: str) -> None:
        """Makes the folder. Raises StoreError when the URL cannot be used."""
        import fsspec

        try:
            self._fs: Any
            self._root: str
            self._fs, self._root = fsspec.core.url_to_fs(str(Path(url).expanduser()) if "://" not in url else url)
            self._fs.makedirs(self._root, exist_ok=True)
        except (OSError, ValueError, ImportError) as error:
            raise StoreError(
                f"用不了录音存放处 store.recordings「{url}」：{error}。应为文件夹，或 s3:// 一类的地址（另装 s3fs）"
            ) from error

    def put(self, stream: IO[bytes], name: str) -> Kept:
        """Keep a recording that the user calls `name`. It is there whole or not at all, however often it is sent. Raises StoreError."""
        beside = f"{self._root}/.part-{uuid4().hex}"
        try:
            digest, size = self._write(stream, beside)
            key = f"{digest[:2]}/{digest}{suffix_of(name)}"
            self._fs.makedirs(self._fs._parent(self._path(key)), exist_ok=True)
            self._fs.mv(beside, self._path(key))  # a rename on a local disk: never half a file under its hash
        except OSError as error:
            raise StoreError(f"存不下录音 {name}：{error}。请检查磁盘空间和权限") from error
        finally:
            if self._fs.exists(beside):
                self._fs.rm(beside)
        return Kept(key=key, sha256=digest, size=size)

    def _write(self, stream: IO[bytes], path: str) -> tuple[str, int]:
        digest, size = sha256(), 0
        with self._fs.open(path, "wb") as file:
            while block := stream.read(BLOCK):
                digest.update(block)
                size += len(block)
                file.write(block)
        return digest.hexdigest(), size

    def probe(self) -> None:
        """Raises StoreError unless something can be written here and deleted again."""
        path = f"{self._root}/.probe-{uuid4().hex}"
        try:
            with self._fs.open(path, "wb") as file:
                file.write(b"1")
            self._fs.rm(path)
        except OSError as error:
            raise StoreError(f"录音存放处写不进去：{error}。请检查磁盘空间和权限") from error

    def exists(self, key: str) -> bool:
        """Is it there?"""
        return bool(self._fs.exists(self._path(key)))

    def kept(self) -> Iterator[str]:
        """The keys of all recordings, whole ones only."""
        for path in self._fs.find(self._root):
            key = path[len(self._fs._strip_protocol(self._root)) :].lstrip("/")
            if not PurePath(key).name.startswith("."):
                yield key

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """The recording as a file of this machine, for as long as the block lasts; not to be written to. Raises NotFoundError."""
        if not self.exists(key):
            raise NotFoundError(f"录音 {key} 不在存放处：可能已被删除，请重新上传")
        if "file" in self._fs.protocol:
            yield Path(self._path(key))
            return
        with TemporaryDirectory(prefix="phrasecheck-") as folder:
            path = Path(folder) / PurePath(key).name
            self._fs.get_file(self._path(key), str(path))
            yield path

    # --- made of a recording ------------------------------------------------------------------------------------------------

    def keep_beside(self, key: str, name: str, make: Callable[[IO[bytes]], None]) -> int:
        """The size of a file that is kept beside a recording and deleted with it; `make` writes it when it is not there. Raises StoreError."""
        path, part = self._beside(key, name), f"{self._root}/.part-{uuid4().hex}"
        try:
            if not self._fs.exists(path):
                with self._fs.open(part, "wb") as file:
                    make(file)
                self._fs.mv(part, path)
            return int(self._fs.size(path))
        except OSError as error:
            raise StoreError(f"录音存放处写不进去：{error}。请检查磁盘空间和权限") from error
        finally:
            if self._fs.exists(part):
                self._fs.rm(part)

    def read_beside(self, key: str, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Its bytes from `start` to before `stop`, a block at a time."""
        with self._fs.open(self._beside(key, name), "rb") as file:
            file.seek(start)
            left = stop - start if stop is not None else None
            while block := file.read(BLOCK if left is None else min(BLOCK, left)):
                left = None if left is None else left - len(block)
                yield block

    def _beside(self, key: str, name: str) -> str:
        place = PurePath(key)
        return self._path(f"{place.parent}/.{place.name}.{name}")

    def delete(self, key: str) -> None:
        """Gone afterwards with what was made of it, whether it was there or not. Raises StoreError."""
        try:
            for path in (*self._fs.glob(self._beside(key, "*")), *([self._path(key)] if self.exists(key) else [])):
                self._fs.rm(path)
        except OSError as error:
            raise StoreError(f"删不了录音 {key}：{error}。请检查存放处的权限") from error

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"


def suffix_of(name: str) -> str:
    """Of a file that the user calls so, as keys have it; empty when it looks like none."""
    suffix = PurePath(name).suffix.lower()
    return suffix if SUFFIX.fullmatch(suffix) else ""
