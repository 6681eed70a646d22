"""What a batch leaves behind: tables of Parquet parts in a folder or an object store.

In: results, an address. Out: calls/ (one row a call, with its whole result), hits/ (one row a hit), errors/ (one row a recording that nobody can read), and
which recordings they are about. The one decision: a part's file in calls/ is its receipt, written last; what has none was cut off and is cleared away.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

from phrasecheck.errors import InputError
from phrasecheck.types import CallResult, HitState
from phrasecheck.worker import PAUSES

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one recording: its hits, or why there are none. `bad`: the recording itself cannot be read; else another run may do better."""

    recording: str
    hits: int = 0
    reason: str = ""
    bad: bool = False


OUTCOME = ("recording", "hits", "reason", "bad")  # its columns on the way back


def call_row(recording: str, result: CallResult) -> Row:
    """One row of calls/."""
    from phrasecheck.report.json import to_json

    call = result.call
    known = {"recording": recording, "call_id": call.id, "sha256": call.sha256, "seconds": call.seconds, "role": call.role.value}
    counts = {state.value: sum(hit.state is state for hit in result.hits) for state in HitState}
    return {
        **known,
        "agent": call.agent,
        "team": call.team,
        "points": min((card.points for card in result.scorecards), default=None),
        "hits": counts["hit"],
        "doubtful": counts["doubtful"],
        "lexicon": result.provenance.lexicon,
        "result": json.dumps(to_json(result), ensure_ascii=False),
    }


def hit_rows(recording: str, result: CallResult) -> Iterator[Row]:
    """The rows of hits/ of one call."""
    roles = {utterance.id: utterance.role for utterance in result.transcript.utterances}
    for hit in result.hits:
        role = roles.get(hit.utterance_id) or result.call.role
        names = ("utterance_id", "phrase_id", "score", "quote", "reason", "start_s", "end_s")
        told = {name: getattr(hit, name) for name in names}
        yield {
            "recording": recording,
            "call_id": result.call.id,
            "role": role.value,
            "agent": result.call.agent,
            **told,
            "state": hit.state.value,
        }


def _parquet(table: str, rows: Sequence[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, number = pa.string(), pa.float64()
    names = {
        "calls": {
            **dict.fromkeys(("recording", "call_id", "sha256", "role", "agent", "team", "lexicon", "result"), text),
            **dict.fromkeys(("seconds", "points"), number),
            **dict.fromkeys(("hits", "doubtful"), pa.int64()),
        },
        "hits": {
            **dict.fromkeys(("recording", "call_id", "role", "agent", "utterance_id", "phrase_id", "quote", "reason", "state"), text),
            **dict.fromkeys(("score", "start_s", "end_s"), number),
        },
        "errors": dict.fromkeys(("recording", "reason"), text),
    }
    buffer = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema(names[table])), buffer, compression="zstd")
    return buffer.getvalue()


def finished(out: str) -> Iterator[Outcome]:
    """What `out` knows: recordings that were checked, or that cannot be read. Leftovers of parts that were cut off are cleared away."""
    fs, root = place(out)
    fs.invalidate_cache()
    there = {table: {PurePosixPath(path).name for path in _parts(fs, f"{root}/{table}")} for table in ("hits", "errors", "calls")}
    for table in ("hits", "errors"):
        for name in there[table] - there["calls"]:
            fs.rm(f"{root}/{table}/{name}")
    for name in sorted(there["calls"]):
        for row in patiently(partial(_rows, fs, f"{root}/calls/{name}", ["recording", "hits", "doubtful"])):
            yield Outcome(recording=row["recording"], hits=row["hits"] + row["doubtful"])
        for row in patiently(partial(_rows, fs, f"{root}/errors/{name}", ["recording", "reason"])):
            yield Outcome(recording=row["recording"], reason=row["reason"], bad=True)


def _parts(fs: Any, folder: str) -> list[str]:
    return list(fs.glob(f"{folder}/part-*.parquet")) if fs.exists(folder) else []


def _rows(fs: Any, path: str, columns: list[str]) -> list[Row]:
    import pyarrow.parquet as pq

    with fs.open(path, "rb") as file:
        rows: list[Row] = pq.read_table(file, columns=columns).to_pylist()
    return rows


@contextmanager
def local(address: str) -> Iterator[Path]:
    """The recording as a file of this machine under its own name."""
    fs, path = place(address)
    if "file" in fs.protocol:
        if not Path(path).is_file():
            raise FileNotFoundError(path)  # not an AudioError: it may be there again when the batch is run again
        yield Path(path)
        return
    with TemporaryDirectory(prefix="phrasecheck-") as folder:
        file = Path(folder) / PurePosixPath(path).name
        patiently(partial(fs.get_file, path, str(file)))
        yield file


def write(out: str, part: str, tables: Mapping[str, Sequence[Row]]) -> None:
    """A part's tables, in the order given: the receipt, calls, has to be the last."""
    fs, root = place(out)
    for table, rows in tables.items():
        data, path = _parquet(table, rows), f"{root}/{table}/part-{part}.parquet"
        patiently(partial(_put, fs, path, data))


def _put(fs: Any, path: str, data: bytes) -> None:
    """Whole or not at all."""
    if "file" not in fs.protocol:
        fs.pipe_file(path, data)
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    beside = Path(path).with_name(f".{Path(path).name}")
    beside.write_bytes(data)
    beside.replace(path)


def patiently(do: Callable[[], Any]) -> Any:
    """An object store that refuses now and then is asked again; what is not there or not permitted stays so."""
    for pause in PAUSES:
        try:
            return do()
        except (FileNotFoundError, PermissionError):
            raise
        except OSError:
            sleep(pause)
    return do()


def place(address: str) -> tuple[Any, str]:
    """The file system and the path in it. Raises InputError when the address cannot be used."""
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise InputError(f"用不了地址「{address}」：{error}。应为文件、文件夹，或 s3:// 一类的地址（另装 s3fs）") from error
    return fs, str(path).rstrip("/")
