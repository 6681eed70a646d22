"""The store and a folder of result files are one Source: the same calls give the same reports, but for what people judged."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from phrasecheck.cli.report import report as command
from phrasecheck.errors import InputError
from phrasecheck.feedback.facts import Source, Standing, Wanted
from phrasecheck.feedback.make import agent_report
from phrasecheck.handout import maker
from phrasecheck.report.folder import read_results
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.moments import standing
from phrasecheck.store.states import ReviewState
from phrasecheck.store.store import Store, open_store
from phrasecheck.types import Role
from tests import month
from tests.feedback import known
from tests.feedback.conftest import OCTOBER
from tests.month import Planned


@pytest.fixture(params=["store", "folder"])
def source(request: pytest.FixtureRequest, store: Store) -> Source:
    return store.moments if request.param == "store" else read_results(request.getfixturevalue("results"))


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (Wanted(period=OCTOBER), 600),
        (Wanted(period=OCTOBER, agent="A07"), 30),
        (Wanted(period=OCTOBER, team="乙组"), 120),
        (Wanted(period=OCTOBER, role=Role.RECEPTION), 141),
        (Wanted(period=OCTOBER, agent="Z"), 0),
    ],
)
def test_the_calls_that_fit(source: Source, wanted: Wanted, number: int) -> None:
    found = source.material(wanted)
    assert len(found.calls) == number
    assert [call.said_at for call in found.calls] == sorted(call.said_at for call in found.calls if call.said_at)
    assert {m.call_id for m in found.moments} <= {call.id for call in found.calls}


def test_the_words_and_the_courtesies(source: Source) -> None:
    said = source.spoken(["call-000", "call-001"])
    assert set(said) == {"call-000", "call-001"}
    assert [line.text for line in said["call-001"]] == ["您好，这里是人寿财险，请讲。", "我想问一下我的车险。"]
    lines = source.agents_lines(Wanted(period=OCTOBER, agent="A01"), ("添麻烦", "%"))
    assert {line.text for line in lines} == {month.COURTEOUS}
    assert len(lines) == 10


def unjudged(call: Planned) -> int:
    return sum(not plant.doubtful and not plant.repeated for plant in call.plants)


def test_a_folder_knows_no_verdicts(results: Path) -> None:
    report = agent_report(maker(read_results(results), month.lexicon(), Settings()), "A01", OCTOBER)
    own = known.of(lambda call: call.agent == "A01")
    assert report.figures.violations == sum(map(unjudged, own))
    assert (report.figures.confirmed, report.figures.appealed, report.figures.cleared) == (0, 0, 0)


def test_a_call_without_a_date_is_told_of(results: Path, tmp_path: Path) -> None:
    import json

    for name in ("call-000.json", "call-020.json"):
        stored = json.loads((results / name).read_text(encoding="utf-8"))
        if name == "call-000.json":
            stored["call"]["metadata"] = {}
        (tmp_path / name).write_text(json.dumps(stored), encoding="utf-8")
    report = agent_report(maker(read_results(tmp_path), month.lexicon(), Settings()), "A01", OCTOBER)
    assert report.figures.calls == 1
    assert any("1 通电话没有日期" in remark for remark in report.basis.remarks)


@pytest.mark.parametrize("said", ["2026-10-05 09:30", "2026/10/5 9:30:00", "20261005 093000", "2026-10-05"])
def test_dates_as_tables_write_them(results: Path, said: str) -> None:
    from dataclasses import replace

    from phrasecheck.report.folder import said_at

    made = read_results(results).results[0]
    at = said_at(replace(made, call=replace(made.call, metadata={"time": said})), Wanted(period=OCTOBER))
    assert at is not None
    assert at.strftime("%m-%d %H:%M") == ("10-05 00:00" if said == "2026-10-05" else "10-05 09:30")


def test_what_is_no_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="没有结果文件"):
        read_results(tmp_path)
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.json"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("doubtful", "state", "expected"),
    [
        (False, ReviewState.NEW, Standing.COUNTED),
        (False, ReviewState.CONFIRMED, Standing.CONFIRMED),
        (False, ReviewState.DISMISSED, Standing.CONFIRMED),
        (False, ReviewState.APPEALED, Standing.APPEALED),
        (False, ReviewState.REJECTED, Standing.CLEARED),
        (False, ReviewState.UPHELD, Standing.CLEARED),
        (True, ReviewState.NEW, Standing.OPEN),
        (True, ReviewState.CONFIRMED, Standing.CONFIRMED),
        (True, ReviewState.REJECTED, Standing.CLEARED),
        (True, ReviewState.APPEALED, Standing.APPEALED),
    ],
)
def test_what_a_moment_is_worth(doubtful: bool, state: ReviewState, expected: Standing) -> None:
    assert standing(doubtful, state) is expected


def test_by_the_stores_own_verbs(tmp_path: Path) -> None:
    """Poured rows are what the verbs write: a few calls by their whole road, with roles, hits and verdicts."""
    opened = open_store(StoreSettings(database=f"sqlite:///{tmp_path}/x.db", recordings=str(tmp_path / "recordings")))
    calls = [call for call in month.plan() if call.number in (0, 11, 13, 17, 29)]
    month.fill(opened, calls)
    found = opened.moments.material(Wanted(period=OCTOBER))
    assert sorted(call.roles for call in found.calls) == sorted((call.role,) for call in calls)
    assert sum(m.counts for m in found.moments) == sum(len(c.counted) for c in calls) + 1  # the repeat in one breath is left to cards.py
    assert {m.role for m in found.moments} <= {call.role for call in calls}
    opened.close()


# --- the command --------------------------------------------------------------------------------------------------------------------


def run(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, args)
    return done.exit_code, done.output if done.exception is None or done.exit_code == 0 else f"{done.output}{done.exception}"


def test_what_is_not_installed_is_named(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fpdf", None)
    code, said = run(
        "--director", "--format", "pdf", "--from", "2026-10-01", "--to", "2026-10-31", "--results", str(results), "--out", str(tmp_path)
    )
    assert code == 1
    assert "缺少 fpdf" in said and "phrasecheck[report]" in said


def test_the_command_writes_the_files(results: Path, tmp_path: Path) -> None:
    october = ("--from", "2026-10-01", "--to", "2026-10-31", "--results", str(results), "--out", str(tmp_path))
    code, said = run("--agent", "A01", *october)
    assert code == 0, said
    names = {f"坐席-A01-2026-10-01-2026-10-31.{suffix}" for suffix in ("html", "pdf", "xlsx")}
    assert {path.name for path in tmp_path.iterdir()} == names
    code, said = run("--coaching", "--role", "查勘", "--format", "xlsx", *october)
    assert code == 0, said
    assert "辅导-查勘岗位" in said


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "--agent"),
        (["--agent", "A01", "--director"], "--agent"),
        (["--role", "清洁"], "岗位应为"),
        (["--director", "--format", "doc"], "格式应为"),
        (["--due"], "--due"),
    ],
)
def test_what_cannot_be_done_is_said(results: Path, tmp_path: Path, args: list[str], message: str) -> None:
    code, said = run(*args, "--results", str(results), "--out", str(tmp_path / "out"))
    assert code != 0
    assert message in said


def test_the_preview(results: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("scoring: {fatal: [], deductions: {一般: 1, 较重: 1, 严重: 1}}", encoding="utf-8")
    code, said = run("--preview", str(other), "--from", "2026-10-01", "--to", "2026-10-31", "--results", str(results))
    assert code == 0, said
    expected = sum(100 - unjudged(call) for call in month.plan()) / 600
    assert f"→ {expected:.1f}" in said
