"""The metadata table: Chinese and English headings, CSV in both encodings, XLSX, and clear errors."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from phrasecheck.errors import InputError
from phrasecheck.metadata import Known, apply_metadata, known, read_metadata, said_at, template_csv, template_xlsx
from phrasecheck.pipeline import Request
from phrasecheck.types import Role

CHINESE = "文件,坐席,团队,岗位,坐席声道,时间,保单号\ncall1.wav,3077,一组,查勘,左,2026-11-02 10:00,P1\n"
ENGLISH = "file,agent,team,role,agent_channel\ncall1.wav,3077,A,survey,left\n"


@pytest.mark.parametrize(("text", "encoding"), [(CHINESE, "utf-8"), (CHINESE, "utf-8-sig"), (CHINESE, "gb18030"), (ENGLISH, "utf-8")])
def test_a_csv_completes_the_request(tmp_path: Path, text: str, encoding: str) -> None:
    table = tmp_path / "meta.csv"
    table.write_bytes(text.encode(encoding))
    request = apply_metadata(Request(path=Path("/calls/call1.wav")), read_metadata(table))
    assert (request.agent, request.role, request.agent_channel) == ("3077", Role.SURVEY, "left")


def test_columns_that_are_not_ours_are_kept(tmp_path: Path) -> None:
    table = tmp_path / "meta.csv"
    table.write_text(CHINESE, encoding="utf-8")
    assert apply_metadata(Request(path=Path("call1.wav")), read_metadata(table)).metadata == {"time": "2026-11-02 10:00", "保单号": "P1"}


def test_an_xlsx_is_read_alike(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (["文件名", "岗位", "工号"], ["call1.wav", "定损", 88]):
        sheet.append(row)
    book.save(tmp_path / "meta.xlsx")
    request = apply_metadata(Request(path=Path("call1.wav")), read_metadata(tmp_path / "meta.xlsx"))
    assert (request.role, request.agent) == (Role.LOSS_ASSESSMENT, "88")


def test_a_file_without_a_row_stays_as_it_was(tmp_path: Path) -> None:
    table = tmp_path / "meta.csv"
    table.write_text(ENGLISH, encoding="utf-8")
    request = Request(path=Path("other.wav"), role=Role.SALES)
    assert apply_metadata(request, read_metadata(table)) == request


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("坐席\n3077\n", "「文件」"),
        ("文件,岗位\na.wav,厨师\n", "第 2 行：岗位「厨师」"),
        ("文件,坐席声道\na.wav,中\n", "第 2 行：坐席声道「中」"),
        ("文件\na.wav\na.wav\n", "第 3 行：文件 a.wav 出现了两次"),
    ],
)
def test_faults_name_the_row_and_what_was_expected(tmp_path: Path, text: str, says: str) -> None:
    table = tmp_path / "meta.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_metadata(table)


def test_a_missing_table_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="读不了元数据表"):
        read_metadata(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "time", ["2026-11-02 10:00", "2026/11/2 10:00", "2026年11月2日 10:00", "2026.11.02 10:00", "20261102100000", "2026-11-02T10:00:00"]
)
def test_times_as_people_and_switches_write_them(time: str) -> None:
    assert said_at(time) == datetime(2026, 11, 2, 10).astimezone()


def test_a_time_may_name_its_zone() -> None:
    assert said_at("2026-11-02T10:00:00+08:00") == datetime(2026, 11, 2, 2, tzinfo=UTC)


@pytest.mark.parametrize("time", ["上午", "0001-01-01", "99999999999", "2026-13-02", ""])
def test_what_is_no_time(time: str) -> None:
    assert said_at(time) is None


@pytest.mark.parametrize(
    ("text", "says"), [("文件,时间\na.wav,上午\n", "第 2 行：时间「上午」"), ("文件,方向\n\na.wav,横向\n", "第 3 行：方向「横向」")]
)
def test_times_and_directions_are_checked(tmp_path: Path, text: str, says: str) -> None:
    table = tmp_path / "meta.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_metadata(table)


def test_a_row_as_values() -> None:
    row = {"file": "a.wav", "role": "查勘", "agent": "007", "direction": "外呼", "agent_channel": "左", "保单号": "P1", "team": ""}
    assert known(row) == Known(role=Role.SURVEY, agent="007", direction="out", agent_channel="left", extra={"保单号": "P1"})


def test_a_quoted_line_break_and_folders_in_a_csv(tmp_path: Path) -> None:
    table = tmp_path / "meta.csv"
    table.write_text('文件,备注\r\n"d:\\早\\a.wav","一\n二"\r\n', encoding="utf-8")
    assert read_metadata(table)["a.wav"]["备注"] == "一\n二"


def test_the_templates_are_read(tmp_path: Path) -> None:
    for name, made in (("t.csv", template_csv()), ("t.xlsx", template_xlsx())):
        (tmp_path / name).write_bytes(made)
        (row,) = read_metadata(tmp_path / name).values()
        assert known(row).said_at == datetime(2026, 11, 2, 10).astimezone()
