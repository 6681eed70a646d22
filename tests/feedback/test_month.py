"""Every figure of every report over the made-up month is the one that its plan comes to: in the values, in HTML, in the workbook, in the PDF's text."""

import re
from collections.abc import Callable
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from phrasecheck import handout
from phrasecheck.feedback.make import Maker, agent_report, director_page, role_report, team_report
from phrasecheck.feedback.reports import Kind, Report
from phrasecheck.feedback.sums import Figures, Week
from phrasecheck.report.labels import chinese
from phrasecheck.types import Role, Severity
from tests import month
from tests.feedback import known
from tests.feedback.conftest import OCTOBER
from tests.month import Planned

AGENTS = tuple(f"A{number:02d}" for number in range(1, 21))
TEAMS = tuple(f"{name}组" for name in "甲乙丙丁戊")


def check(sums: Figures, calls: list[Planned]) -> None:
    """All figures of a set of calls."""
    assert sums.calls == sums.cards == len(calls)
    assert sums.flagged == known.flagged(calls)
    assert sums.points == pytest.approx(known.mean(calls))
    assert sums.failed == sum(map(known.fatal, calls))
    assert {s.value: n for s, n in sums.counted.items()} == {s.value: known.violations(calls, s.value) for s in Severity}
    assert sums.violations == known.violations(calls)
    assert sums.per_100() == pytest.approx(100 * known.violations(calls) / len(calls))
    assert sums.confirmed == known.verdicts(calls, "confirm", "dismissed")
    assert sums.appealed == known.verdicts(calls, "appeal")
    assert sums.cleared == known.cleared(calls)
    assert sums.open == known.waiting(calls)


def check_weeks(weeks: tuple[Week, ...], calls: list[Planned]) -> None:
    expected = known.weeks(calls)
    assert [week.monday for week in weeks] == list(expected)
    for week in weeks:
        if expected[week.monday]:
            check(week.figures, expected[week.monday])
        else:
            assert (week.figures.calls, week.figures.points, week.figures.per_100()) == (0, None, None)


def test_the_month_is_as_rich_as_it_should_be() -> None:
    """Some figures by hand, so that the plan itself is held."""
    calls = month.plan()
    assert (len(calls), len({c.agent for c in calls}), len({c.team for c in calls}), len({c.role for c in calls})) == (600, 20, 5, 9)
    assert known.violations(list(calls)) == 257
    assert known.flagged(list(calls)) == 219
    assert known.cleared(list(calls)) == 52 + 20  # every 11th call and every 29th, without those of A20
    own = known.of(lambda call: call.agent == "A01")
    assert (len(own), known.violations(own), sum(map(known.fatal, own))) == (30, 39, 2)


@pytest.mark.parametrize("name", AGENTS)
def test_an_agents_figures(with_: Maker, name: str) -> None:
    calls = known.of(lambda call: call.agent == name)
    report = agent_report(with_, name, OCTOBER)
    check(report.figures, calls)
    check_weeks(report.weeks, calls)
    check_weeks(report.team_weeks, known.of(lambda call: call.team == calls[0].team))
    assert {block.phrase.id: block.count for block in report.phrases} == known.phrases(calls)
    assert {block.phrase.id: block.points for block in report.phrases} == {
        phrase: known.PRICES[known.severity(phrase)] * count for phrase, count in known.phrases(calls).items()
    }
    assert len(report.found) == known.violations(calls)
    courteous = sum(call.courteous for call in calls)
    assert {c.name: c.count for c in report.courtesies} == ({"致歉": courteous, "主动帮忙": courteous} if courteous else {})
    assert len(report.practise) == 3
    assert report.comparison.others == 90


@pytest.mark.parametrize("name", TEAMS)
def test_a_teams_figures(with_: Maker, name: str) -> None:
    calls = known.of(lambda call: call.team == name)
    report = team_report(with_, name, OCTOBER)
    check(report.figures, calls)
    check_weeks(report.weeks, calls)
    assert [row.name for row in report.agents] == sorted({call.agent for call in calls})
    for row in report.agents:
        check(row.figures, [call for call in calls if call.agent == row.name])
    assert {c.phrase.id: c.count for c in report.phrases} == known.phrases(calls)


@pytest.mark.parametrize("role", Role)
def test_a_roles_figures(with_: Maker, role: Role) -> None:
    calls = known.of(lambda call: call.role is role)
    report = role_report(with_, role, OCTOBER)
    check(report.figures, calls)
    check_weeks(report.weeks, calls)
    assert [row.name for row in report.teams] == sorted({call.team for call in calls})
    for row in report.teams:
        check(row.figures, [call for call in calls if call.team == row.name])
    assert {c.phrase.id: c.count for c in report.phrases} == known.phrases(calls)
    assert len(report.moments) == min(5, known.violations(calls))
    assert [c.own for c in report.phrases] == sorted((c.own for c in report.phrases), reverse=True)
    if month.OWN[role] in known.phrases(calls):
        section = month.OWN[role].rpartition(".")[0]
        assert report.phrases[0].phrase.section == section


def test_the_directors_figures(with_: Maker) -> None:
    report = director_page(with_, OCTOBER)
    check(report.figures, list(month.plan()))
    check_weeks(report.weeks, list(month.plan()))
    assert [role for role, _ in report.roles] == list(Role)
    for role, row in report.roles:
        check(row.figures, known.of(lambda call, role=role: call.role is role))  # type: ignore[misc]
    costs = {phrase: count * known.PRICES[known.severity(phrase)] for phrase, count in known.phrases(list(month.plan())).items()}
    assert [c.points for c in report.phrases] == sorted(costs.values(), reverse=True)[:10]


# --- what the files say -----------------------------------------------------------------------------------------------------------


def texts(report: Report, with_: Maker) -> dict[str, str]:
    """The report's words in each format, without spaces."""
    made = {file.name.rpartition(".")[2]: file.body for file in handout.files(report, handout.FORMATS, with_, OCTOBER)}
    html = unescape(re.sub(r"<(style|svg).*?</\1>|<[^>]+>", " ", made["html"].decode(), flags=re.DOTALL))
    pdf = " ".join(page.extract_text() for page in PdfReader(BytesIO(made["pdf"])).pages).replace("\0", "")  # pypdf reads UTF-16 by halves
    book = load_workbook(BytesIO(made["xlsx"]))
    xlsx = " ".join(_read(cell) for row in book["数字"].iter_rows() for cell in row if cell.value is not None)
    return {name: re.sub(r"\s+", "", text) for name, text in (("html", html), ("pdf", pdf), ("xlsx", xlsx))}


def _read(cell: Any) -> str:
    """As Excel shows it: a workbook does not know 13.0 from 13."""
    return f"{cell.value:.1f}" if cell.number_format == "0.0" else str(cell.value)


def lines(calls: list[Planned], name: str) -> str:
    """A row of a table of figures, as it is to be read."""
    few = len(calls) < 10
    rates = "".join(f"{100 * known.violations(calls, s.value) / len(calls):.1f}" for s in Severity)
    points = "通话不足" if few else f"{known.mean(calls):.1f}"
    return f"{name}{len(calls)}{known.flagged(calls)}{points}{sum(map(known.fatal, calls))}{known.violations(calls)}{rates}"


def week_lines(calls: list[Planned]) -> list[str]:
    made = []
    for monday, own in known.weeks(calls).items():
        points = f"{known.mean(own):.1f}" if own else "—"
        rate = f"{100 * known.violations(own) / len(own):.1f}" if own else "—"
        made.append(f"{monday:%m-%d}至")
        made.append(f"{len(own)}{points}{known.flagged(own)}{known.violations(own)}{rate}")
    return made


@pytest.mark.parametrize(
    ("kind", "name", "which"),
    [
        (Kind.AGENT, "A01", lambda call: call.agent == "A01"),
        (Kind.AGENT, "A20", lambda call: call.agent == "A20"),
        (Kind.TEAM, "丙组", lambda call: call.team == "丙组"),
        (Kind.ROLE, "loss_assessment", lambda call: call.role is Role.LOSS_ASSESSMENT),
        (Kind.DIRECTOR, "", lambda call: True),
    ],
)
def test_the_files_say_the_known_figures(with_: Maker, kind: Kind, name: str, which: Callable[[Planned], bool]) -> None:
    calls = known.of(which)
    said = texts(handout.make(handout.Asked(kind=kind, name=name, period=OCTOBER), with_), with_)
    names: dict[Kind, Callable[[Planned], str]] = {
        Kind.TEAM: lambda call: call.agent,
        Kind.ROLE: lambda call: call.team,
        Kind.DIRECTOR: lambda call: chinese(call.role),
    }
    name_of = names.get(kind)
    rows = [lines([c for c in calls if name_of(c) == n], n) for n in sorted(set(map(name_of, calls)))] if name_of else []
    weeks = week_lines(calls) if kind is not Kind.DIRECTOR else []
    share = f"占{known.flagged(calls) / len(calls):.1%}"
    top = [
        f"平均得分{known.mean(calls):.1f}",
        f"违规{known.violations(calls)}处",
        share,
        f"每百通{100 * known.violations(calls) / len(calls):.1f}处",
    ]
    for format_, text in said.items():
        flat = text.replace("—", "") if format_ == "xlsx" else text
        for expected in [*rows, *weeks, *(top if format_ != "pdf" else [share])]:
            wanted = expected.replace("—", "") if format_ == "xlsx" else expected
            assert wanted in flat, (format_, expected)
        assert f"{known.mean(calls):.1f}" in text


def test_every_moment_is_in_the_workbook(with_: Maker) -> None:
    report = agent_report(with_, "A01", OCTOBER)
    (file,) = handout.files(report, ["xlsx"], with_, OCTOBER)
    rows = list(load_workbook(BytesIO(file.body))["明细"].iter_rows(min_row=2, values_only=True))
    own = known.of(lambda call: call.agent == "A01")
    expected = sorted((f"call-{c.number:03d}.wav", p.phrase, known.PRICES[known.severity(p.phrase)]) for c in own for p in c.counted)
    assert sorted((row[2], row[7], row[10]) for row in rows) == expected
