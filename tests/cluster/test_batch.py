"""Batches over Ray Data into Parquet: from an object store that refuses, with bad files, cut off and started again, on a cluster that loses a node."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phrasecheck.errors import InputError
from phrasecheck.pipeline import Request
from phrasecheck.report.json import from_json
from phrasecheck.settings import ClusterSettings, Settings
from tests.cluster.object_store import object_store
from tests.cluster.rays import ray_cluster
from tests.workers import SAID, load_fake, load_pausing, result_of

pytest.importorskip("ray", reason="no Ray on this machine")
pytest.importorskip("pyarrow")

from phrasecheck.cluster.batch import check_batch, find
from phrasecheck.cluster.parts import Outcome

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, object_store(patch, nth=10) as refusing:
        import s3fs

        s3fs.S3FileSystem().makedirs("calls", exist_ok=True)
        yield refusing


@pytest.fixture(scope="module")
def nodes(store: Any) -> Iterator[Any]:
    """After the store: Ray's processes inherit where it is."""
    with ray_cluster(1, 1) as cluster:
        yield cluster


@pytest.fixture
def settings(nodes: Any) -> Settings:
    return Settings(cluster=ClusterSettings(executor="ray", address=nodes.address, part=5))


def wanted(addresses: list[str]) -> dict[str, Request]:
    return {address: Request(path=Path(address), agent="1024") for address in addresses}


def rows(out: str, table: str) -> list[dict[str, Any]]:
    import fsspec
    import pyarrow.parquet as pq

    fs, root = fsspec.core.url_to_fs(out)
    fs.invalidate_cache()
    found = []
    for path in fs.glob(f"{root}/{table}/*.parquet"):
        with fs.open(path, "rb") as file:
            found += pq.read_table(file).to_pylist()
    return sorted(found, key=lambda row: row["recording"])


def recorded(folder: Path, words: dict[str, str]) -> list[str]:
    folder.mkdir()
    for name, said in words.items():
        (folder / name).write_text(said, encoding="utf-8")
    return find([str(folder)])


def test_a_bucket_becomes_tables(settings: Settings, store: Any) -> None:
    import s3fs

    for number in range(12):
        s3fs.S3FileSystem().pipe_file(f"calls/in/{number:02}.wav", f"{number} {SAID}".encode())
    s3fs.S3FileSystem().pipe_file("calls/in/bad.wav", b"broken")
    told: list[Outcome] = []
    found = find(["s3://calls/in/"])
    check_batch(wanted(found), "s3://calls/out", settings, told.append, load_fake)
    assert found == [*(f"s3://calls/in/{number:02}.wav" for number in range(12)), "s3://calls/in/bad.wav"]
    assert sorted(outcome.recording for outcome in told) == found
    calls, hits = rows("s3://calls/out", "calls"), rows("s3://calls/out", "hits")
    assert [row["recording"] for row in calls] == [row["recording"] for row in hits] == found[:12]
    assert from_json(json.loads(calls[3]["result"])) == replace(result_of(f"3 {SAID}"))
    assert (hits[0]["phrase_id"], hits[0]["quote"], hits[0]["state"]) == ("9.1.14", SAID, "hit")
    assert rows("s3://calls/out", "errors") == [{"recording": "s3://calls/in/bad.wav", "reason": "不是录音"}]
    assert store.refused > 0


def test_what_is_done_is_not_done_again(settings: Settings, tmp_path: Path) -> None:
    found = recorded(tmp_path / "in", {f"{number}.wav": str(number) for number in range(8)} | {"bad.wav": "broken"})
    out = str(tmp_path / "out")
    told: list[Outcome] = []
    check_batch(wanted(found[:4]), out, settings, told.append, load_fake)
    orphan = tmp_path / "out" / "hits" / "part-cutoff.parquet"
    orphan.write_bytes(b"")
    check_batch(wanted(found), out, settings, told.append, load_fake)
    check_batch(wanted(found), out, settings, told.append, load_fake)
    assert sorted(outcome.recording for outcome in told) == found
    assert [row["recording"] for row in rows(out, "calls")] == found[:8]
    assert not orphan.exists()


def test_a_recording_that_kills_its_worker_costs_itself_and_no_other(settings: Settings, tmp_path: Path) -> None:
    found = recorded(tmp_path / "in", {f"{number}.wav": str(number) for number in range(9)} | {"x.wav": "poison"})
    told: list[Outcome] = []
    check_batch(wanted(found), str(tmp_path / "out"), settings, told.append, load_fake)
    assert sorted(outcome.recording for outcome in told) == found
    assert {outcome.recording for outcome in told if outcome.reason} == {found[-1]}
    assert [row["recording"] for row in rows(str(tmp_path / "out"), "calls")] == found[:-1]


def test_a_node_that_is_killed_costs_nothing(settings: Settings, nodes: Any, tmp_path: Path) -> None:
    words = {f"{number:03}.wav": f"{number} {SAID}" for number in range(100)}
    found = recorded(tmp_path / "in", words)
    doomed = nodes.add_node(num_cpus=1)
    told: list[Outcome] = []

    def done(outcome: Outcome) -> None:
        told.append(outcome)
        if len(told) == 20:
            nodes.remove_node(doomed, allow_graceful=False)

    check_batch(wanted(found), str(tmp_path / "out"), settings, done, partial(load_pausing, 0.05))
    calls = rows(str(tmp_path / "out"), "calls")
    assert [row["recording"] for row in calls] == found
    assert all(from_json(json.loads(row["result"])).hits == result_of(said).hits for row, said in zip(calls, words.values(), strict=True))
    assert [outcome.reason for outcome in told] == [""] * 100


def test_lists_globs_and_folders_are_found(tmp_path: Path) -> None:
    found = recorded(tmp_path / "in", {"a.wav": "", "b.mp3": "", "notes.doc": ""})
    assert [Path(address).name for address in found] == ["a.wav", "b.mp3"]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(found) + "\n", encoding="utf-8")
    assert find([str(listed)]) == found
    assert find([f"{tmp_path}/in/*.mp3"]) == found[1:]
    with pytest.raises(InputError, match="没有找到录音"):
        find([str(tmp_path / "nothing")])
    with pytest.raises(InputError, match="用不了地址"):
        find(["nosuch://x"])
