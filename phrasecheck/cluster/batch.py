"""Big batches without a server: recordings anywhere that fsspec knows, over Ray Data, into Parquet.

In: addresses of recordings with what is known of them, an address to write to. Out: the tables of parts.py. The one decision: a part of a few recordings is one
unit of work, named by the digest of what is in it, so that one done twice overwrites itself and a run that was cut off is simply started again.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from math import ceil
from pathlib import PurePosixPath
from typing import Any

from phrasecheck.audio import AUDIO_SUFFIXES, RAW_SUFFIXES
from phrasecheck.cluster.parts import OUTCOME, Outcome, Row, call_row, finished, hit_rows, local, place, write
from phrasecheck.cluster.ray import connected, threaded
from phrasecheck.errors import AudioError, InputError, PhrasecheckError
from phrasecheck.pipeline import Request
from phrasecheck.settings import AudioSettings, Settings
from phrasecheck.types import CallResult, Role
from phrasecheck.worker import Load, load_check

SINGLY = (1, 1)  # further passes over what is left, one recording a part: one that kills its worker is left alone with it


def find(args: Sequence[str], settings: AudioSettings = AudioSettings()) -> list[str]:  # noqa: B008 - it is frozen
    """The recordings that files, folders, globs and lists of addresses (.txt, one a line) come to. Raises InputError where there is none."""
    found: dict[str, None] = {}
    suffixes = AUDIO_SUFFIXES | RAW_SUFFIXES if settings.raw else AUDIO_SUFFIXES
    for arg in args:
        fs, path = place(arg)
        try:
            names = _listed(fs, path, suffixes)
        except OSError as error:
            raise InputError(f"读不了 {arg}：{error}。请检查地址和权限") from error
        if not names:
            raise InputError(f"{arg} 应为录音、文件夹、通配符，或每行一个地址的 .txt，那里没有找到录音")
        found |= dict.fromkeys(names)
    return list(found)


def _listed(fs: Any, path: str, suffixes: frozenset[str]) -> list[str]:
    if path.endswith(".txt"):
        return [line.strip() for line in fs.cat_file(path).decode("utf-8-sig").splitlines() if line.strip()]
    if any(mark in path for mark in "*?["):
        names = fs.glob(path)
    elif fs.isdir(path):
        names = [name for name in fs.find(path) if PurePosixPath(name).suffix.lower() in suffixes]
    else:
        names = [path] if fs.exists(path) else []
    return [fs.unstrip_protocol(name) for name in sorted(names)]


def check_batch(
    requests: Mapping[str, Request], out: str, settings: Settings, done: Callable[[Outcome], None], load: Load = load_check
) -> None:
    """Check each recording (by its address) that `out` has nothing about yet; `done` is told of each. Raises InputError when Ray or `out` cannot be used."""
    ray = connected(settings)
    before = {outcome.recording for outcome in finished(out)}
    missing = {address: _row(address, request) for address, request in requests.items() if address not in before}
    most = settings.cluster.workers or max(1, int(ray.cluster_resources().get("CPU", 1) / (settings.cluster.cpus or 1)))
    for part in (min(settings.cluster.part, ceil(len(missing) / most)), *SINGLY):
        if not missing:
            return
        outcomes = chain(_checked(list(missing.values()), part, most, out, settings, load), _unheard(out, missing))
        for outcome in outcomes:
            if missing.pop(outcome.recording, None):
                done(outcome)
        if missing:
            ray.shutdown()  # actors that died and came back hold their cores as long as we are connected
            connected(settings)
    for address in missing:
        done(Outcome(recording=address, reason="检查它的进程每次都中途停止（录音异常或内存不足）：请单独检查这个录音"))


def _checked(rows: list[Row], part: int, most: int, out: str, settings: Settings, load: Load) -> Iterator[Outcome]:
    """One pass of Ray Data. A part whose worker dies again and again, or too often with its machine, is left out; the others go on."""
    from ray import data

    parts, cluster = ceil(len(rows) / part), settings.cluster
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    outcomes = data.from_items(rows, override_num_blocks=parts).map_batches(
        Part,
        fn_constructor_args=(threaded(settings), load, out),
        batch_size=None,
        batch_format="numpy",
        num_cpus=cluster.cpus,
        num_gpus=cluster.gpus or None,
        compute=data.ActorPoolStrategy(min_size=1, max_size=min(most, parts)),
        ray_remote_args_fn=_few_retries,
    )
    for row in outcomes.iter_rows():
        yield Outcome(**{name: row[name] for name in OUTCOME})


def _few_retries() -> dict[str, int]:
    return {"max_task_retries": 3}


def _unheard(out: str, missing: Mapping[str, Row]) -> Iterator[Outcome]:
    """Recordings whose part was written by a worker that died before it could tell."""
    if missing:  # else all parts would be read again for nothing
        yield from (outcome for outcome in finished(out) if outcome.recording in missing)


def _row(address: str, request: Request) -> Row:
    metadata = json.dumps(dict(request.metadata), ensure_ascii=False)
    known = {"role": request.role or "", "agent_channel": request.agent_channel, "agent": request.agent or "", "team": request.team or ""}
    return {"recording": address, **known, "metadata": metadata}


class Part:
    """An actor of Ray Data: a part's rows in, an outcome for each out; the tables are written here, so that results do not pass through the driver."""

    def __init__(self, settings: Settings, load: Load, out: str) -> None:
        self._check, self._out = load(settings, None), out

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Everything of a recording that fails is told; only a worker that dies fails the part."""
        columns = [[str(value) for value in column] for column in batch.values()]
        checked = [self._one(dict(zip(batch, values, strict=True))) for values in zip(*columns, strict=True)]
        results = [(outcome.recording, result) for outcome, result in checked if result is not None]
        outcomes = [outcome for outcome, _ in checked]
        tables = {
            "hits": [row for recording, result in results for row in hit_rows(recording, result)],
            "errors": [{"recording": outcome.recording, "reason": outcome.reason} for outcome in outcomes if outcome.bad],
            "calls": [call_row(recording, result) for recording, result in results],
        }
        write(self._out, _digest([outcome.recording for outcome in outcomes]), tables)
        return {name: [getattr(outcome, name) for outcome in outcomes] for name in OUTCOME}

    def _one(self, row: Mapping[str, str]) -> tuple[Outcome, CallResult | None]:
        known = {
            "role": Role(row["role"]) if row["role"] else None,
            "agent": row["agent"] or None,
            "team": row["team"] or None,
            "metadata": json.loads(row["metadata"]),
        }
        try:
            with local(row["recording"]) as path:
                request = Request(path=path, agent_channel=row["agent_channel"], **known)  # type: ignore[arg-type]
                result = self._check(request, (), lambda *_: None)
        except Exception as error:  # whatever one recording does, the part goes on
            reason = str(error) if isinstance(error, PhrasecheckError) else f"{type(error).__name__}：{error}"
            return Outcome(recording=row["recording"], reason=reason, bad=isinstance(error, AudioError)), None
        return Outcome(recording=row["recording"], hits=len(result.hits)), result


def _digest(recordings: Sequence[str]) -> str:
    return sha256("\n".join(recordings).encode()).hexdigest()[:24]
