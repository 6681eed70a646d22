"""What a QA team knows about its recordings: a CSV or XLSX table, one row a file.

In: the table, with Chinese or English headings. Out: per file name a row, and Requests completed by it. Unknown columns are kept as they are.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    "方向": "direction",
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
OURS = ("file", "agent", "team", "role", "agent_channel")


def read_metadata(path: Path) -> dict[str, dict[str, str]]:
    """Rows by file name. Raises InputError with the row's number for anything that cannot be used."""
    rows = list(_rows(path))
    if not rows or "file" not in rows[0]:
        raise InputError(f"{path}：第一行应有「文件」（file）一列，另可有 坐席、团队、岗位、坐席声道、时间、方向")
    table: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 2):
        name = Path(row["file"]).name
        if not name:
            continue
        if name in table:
            raise InputError(f"{path} 第 {number} 行：文件 {name} 出现了两次，请只留一行")
        _check(path, number, row)
        table[name] = row
    return table


def _rows(path: Path) -> Iterable[dict[str, str]]:
    try:
        lines = _xlsx(path) if path.suffix.lower() == ".xlsx" else _csv(path)
    except OSError as error:
        raise InputError(f"读不了元数据表 {path}：{error}") from error
    if not lines:
        return
    names = [HEADINGS.get(str(h).strip(), str(h).strip()) for h in lines[0]]
    for line in lines[1:]:
        yield {name: str(value if value is not None else "").strip() for name, value in zip(names, line, strict=False)}


def _csv(path: Path) -> list[list[Any]]:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):  # what Excel in China saves
        try:
            return list(csv.reader(data.decode(encoding).splitlines()))
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path} 的编码应为 UTF-8 或 GBK，请在 Excel 里另存为「CSV UTF-8」")


def _xlsx(path: Path) -> list[list[Any]]:
    from openpyxl import load_workbook

    sheet = load_workbook(path, read_only=True, data_only=True).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def _check(path: Path, number: int, row: Mapping[str, str]) -> None:
    if row.get("role") and _role(row["role"]) is None:
        raise InputError(f"{path} 第 {number} 行：岗位「{row['role']}」不认识，应为 {'、'.join(ROLE_NAMES)} 或 {'、'.join(Role)}")
    if row.get("agent_channel", "") not in CHANNELS:
        raise InputError(f"{path} 第 {number} 行：坐席声道「{row['agent_channel']}」应为 左、右、自动（left、right、auto）")


def _role(name: str) -> Role | None:
    return ROLE_NAMES.get(name) or (Role(name) if name in set(Role) else None)


def apply_metadata(request: Request, table: Mapping[str, Mapping[str, str]]) -> Request:
    """The request with its row's values over the options'; unchanged when the table has no such file."""
    row = table.get(request.path.name)
    if row is None:
        return request
    return replace(
        request,
        role=_role(row.get("role", "")) or request.role,
        agent_channel=CHANNELS[row["agent_channel"]] if row.get("agent_channel") else request.agent_channel,
        agent=row.get("agent") or None,
        team=row.get("team") or None,
        metadata={name: value for name, value in row.items() if name not in OURS and value},
    )
