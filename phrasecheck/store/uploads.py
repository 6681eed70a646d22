"""Uploads in parts, what became of them, and metadata that came before its recordings.

In: bytes at an offset. Out: whole files, and a row for each file that was sent. The one decision: how far an upload is, is how long its file is, so
there is no counter that could disagree after a crash; every block is appended under a lock to a file that is exactly as long as its sender believes, so
of two connections for one upload the older, left hanging by a lost network, stops by itself.
"""

import fcntl
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from time import time
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.exc import IntegrityError

from phrasecheck.errors import NotFoundError, RefusedError, StoreError
from phrasecheck.metadata import Known
from phrasecheck.store.audit import Audit
from phrasecheck.store.calls import existing
from phrasecheck.store.database import Database
from phrasecheck.store.recordings import suffix_of
from phrasecheck.store.states import CallState, next_call
from phrasecheck.store.tables import CallRow, UploadFactRow, UploadItemRow, UploadRow, UploadState

HOLD = timedelta(seconds=60)  # whoever takes an upload in says so again with each item
KEPT = timedelta(days=30)  # what became of uploads, and metadata whose recordings never came
STALE_S = 2 * 86_400.0  # a file that nobody has written to for so long belongs to nobody
_ALIVE = UploadRow.state.in_((UploadState.OPEN, UploadState.WHOLE))  # «not TAKEN» would walk all that there were: no index answers it


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """A file that is to come."""

    name: str
    length: int
    batch: str
    known: Mapping[str, Any]
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Uploads:
    """The tables of uploads, and the folder where their parts lie."""

    database: Database
    audit: Audit
    folder: Path

    # --- parts -----------------------------------------------------------------------------------------------------------------

    def begin(self, user_id: int, new: NewUpload) -> UploadRow:
        """Room for it. Raises StoreError when the disk has none."""
        now = self.database.now()
        number = uuid4().hex
        row = UploadRow(id=number, user_id=user_id, name=new.name, length=new.length, batch=new.batch or number, known=dict(new.known))
        row.state, row.made_at, row.expires_at = UploadState.OPEN, now, now + new.lasts
        with self.database.write() as session:
            session.add(row)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path(row).touch()
        except OSError as error:
            raise _full(error) from error
        return row

    def get(self, upload_id: str, user_id: int | None = None) -> UploadRow:
        """An upload, of this user if one is named. Raises NotFoundError."""
        with self.database.read() as session:
            row = session.get(UploadRow, upload_id)
        if row is None or (user_id is not None and row.user_id != user_id):
            raise NotFoundError(f"没有上传 {upload_id}：可能已过期或取消，请重新上传这个文件")
        return row

    def path(self, row: UploadRow) -> Path:
        """Its file."""
        return self.folder / f".{row.id}{suffix_of(row.name)}"

    def scratch(self, name: str) -> Path:
        """A place of its own for a file called `name`; whoever asks deletes it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder / f".{uuid4().hex}{suffix_of(name)}"

    def offset(self, row: UploadRow) -> int:
        """Bytes that are here. Raises NotFoundError."""
        if row.state is not UploadState.OPEN:
            return row.length
        try:
            return self.path(row).stat().st_size
        except FileNotFoundError as error:
            raise NotFoundError(f"上传 {row.id} 的部分已不在：请重新上传这个文件") from error

    def append(self, row: UploadRow, offset: int, data: bytes) -> int:
        """The new offset. Raises RefusedError unless the file is exactly `offset` long and has room for the data, StoreError when the disk is full."""
        if row.state is not UploadState.OPEN or self.offset(row) != offset:
            raise RefusedError(f"这一段应从第 {self.offset(row)} 字节开始，收到第 {offset} 字节：请先用 HEAD 查询再续传")
        if offset + len(data) > row.length:
            raise RefusedError(f"文件应为 {row.length} 字节，收到的更多：请重新上传这个文件")
        try:
            with self.path(row).open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if file.seek(0, os.SEEK_END) != offset:
                    raise RefusedError("同一个上传有另一个连接正在续传：请先用 HEAD 查询再续传")
                file.write(data)
        except OSError as error:
            raise _full(error) from error
        return offset + len(data)

    def whole(self, row: UploadRow) -> None:
        """All bytes are here and will outlive a power cut: from now on it is ours to take in. A second time changes nothing."""
        try:
            with self.path(row).open("rb") as file:
                os.fsync(file.fileno())
        except FileNotFoundError:
            return  # it is taken in already
        with self.database.write() as session:
            found = session.get(UploadRow, row.id, with_for_update=True)
            if found is not None and found.state is UploadState.OPEN:
                found.state = UploadState.WHOLE

    def drop(self, row: UploadRow) -> None:
        """Gone, with its parts."""
        self.path(row).unlink(missing_ok=True)
        with self.database.write() as session:
            session.execute(delete(UploadRow).where(UploadRow.id == row.id))

    # --- taking in -------------------------------------------------------------------------------------------------------------

    def claim(self, upload_id: str) -> UploadRow | None:
        """A whole upload that nobody is at, for a while; None when there is nothing to do about it."""
        now = self.database.now()
        with self.database.write() as session:
            row = session.get(UploadRow, upload_id, with_for_update=True)
            if row is None or row.state is not UploadState.WHOLE or (row.taken_until and row.taken_until > now):
                return None
            row.taken_until = now + HOLD
            return row

    def stranded(self) -> list[str]:
        """Whole uploads that nobody is at any more, whose files are on this machine; also those whose last bytes came just before a kill."""
        free = or_(UploadRow.taken_until.is_(None), UploadRow.taken_until < self.database.now())
        with self.database.read() as session:
            rows = session.scalars(select(UploadRow).where(_ALIVE, free).order_by(UploadRow.made_at)).all()
        complete = [row for row in rows if self.path(row).exists() and self.offset(row) == row.length]
        for row in complete:
            self.whole(row)
        return [row.id for row in complete]

    def add(self, upload_id: str, item: UploadItemRow) -> None:
        """What became of one file; a second time for the same number changes nothing."""
        item.upload_id = upload_id
        try:
            with self.database.write() as session:
                session.add(item)
                session.flush()
                session.get_one(UploadRow, upload_id).taken_until = self.database.now() + HOLD
        except IntegrityError:
            return

    def items(self, upload_id: str) -> list[UploadItemRow]:
        """What became of its files so far."""
        with self.database.read() as session:
            return list(session.scalars(select(UploadItemRow).where(UploadItemRow.upload_id == upload_id).order_by(UploadItemRow.number)))

    def taken(self, row: UploadRow) -> None:
        """All its files have their items; its own is not needed any more."""
        with self.database.write() as session:
            session.get_one(UploadRow, row.id).state = UploadState.TAKEN
        self.path(row).unlink(missing_ok=True)

    def keyed(self, user_id: int, key: str) -> CallRow | None:
        """The call that was handed in with this idempotency key."""
        with self.database.read() as session:
            return session.scalar(select(CallRow).where(CallRow.idempotency_key == f"{user_id}/{key}"))

    # --- metadata --------------------------------------------------------------------------------------------------------------

    def keep_facts(self, user_id: int, batch: str, table: Mapping[str, Mapping[str, str]]) -> None:
        """Rows for recordings of a batch, over those that came before."""
        now = self.database.now()
        with self.database.write() as session:
            session.execute(delete(UploadFactRow).where(_facts(user_id, batch), UploadFactRow.file.in_(table)))
            session.add_all(
                UploadFactRow(user_id=user_id, batch=batch, file=file, row=dict(row), made_at=now) for file, row in table.items()
            )

    def fact(self, user_id: int, batch: str, file: str) -> dict[str, str] | None:
        """The row of a file of this batch."""
        with self.database.read() as session:
            return session.scalar(select(UploadFactRow.row).where(_facts(user_id, batch), UploadFactRow.file == file))

    def incomplete(self, user_id: int, batch: str) -> list[CallRow]:
        """Calls that a table of this user may still speak of: those of the batch that nobody has begun to check, and all that wait for a table."""
        ours = select(UploadItemRow.call_id).join(UploadRow).where(UploadRow.user_id == user_id, UploadRow.batch == batch)
        waits = and_(CallRow.state == CallState.UPLOADED, CallRow.uploaded_by == user_id)
        query = select(CallRow).where(or_(waits, and_(CallRow.state == CallState.QUEUED, CallRow.id.in_(ours))))
        with self.database.read() as session:
            return list(session.scalars(query))

    def complete(self, call_id: str, known: Known, actor: str) -> CallRow:
        """What is known of a call that nobody has begun to check; it is queued. Raises RefusedError when it is too late, NotFoundError."""
        with self.database.write() as session:
            row = existing(session, call_id, lock=True)
            if row.state not in {CallState.UPLOADED, CallState.QUEUED}:
                raise RefusedError(f"「{row.source}」已经开始检查，元数据没有套用：请等它结束后重新运行")
            row.role, row.agent, row.team = known.role or row.role, known.agent or row.agent, known.team or row.team
            row.role_stated = row.role_stated or known.role is not None
            row.agent_channel, row.direction = known.agent_channel or row.agent_channel, known.direction or row.direction
            row.said_at, row.extra = known.said_at or row.said_at, {**row.extra, **known.extra}
            if row.state is CallState.UPLOADED:
                row.state = next_call(row.state, CallState.QUEUED)
            self.audit.add(session, actor, "call.metadata", f"call:{call_id}")
            return row

    # --- clearing up -----------------------------------------------------------------------------------------------------------

    def sweep(self) -> int:
        """Drop what has expired, and files that belong to nobody. Returns how many."""
        now = self.database.now()
        unfinished = and_(UploadRow.state == UploadState.OPEN, UploadRow.expires_at < now)
        old = and_(UploadRow.state == UploadState.TAKEN, UploadRow.made_at < now - KEPT)
        with self.database.write() as session:
            rows = session.scalars(select(UploadRow).where(or_(unfinished, old)).with_for_update()).all()
            for row in rows:
                session.delete(row)
            session.execute(delete(UploadFactRow).where(UploadFactRow.made_at < now - KEPT))
            alive = session.scalars(select(UploadRow.id).where(_ALIVE)).all()
        for row in rows:
            self.path(row).unlink(missing_ok=True)
        return len(rows) + self._sweep_files({f".{name}" for name in alive})

    def _sweep_files(self, alive: Collection[str]) -> int:
        files = [path for path in self.folder.glob(".*") if path.is_file() and path.stem not in alive]
        stale = [path for path in files if path.stat().st_mtime < time() - STALE_S]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)


def upload_folder(recordings: str, parts: str) -> Path:
    """Where parts lie: in `parts` if the settings name a folder, else beside the recordings when those lie in one, else where temporary files are."""
    local = recordings.removeprefix("file://")
    if not parts and "://" in local:
        return Path(gettempdir()) / f"phrasecheck-parts-{os.getuid()}"
    return Path(parts or f"{local}/.parts").expanduser()


def _facts(user_id: int, batch: str) -> Any:
    return and_(UploadFactRow.user_id == user_id, UploadFactRow.batch == batch)


def _full(error: OSError) -> StoreError:
    return StoreError(f"上传的部分存不下：{error.strerror}。请腾出磁盘空间后续传")
