"""A report as a workbook.

In: a Report and its Page. Out: bytes. The one decision: the first sheet has every table of the page as it stands, the second every moment
one a row, so that who wants to sort and count finds all of them, not just the ones that are printed.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from phrasecheck.feedback.better import better
from phrasecheck.feedback.cards import Costly
from phrasecheck.feedback.reports import CoachingPack, DirectorPage, Report, Shown
from phrasecheck.report.feedback_page import STANDINGS, Block, Cell, Grid, Numbers, Page, Practise, Praise, Words, basis_lines
from phrasecheck.report.labels import chinese, clock
from phrasecheck.report.xlsx import Column, Row, sheet, text_cell

if TYPE_CHECKING:
    from datetime import timezone

    from openpyxl.worksheet.worksheet import Worksheet

    from phrasecheck.feedback.words import Redact
    from phrasecheck.lexicon import Lexicon

FOUND = (
    Column(title="日期", width=12),
    Column(title="时间", width=8),
    Column(title="录音", width=26),
    Column(title="位置", width=8),
    Column(title="班组"),
    Column(title="坐席"),
    Column(title="岗位", width=14),
    Column(title="条款", width=9),
    Column(title="禁语", width=32),
    Column(title="严重程度", width=10),
    Column(title="扣分", width=7),
    Column(title="原话", width=36),
    Column(title="状态", width=22),
    Column(title="为什么伤人", width=44),
    Column(title="可以这样说", width=44),
)
EXAMPLES = (
    Column(title="条款", width=9),
    Column(title="禁语", width=32),
    Column(title="严重程度", width=10),
    Column(title="岗位", width=14),
    Column(title="客户说", width=36),
    Column(title="坐席说", width=40),
    Column(title="其中不妥的", width=32),
    Column(title="为什么伤人", width=44),
    Column(title="可以这样说", width=44),
    Column(title="状态", width=22),
)


def render(report: Report, page: Page, lexicon: "Lexicon", zone: "timezone", redact: "Redact") -> bytes:
    """The workbook as a file."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    _tables(book.create_sheet("数字"), page)
    if isinstance(report, CoachingPack):
        sheet(book.create_sheet("例子"), EXAMPLES, (_example(shown, lexicon) for p in report.phrases for shown in p.examples))
    elif not isinstance(report, DirectorPage):
        sheet(book.create_sheet("明细"), FOUND, (_found(costly, lexicon, zone, redact) for costly in report.found))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _tables(into: "Worksheet", page: Page) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    rows: list[list[Cell]] = [[page.kicker], [page.title], [page.subtitle], []]
    headings = {1, 2}
    for block in page.blocks:
        for number, row in enumerate(_rows(block)):
            rows.append(list(row))
            if number == 0:
                headings.add(len(rows))
    for line in ("这份报告怎么来的", *basis_lines(page.basis)):
        rows.append([line])
    for place, row in enumerate(rows, 1):
        for number, value in enumerate(row, 1):
            text_cell(into.cell(place, number), value)
            if isinstance(value, float):
                into.cell(place, number).number_format = "0.0"
        if place in headings:
            into.cell(place, 1).font = Font(bold=True, size=14 if place == 2 else 11)
    into.column_dimensions["A"].width = 22
    for number in range(2, 10):
        into.column_dimensions[get_column_letter(number)].width = 16


def _rows(block: Block) -> Iterator[Sequence[Cell]]:
    match block:
        case Numbers():
            yield ("总的数字",)
            yield from ((item.label, item.value, item.small) for item in block.items)
        case Words():
            yield (block.heading,)
            yield from ((line,) for line in block.lines)
        case Grid():
            yield (block.heading,)
            yield block.columns
            yield from block.rows
            if block.note:
                yield (block.note,)
        case Praise():
            yield ("做得好的地方", "没有违规的通话", block.clean)
            yield from ((courtesy.says, courtesy.count, courtesy.example.text) for courtesy in block.courtesies)
        case Practise():
            yield (block.heading,)
            yield from ((practice.phrase.id, practice.sentence) for practice in block.sentences)
        case _:
            return
    yield ()


def _found(costly: Costly, lexicon: "Lexicon", zone: "timezone", redact: "Redact") -> Row:
    call, moment, finding = costly.call, costly.moment, costly.finding
    at = call.said_at.astimezone(zone) if call.said_at else None
    phrase = lexicon.phrases[moment.phrase_id]
    return (
        f"{at:%Y-%m-%d}" if at else "",
        f"{at:%H:%M}" if at else "",
        call.source,
        clock(moment.at_s),
        call.team,
        call.agent,
        chinese(moment.role),
        moment.phrase_id,
        phrase.text,
        finding.severity.value,
        finding.points,
        redact(moment.quote),
        STANDINGS[moment.standing],
        phrase.why,
        better(phrase, moment.role),
    )


def _example(shown: Shown, lexicon: "Lexicon") -> Row:
    moment = shown.costly.moment
    phrase = lexicon.phrases[moment.phrase_id]
    return (
        phrase.id,
        phrase.text,
        phrase.severity.value,
        chinese(moment.role),
        shown.before or "",
        f"{shown.head}{shown.quote}{shown.tail}",
        shown.quote,
        phrase.why,
        shown.better,
        STANDINGS[moment.standing],
    )
