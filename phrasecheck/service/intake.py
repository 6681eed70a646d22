"""From files that were sent to calls in the queue: recordings, ZIPs of them, tables about them.

In: a file on our disk and what its sender says. Out: an Item for each file in it. The one decision: every recording is handed in under an idempotency
key of its own (the upload's id and the place in it), so an upload whose taking-in was cut off anywhere is simply taken in again, and nothing is in the
queue twice.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from pathlib import Path, PurePosixPath

from phrasecheck.errors import PhrasecheckError, RefusedError, StoreError
from phrasecheck.metadata import Known, known, read_metadata
from phrasecheck.service import archive, words
from phrasecheck.service.desk import Desk
from phrasecheck.service.sniff import HEAD, Kind, kind_of
from phrasecheck.store.calls import NewCall
from phrasecheck.store.states import CallState
from phrasecheck.store.tables import CallRow, Outcome, UploadItemRow, UploadRow

FOLDER = "文件夹"  # where the recording lay at its sender's, among the extra facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Who sends a file, and what is said with it. `wait`: without metadata it is not checked yet; `again`: it is checked even if it was here before."""

    user_id: int
    actor: str
    batch: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)  # metadata.py's names
    wait: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What became of one file."""

    name: str
    outcome: Outcome
    told: str = ""
    call: CallRow | None = None
    bare: bool = False  # no table of its batch had spoken of it when it was looked for


def take_in(here: Desk, upload_id: str) -> None:
    """A whole upload to its end. Does nothing when somebody else is at it."""
    row = here.store.uploads.claim(upload_id)
    if row is None:
        return
    uploads, path, sent = here.store.uploads, here.store.uploads.path(row), sent_of(here, row)
    for number, item in _items(here, row, path, sent):
        uploads.add(
            row.id,
            UploadItemRow(number=number, name=item.name, outcome=item.outcome, call_id=item.call.id if item.call else None, told=item.told),
        )
        if item.bare and item.call is not None:  # from here on a table finds the call by itself
            with suppress(RefusedError):  # a worker was quicker
                _late(here, item.call, item.name, sent)
    uploads.taken(row)


def sent_of(here: Desk, row: UploadRow) -> Sent:
    """What was said when the upload began."""
    return Sent(
        user_id=row.user_id,
        actor=here.store.accounts.user(row.user_id).name,
        batch=row.batch,
        facts=row.known["facts"],
        wait=row.known["wait"],
        again=row.known["again"],
    )


def _items(here: Desk, row: UploadRow, path: Path, sent: Sent) -> Iterator[tuple[int, Item]]:
    done = {item.number for item in here.store.uploads.items(row.id)}
    try:
        kind = kind_of(head_of(path), row.name, here.settings.audio)
        if kind is Kind.ZIP:
            yield from _unpacked(here, row, path, sent, done)
        elif 0 not in done:
            yield 0, _one(here, kind, path, row.name, sent, f"{row.id}/0")
    except StoreError:
        raise  # our own trouble, not the file's: it stays whole and is taken in later
    except PhrasecheckError as error:
        yield 0, Item(name=row.name, outcome=Outcome.REFUSED, told=str(error))


def _unpacked(here: Desk, row: UploadRow, path: Path, sent: Sent, done: set[int]) -> Iterator[tuple[int, Item]]:
    """Tables first: they may speak of the recordings beside them."""
    with archive.opened(path, row.name, here.settings.service) as (opened, entries):
        if not entries:
            yield 0, Item(name=row.name, outcome=Outcome.REFUSED, told=f"{row.name}：ZIP 里没有文件，请重新打包")
        for entry in sorted(entries, key=lambda e: not e.name.lower().endswith((".csv", ".xlsx"))):
            if entry.number in done:
                continue
            if entry.problem:
                yield entry.number, Item(name=entry.name, outcome=Outcome.REFUSED, told=f"{base(entry.name)}：{entry.problem}")
                continue
            scratch = here.store.uploads.scratch(entry.name)
            try:
                archive.unpack(opened, entry, scratch)
                kind = kind_of(head_of(scratch), base(entry.name), here.settings.audio)
                if kind is Kind.ZIP:
                    raise RefusedError(f"{base(entry.name)}：ZIP 里的 ZIP 不展开，请分别上传")
                yield entry.number, _one(here, kind, scratch, entry.name, sent, f"{row.id}/{entry.number}")
            except StoreError:
                raise
            except PhrasecheckError as error:
                yield entry.number, Item(name=entry.name, outcome=Outcome.REFUSED, told=str(error))
            finally:
                scratch.unlink(missing_ok=True)


def _one(here: Desk, kind: Kind, path: Path, name: str, sent: Sent, key: str) -> Item:
    return table(here, path, name, sent) if kind is Kind.TABLE else recording(here, path, name, sent, key)


# --- recordings ---------------------------------------------------------------------------------------------------------------------


def recording(here: Desk, path: Path, name: str, sent: Sent, key: str | None = None) -> Item:
    """One recording into the queue, or the call that it already is. Raises InputError for facts that cannot be used, StoreError."""
    earlier = here.store.uploads.keyed(sent.user_id, key) if key else None
    if earlier is None and (same := here.store.calls.same_recording(_sha256(path))):
        return _known_already(here, name, same[0], sent)
    told = here.store.uploads.fact(sent.user_id, sent.batch, base(name)) if sent.batch else None
    facts = _merged(sent, told, name)
    waits = sent.wait and told is None
    with path.open("rb") as stream:
        call = here.store.calls.accept(stream, _new(base(name), facts, key, waits), sent.user_id, sent.actor)
    if waits:
        call = _late(here, call, name, sent)
    wake(here, call)
    why = "等待元数据：上传清单，或在队列页直接开始" if call.state is CallState.UPLOADED else ""
    return Item(name=name, outcome=Outcome.ACCEPTED, told=why, call=call, bare=told is None and bool(sent.batch) and not waits)


def _late(here: Desk, call: CallRow, name: str, sent: Sent) -> CallRow:
    """A table that came between our looking and our writing has not seen this call."""
    told = here.store.uploads.fact(sent.user_id, sent.batch, base(name))
    if told is None:
        return call
    return here.store.uploads.complete(call.id, known(told), sent.actor)


def _merged(sent: Sent, told: Mapping[str, str] | None, name: str) -> Known:
    """The row of the table over what was said for all, and where the file lay."""
    facts = known({**sent.facts, **{k: v for k, v in (told or {}).items() if v}}, base(name))
    folder = str(PurePosixPath(name).parent)
    return replace(facts, extra={FOLDER: folder, **facts.extra}) if folder != "." else facts


def _new(name: str, facts: Known, key: str | None, waits: bool) -> NewCall:
    return NewCall(
        source=name,
        role=facts.role,
        agent=facts.agent,
        team=facts.team,
        agent_channel=facts.agent_channel or "auto",
        direction=facts.direction,
        said_at=facts.said_at,
        extra=facts.extra,
        idempotency_key=key,
        released=not waits,
    )


def _known_already(here: Desk, name: str, call: CallRow, sent: Sent) -> Item:
    """The same recording again: said, and checked once more only if wanted."""
    when = f"{call.uploaded_at.astimezone():%Y-%m-%d %H:%M}"
    if not sent.again:
        told = f"这段录音 {when} 已上传过（{call.source}，{words.pair(call.state)[0]}），没有重复检查"
        return Item(name=name, outcome=Outcome.KNOWN, told=told, call=call)
    try:
        call = here.store.calls.run_again(call.id, sent.actor)
    except RefusedError:  # it waits or is being checked at this moment: that is the check that was asked for
        return Item(name=name, outcome=Outcome.KNOWN, told=f"这段录音 {when} 已上传，正等着检查", call=call)
    wake(here, call)
    return Item(name=name, outcome=Outcome.AGAIN, told=f"这段录音 {when} 已上传过，重新检查", call=call)


def wake(here: Desk, call: CallRow) -> None:
    """The workers look at once."""
    if here.executor is not None and call.state is CallState.QUEUED:
        here.executor.submit(call.id)


# --- tables -------------------------------------------------------------------------------------------------------------------------


def table(here: Desk, path: Path, name: str, sent: Sent) -> Item:
    """A metadata table: kept for recordings that come later, applied to those that are here. Raises InputError."""
    rows = read_metadata(path, base(name))
    here.store.uploads.keep_facts(sent.user_id, sent.batch, rows)
    applied = 0
    for call in here.store.uploads.incomplete(sent.user_id, sent.batch):
        if (row := rows.get(call.source)) is not None:
            try:
                wake(here, here.store.uploads.complete(call.id, known(row), sent.actor))
                applied += 1
            except RefusedError:
                continue  # a worker was quicker
    return Item(name=name, outcome=Outcome.TABLE, told=f"元数据 {len(rows)} 行，已用于 {applied} 段已到的录音；同一批后到的也会用上")


# --- files --------------------------------------------------------------------------------------------------------------------------


def base(name: str) -> str:
    """The name without its folders."""
    return PurePosixPath(name.replace("\\", "/")).name or name


def head_of(path: Path) -> bytes:
    """The first bytes."""
    with path.open("rb") as file:
        return file.read(HEAD)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
