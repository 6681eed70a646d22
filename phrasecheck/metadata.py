"""What a QA team knows about its recordings: a CSV or XLSX table, one row a file.

In: the table, with Chinese or English headings. Out: per file name a row; Requests completed by it, or what a row says as values. Unknown columns are
kept as they are. The one decision: a table with a fault is refused whole, naming the row, for half a table applied is worse than none; and a workbook
is measured before it is opened, because a small one may unpack to gigabytes.
"""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from phrasecheck.errors import InputError
from phrasecheck.pipeline import AgentChannel, Request
from phrasecheck.types import Role

# heading -> our name
HEADINGS = {
    "文件": "file",
    "文件名": "file",
    "录音": "file",
    "坐席": "agent",
    "工号": "agent",
    "团队": "team",
    "班组": "team",
    "岗位": "role",
    "角色": "role",
    "坐席声道": "agent_channel",
    "声道": "agent_channel",
    "时间": "time",
    "通话时间": "time",
    "方向": "direction",
    "呼叫方向": "direction",
}
ROLE_NAMES = {
    "前台": Role.RECEPTION,
    "接待": Role.RECEPTION,
    "销售": Role.SALES,
    "承保": Role.UNDERWRITING,
    "接报案": Role.CLAIMS_REPORT,
    "报案": Role.CLAIMS_REPORT,
    "查勘": Role.SURVEY,
    "定损": Role.LOSS_ASSESSMENT,
    "单证": Role.DOCUMENTS,
    "单证收集": Role.DOCUMENTS,
    "投诉": Role.COMPLAINTS,
    "内部": Role.INTERNAL,
}
CHANNELS: dict[str, AgentChannel] = {
    "左": "left",
    "右": "right",
    "自动": "auto",
    "left": "left",
    "right": "right",
    "auto": "auto",
    "": "auto",
}
DIRECTIONS = {
    "呼入": "in",
    "来电": "in",
    "in": "in",
    "inbound": "in",
    "呼出": "out",
    "去电": "out",
    "外呼": "out",
    "out": "out",
    "outbound": "out",
}
OURS = ("file", "agent", "team", "role", "agent_channel")
TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y%m%d%H%M%S", "%Y-%m-%d %H:%M:%S.%f")
TEMPLATE = ("文件", "坐席", "团队", "岗位", "时间", "方向", "坐席声道")
EXAMPLE = ("2026-11-02-0001.wav", "3077", "一组", "查勘", "2026-11-02 10:00", "呼入", "左")
LONGEST = 200  # characters of a value
MOST_ROWS, MOST_COLUMNS = 100_000, 100
MOST_BYTES, MOST_UNPACKED, MOST_PARTS = 20 << 20, 64 << 20, 1000  # of a table; of a workbook's parts


def read_metadata(path: Path, name: str | None = None) -> dict[str, dict[str, str]]:
    """Rows by file name; `name` is what the user calls the table. Raises InputError with the row's number for anything that cannot be used."""
    title = name or str(path)
    names, lines = _lines(path, title)
    if "file" not in names:
        raise InputError(f"{title}：第一行应有「文件」（file）一列，另可有 坐席、团队、岗位、坐席声道、时间、方向")
    table: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, 2):
        row = {name: _text(value) for name, value in zip(names, line, strict=False) if name}
        file = _base(row.get("file", ""))
        if not file:
            continue
        if file in table:
            raise InputError(f"{title} 第 {number} 行：文件 {file} 出现了两次，请只留一行")
        _check(f"{title} 第 {number} 行", row)
        table[file] = row
    return table


def _base(file: str) -> str:
    return PurePosixPath(file.replace("\\", "/")).name


def _lines(path: Path, title: str) -> tuple[list[str], list[list[Any]]]:
    """The headings as our names, and what stands below them."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{title}：元数据表应不超过 {MOST_BYTES >> 20} MB，请分成几张")
        lines = _xlsx(path, title) if path.suffix.lower() == ".xlsx" else _csv(path, title)
    except OSError as error:
        raise InputError(f"读不了元数据表 {title}：{error}") from error
    if not lines:
        return [], []
    if len(lines) > MOST_ROWS or len(lines[0]) > MOST_COLUMNS:
        raise InputError(f"{title}：元数据表应不超过 {MOST_ROWS} 行、{MOST_COLUMNS} 列，请分成几张")
    headings = [_text(heading) for heading in lines[0]]
    return [HEADINGS.get(heading) or _ours(heading) for heading in headings], lines[1:]


def _ours(heading: str) -> str:
    return heading.lower() if heading.lower() in HEADINGS.values() else heading


def _text(value: Any) -> str:
    """A whole number that Excel keeps as 3077.0 is 3077."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _csv(path: Path, title: str) -> list[list[Any]]:
    data = path.read_bytes()
    if b"\0" in data:
        raise InputError(f"{title}：应为文本，里面却有空字节（可能是 UTF-16 或别的格式），请在 Excel 里另存为「CSV UTF-8」")
    for encoding in ("utf-8-sig", "gb18030"):  # what Excel in China saves
        try:
            return list(csv.reader(StringIO(data.decode(encoding), newline="")))
        except UnicodeDecodeError:
            continue
        except csv.Error as error:
            raise InputError(f"{title}：不是能读的 CSV（{error}），请检查引号是否成对，或另存为 XLSX") from error
    raise InputError(f"{title} 的编码应为 UTF-8 或 GBK，请在 Excel 里另存为「CSV UTF-8」")


def _xlsx(path: Path, title: str) -> list[list[Any]]:
    from openpyxl import load_workbook

    _measure(path, title)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True, max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS)
        lines = [list(row) for row in rows]
        book.close()
    except OSError:
        raise
    except Exception as error:  # openpyxl has no error of its own for a broken workbook: KeyError, ValueError, ParseError ...
        raise InputError(f"{title}：不是能读的 XLSX（{type(error).__name__}），请在 Excel 里打开后另存为 XLSX 或 CSV") from error
    return lines


def _measure(path: Path, title: str) -> None:
    """A part of a ZIP never gives more bytes than its entry says, so that what the entries say is what it can come to."""
    try:
        with ZipFile(path) as parts:
            infos = parts.infolist()
    except (BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{title}：不是能读的 XLSX，请在 Excel 里打开后另存为 XLSX 或 CSV") from error
    if any(info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.flag_bits & 1 for info in infos):
        raise InputError(f"{title}：XLSX 加了密，或压缩方式不是 Excel 用的，请去掉密码后另存")
    if len(infos) > MOST_PARTS or sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise InputError(f"{title}：展开后应不超过 {MOST_UNPACKED >> 20} MB、{MOST_PARTS} 个部分，请只留数据另存为新的 XLSX 或 CSV")


def _check(where: str, row: Mapping[str, str]) -> None:
    if row.get("role") and role_of(row["role"]) is None:
        raise InputError(f"{where}：岗位「{row['role']}」不认识，应为 {'、'.join(ROLE_NAMES)} 或 {'、'.join(Role)}")
    if row.get("agent_channel", "") not in CHANNELS:
        raise InputError(f"{where}：坐席声道「{row['agent_channel']}」应为 左、右、自动（left、right、auto）")
    if row.get("direction") and row["direction"].lower() not in DIRECTIONS:
        raise InputError(f"{where}：方向「{row['direction']}」应为 呼入、呼出（in、out）")
    if row.get("time") and said_at(row["time"]) is None:
        raise InputError(f"{where}：时间「{row['time']}」应写成 2026-11-02 10:00")
    for name, value in row.items():
        if len(value) > LONGEST:
            raise InputError(f"{where}：「{name[:20]}」应不超过 {LONGEST} 字，收到 {len(value)} 字")


def role_of(name: str) -> Role | None:
    """A role by its Chinese or English name; None for what is neither."""
    return ROLE_NAMES.get(name) or (Role(name) if name in set(Role) else None)


def said_at(text: str) -> datetime | None:
    """A time as people and switches write it, on this machine's clock unless it names a zone; None for what is no time."""
    plain = re.sub(r"[年月/.](?=\d{1,2})", "-", text.strip(), count=2).replace("日", " ")
    for parse in (datetime.fromisoformat, *map(_by, TIMES)):
        try:
            at = parse(re.sub(r"\s+", " ", plain).strip())
            return at if at.tzinfo is not None else at.astimezone()
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _by(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form)


def apply_metadata(request: Request, table: Mapping[str, Mapping[str, str]]) -> Request:
    """The request with its row's values over the options'; unchanged when the table has no such file."""
    row = table.get(request.path.name)
    if row is None:
        return request
    return replace(
        request,
        role=role_of(row.get("role", "")) or request.role,
        agent_channel=CHANNELS[row["agent_channel"]] if row.get("agent_channel") else request.agent_channel,
        agent=row.get("agent") or None,
        team=row.get("team") or None,
        metadata={name: value for name, value in row.items() if name not in OURS and value},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What somebody says of a recording; None: he does not say. `direction` is in or out."""

    role: Role | None = None
    agent: str | None = None
    team: str | None = None
    agent_channel: AgentChannel | None = None
    direction: str | None = None
    said_at: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


def known(row: Mapping[str, str], where: str = "元数据") -> Known:
    """A row (our names; others are kept as `extra`) as values. Raises InputError naming `where`."""
    _check(where, row)
    return Known(
        role=role_of(row.get("role", "")),
        agent=row.get("agent") or None,
        team=row.get("team") or None,
        agent_channel=CHANNELS[row["agent_channel"]] if row.get("agent_channel") else None,
        direction=DIRECTIONS.get(row.get("direction", "").lower()),
        said_at=said_at(row.get("time", "")),
        extra={name: value for name, value in row.items() if name not in (*OURS, "time", "direction") and value},
    )


# --- a template to fill in ----------------------------------------------------------------------------------------------------------


def template_csv() -> bytes:
    """With the mark by which Excel knows UTF-8."""
    text = StringIO(newline="")
    csv.writer(text).writerows((TEMPLATE, EXAMPLE))
    return text.getvalue().encode("utf-8-sig")


def template_xlsx() -> bytes:
    """With lists to choose from where only some values are known."""
    from openpyxl import Workbook
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "元数据"
    for row in (TEMPLATE, EXAMPLE):
        sheet.append(row)
    for column, values in (("D", tuple(ROLE_NAMES)), ("F", ("呼入", "呼出")), ("G", ("左", "右", "自动"))):
        choice = DataValidation(type="list", formula1=f'"{",".join(values)}"', allow_blank=True)
        sheet.add_data_validation(choice)
        choice.add(f"{column}2:{column}10000")
    for column, width in zip("ABCDEFG", (28, 10, 10, 12, 18, 8, 10), strict=True):
        sheet.column_dimensions[column].width = width
        for cell in sheet[column]:
            cell.number_format = "@"  # staff numbers keep their leading zeros
    sheet.freeze_panes = "A2"
    out = BytesIO()
    book.save(out)
    return out.getvalue()
