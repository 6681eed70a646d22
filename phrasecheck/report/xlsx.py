"""Many calls as one workbook (and the hits as CSV) for people who live in Excel.

In: the results, the recordings that could not be read with the reason, the lexicon. Out: a file. The one decision: what was said by
strangers is only ever text: a cell that begins like a formula is stored as a quoted string, in CSV behind an apostrophe.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from phrasecheck.report.labels import amount, channel, chinese, clock, percent
from phrasecheck.report.view import HitView, hit_views
from phrasecheck.types import CallResult, HitState, Scorecard, Speaker

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from phrasecheck.lexicon import Lexicon

Value = str | float | int | timedelta | None
Row = Sequence[Value]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
SEVERITY_FILLS = {"一般": "FFF7E3", "较重": "FDE5D9", "严重": "F7C9B4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its heading, its width in characters, the number format of its cells."""

    title: str
    width: int = 12
    format: str = "General"


CALLS = (
    Column(title="录音", width=28),
    Column(title="时长", width=8, format="[mm]:ss"),
    Column(title="坐席"),
    Column(title="班组"),
    Column(title="岗位", width=16),
    Column(title="最低得分", width=10),
    Column(title="各岗位得分", width=24),
    Column(title="一票否决", width=10),
    Column(title="命中", width=7),
    Column(title="计分", width=7),
    Column(title="存疑", width=7),
    Column(title="客服声道"),
    Column(title="声道把握", width=10, format="0%"),
    Column(title="提示", width=40),
    Column(title="词库", width=24),
    Column(title="软件", width=18),
)
HITS = (
    Column(title="录音", width=28),
    Column(title="序号", width=6),
    Column(title="时间", width=8, format="[mm]:ss"),
    Column(title="说话人", width=10),
    Column(title="岗位"),
    Column(title="条款", width=9),
    Column(title="条款原文", width=36),
    Column(title="严重程度", width=10),
    Column(title="原话", width=36),
    Column(title="可能性", width=8, format="0%"),
    Column(title="状态", width=8),
    Column(title="扣分", width=7),
    Column(title="计分说明", width=28),
    Column(title="判断依据", width=48),
    Column(title="可以这样说", width=44),
    Column(title="方法", width=22),
)
FAILURES = (Column(title="录音", width=40), Column(title="原因", width=90))
ROLES = (
    Column(title="岗位", width=16),
    Column(title="通话数", width=9),
    Column(title="计分命中", width=10),
    Column(title="未计分", width=9),
    Column(title="平均得分", width=10, format="0.0"),
    Column(title="最低得分", width=10),
    Column(title="一票否决", width=10),
)


def write_xlsx(results: Sequence[CallResult], failures: Sequence[tuple[str, str]], lexicon: "Lexicon", path: Path) -> None:
    """The workbook: 概览 (a row a call), 命中 (a row a hit), 按角色, 失败. `failures` are recordings with the reason (Chinese)."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    sheet(book.create_sheet("概览"), CALLS, map(_call_row, results))
    sheet(book.create_sheet("命中"), HITS, _hit_rows(results, lexicon))
    sheet(book.create_sheet("按角色"), ROLES, _role_rows(results))
    sheet(book.create_sheet("失败"), FAILURES, ((name, reason.removeprefix(f"{name}：")) for name, reason in failures))
    book.save(path)


def write_csv(results: Sequence[CallResult], lexicon: "Lexicon", path: Path) -> None:
    """The hits table as UTF-8 CSV, with the mark (BOM) by which Excel knows it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(column.title for column in HITS)
        for row in _hit_rows(results, lexicon):
            writer.writerow(csv_text(value, column) for value, column in zip(row, HITS, strict=True))


def _call_row(result: CallResult) -> Row:
    cards, call, speakers = result.scorecards, result.call, result.transcript.speakers
    return (
        Path(call.source).name,
        timedelta(seconds=call.seconds),
        call.agent,
        call.team,
        "、".join(chinese(card.role) for card in cards) or chinese(call.role),
        min((card.points for card in cards), default=None),
        "；".join(f"{chinese(card.role)} {amount(card.points)}" for card in cards) or "未计分",
        "是" if any(card.failed for card in cards) else "否",
        sum(hit.state is HitState.HIT for hit in result.hits),
        sum(finding.counted for card in cards for finding in card.findings),
        sum(hit.state is HitState.DOUBTFUL for hit in result.hits),
        channel(speakers.agent_channel)[0] if speakers.agent_channel else chinese("not_decided"),
        speakers.confidence,
        "；".join(call.warnings),
        result.provenance.lexicon,
        result.provenance.software,
    )


def _hit_rows(results: Iterable[CallResult], lexicon: "Lexicon") -> Iterator[Row]:
    return (_hit_row(result, view) for result in results for view in hit_views(result, lexicon))


def _hit_row(result: CallResult, view: HitView) -> Row:
    phrase, finding, hit = view.phrase, view.finding, view.hit
    role = view.utterance.role or (result.call.role if view.utterance.speaker is Speaker.AGENT else None)
    return (
        Path(result.call.source).name,
        view.number,
        timedelta(seconds=view.start),
        chinese(view.utterance.speaker),
        chinese(role) if role else "",
        hit.phrase_id,
        phrase.text if phrase else chinese("not_in_lexicon"),
        phrase.severity if phrase else "",
        hit.quote,
        hit.score,
        chinese(hit.state),
        finding.points if finding and finding.counted else 0,
        view.scoring,
        hit.reason,
        phrase.instead if phrase else "",
        "、".join(map(chinese, hit.methods)),
    )


def _role_rows(results: Iterable[CallResult]) -> Iterator[Row]:
    cards: dict[str, list[Scorecard]] = {}
    for result in results:
        for card in result.scorecards:
            cards.setdefault(card.role, []).append(card)
    for role, own in cards.items():
        counted = [finding.counted for card in own for finding in card.findings]
        points = [card.points for card in own]
        failed = sum(card.failed for card in own)
        yield chinese(role), len(own), sum(counted), len(counted) - sum(counted), fmean(points), min(points), failed


def sheet(into: "Worksheet", columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Fill a sheet: headings that stay in sight and can be filtered by, then the rows."""
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(columns, 1):
        heading(into.cell(1, number, column.title))
        into.column_dimensions[get_column_letter(number)].width = column.width
    for place, row in enumerate(rows, 2):
        for number, (value, column) in enumerate(zip(row, columns, strict=True), 1):
            fill(into.cell(place, number), value, column)
    into.freeze_panes = "B2"
    into.auto_filter.ref = into.dimensions


def heading(cell: Any) -> None:
    """The look of a column's title."""
    from openpyxl.styles import Alignment, Font, PatternFill

    cell.font = Font(bold=True, color="FFFFFF")
    cell.fill = PatternFill("solid", fgColor="1F5F99")
    cell.alignment = Alignment(vertical="center")


def fill(cell: Any, value: Value, column: Column) -> None:
    """A value into its cell; text is never a formula."""
    if isinstance(value, str):
        text_cell(cell, value)
        cell.alignment = _at_the_top(column.width >= 24)
        if value in SEVERITY_FILLS:
            cell.fill = _tint(SEVERITY_FILLS[value])
        return
    cell.value = value
    cell.number_format = column.format
    cell.alignment = _at_the_top()


@cache  # one object for all cells: a list may have millions
def _at_the_top(wrap: bool | None = None) -> Any:
    from openpyxl.styles import Alignment

    return Alignment(vertical="top", wrap_text=wrap)


@cache
def _tint(colour: str) -> Any:
    from openpyxl.styles import PatternFill

    return PatternFill("solid", fgColor=colour)


def text_cell(cell: Any, value: Value) -> None:
    """A value that can be no formula, whatever it begins with."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if not isinstance(value, str):
        cell.value = value
        return
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell.data_type = "s"
    cell.quotePrefix = value.startswith(FORMULA_STARTS)


def csv_text(value: Value, column: Column) -> str:
    """A value as CSV has it; text is never a formula."""
    if isinstance(value, timedelta):
        return clock(value.total_seconds())
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if value is None:
        return ""
    return percent(value) if column.format == "0%" else amount(value)
