"""A part of a batch, without Ray: what it writes, what it tells, and what a later run makes of what it finds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from phrasecheck.cluster.batch import Part, find
from phrasecheck.cluster.parts import OUTCOME, finished, place
from phrasecheck.settings import Settings
from tests.cluster.object_store import object_store
from tests.workers import SAID, load_fake


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Where recordings are, and where results go."""
    if request.param == "folder":
        yield str(tmp_path / "in"), str(tmp_path / "out")
        return
    with object_store(monkeypatch, nth=10):
        place("s3://calls")[0].makedirs("calls", exist_ok=True)
        yield f"s3://calls/{tmp_path.name}/in", f"s3://calls/{tmp_path.name}/out"


def put(folder: str, words: dict[str, str]) -> None:
    fs, root = place(folder)
    fs.makedirs(root, exist_ok=True)
    for name, said in words.items():
        fs.pipe_file(f"{root}/{name}", said.encode())


def batch(recordings: list[str]) -> dict[str, Any]:
    known = {"role": "survey", "agent_channel": "auto", "agent": "", "team": "", "metadata": '{"机构": "杭州"}'}
    columns = {"recording": recordings, **{name: [value] * len(recordings) for name, value in known.items()}}
    return {name: np.array(column) for name, column in columns.items()}


@pytest.mark.parametrize("places", ["folder", "bucket"], indirect=True)
def test_a_part_is_written_and_told(places: tuple[str, str]) -> None:
    recordings, out = places
    put(recordings, {"a.wav": SAID, "b.wav": "您好", "c.wav": "broken"})
    found = find([recordings])
    told = Part(Settings(), load_fake, out)(batch(found))
    assert set(told) == set(OUTCOME)
    assert (told["hits"], told["reason"], told["bad"]) == ([1, 0, 0], ["", "", "不是录音"], [False, False, True])
    known = sorted(finished(out), key=lambda outcome: outcome.recording)
    assert [(outcome.recording, outcome.hits, outcome.bad) for outcome in known] == list(zip(found, told["hits"], told["bad"], strict=True))


@pytest.mark.parametrize("places", ["folder"], indirect=True)
def test_what_failed_for_another_reason_is_taken_again(places: tuple[str, str]) -> None:
    recordings, out = places
    put(recordings, {"a.wav": "words"})
    found = find([recordings])
    told = Part(Settings(), load_fake, out)(batch([*found, f"{recordings}/gone.wav"]))
    assert told["bad"] == [False, False]
    assert "FileNotFoundError" in told["reason"][1]
    assert [outcome.recording for outcome in finished(out)] == found


@pytest.mark.parametrize("places", ["folder", "bucket"], indirect=True)
def test_what_was_cut_off_is_cleared_away(places: tuple[str, str]) -> None:
    recordings, out = places
    put(recordings, {"a.wav": SAID})
    Part(Settings(), load_fake, out)(batch(find([recordings])))
    put(f"{out}/hits", {"part-cutoff.parquet": "half"})
    list(finished(out))
    fs, root = place(out)
    fs.invalidate_cache()
    assert len(fs.glob(f"{root}/hits/*.parquet")) == 1
