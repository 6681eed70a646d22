"""A list as a file for people who live in Excel, however long it is.

In: columns and rows. Out: an answer with CSV or XLSX. The one decision: rows are drawn from the store a page at a time and go out as they
come (XLSX through a temporary file, for its index is written last); what was said by strangers is only ever text (report/xlsx.py).
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import StringIO
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import quote

from starlette.responses import StreamingResponse

from phrasecheck.report.xlsx import Column, Row, csv_text, fill, heading

BLOCK = 1 << 20
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575  # a sheet has one more


class Form(StrEnum):
    """What is written."""

    XLSX = "xlsx"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A list: its title, its columns, its rows (called for once)."""

    title: str
    columns: Sequence[Column]
    rows: Callable[[], Iterable[Row]]


def respond(form: Form, sheets: Sequence[Sheet], name: str) -> StreamingResponse:
    """The answer: a workbook of all sheets, or the first of them as CSV."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}-{datetime.now().astimezone():%Y%m%d-%H%M}.{form}"}
    if form is Form.CSV:
        return StreamingResponse(_csv(sheets[0]), headers=headers, media_type="text/csv; charset=utf-8")
    return StreamingResponse(_blocks(_xlsx(sheets)), headers=headers, media_type=XLSX)


def _csv(sheet: Sheet) -> Iterator[bytes]:
    """UTF-8 with the mark (BOM) by which Excel knows it."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(column.title for column in sheet.columns)
    yield b"\xef\xbb\xbf"
    for row in sheet.rows():
        writer.writerow(csv_text(value, column) for value, column in zip(row, sheet.columns, strict=True))
        if buffer.tell() > BLOCK:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _xlsx(sheets: Sequence[Sheet]) -> IO[bytes]:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    for sheet in sheets:
        into = book.create_sheet(sheet.title)
        into.freeze_panes = "B2"
        for number, column in enumerate(sheet.columns, 1):
            into.column_dimensions[get_column_letter(number)].width = column.width
        heads = [WriteOnlyCell(into, column.title) for column in sheet.columns]
        for cell in heads:
            heading(cell)
        into.append(heads)
        for _, row in zip(range(MOST_ROWS), sheet.rows(), strict=False):
            cells = [WriteOnlyCell(into) for _ in row]
            for cell, value, column in zip(cells, row, sheet.columns, strict=True):
                fill(cell, value, column)
            into.append(cells)
    file = TemporaryFile()  # noqa: SIM115 - closed by _blocks
    book.save(file)
    file.seek(0)
    return file


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block
