"""The workbook and the CSV, read back."""

import csv
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from phrasecheck.report.xlsx import write_csv, write_xlsx
from phrasecheck.types import CallResult
from tests.report.samples import call_result, checked, hit, lexicon, said, transcript

FAILED = [("录音/坏.wav", "录音/坏.wav：文件是空的（0 字节）。请重新导出录音。")]


@pytest.fixture
def book(tmp_path: Path) -> Any:
    clean = checked("call-2", "call-2.wav", 30, transcript(said(0, "您好。")), ())
    write_xlsx([call_result(), clean], FAILED, lexicon(), tmp_path / "all.xlsx")
    return load_workbook(tmp_path / "all.xlsx")


def rows(sheet: Any) -> list[dict[str, Any]]:
    heading, *rest = sheet.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rest]


def test_a_row_a_call(book: Any) -> None:
    first, second = rows(book["概览"])
    assert (first["录音"], first["时长"], first["岗位"], first["最低得分"]) == ("call-1.wav", timedelta(seconds=80), "查勘", 60)
    assert (first["命中"], first["计分"], first["存疑"], first["客服声道"]) == (5, 3, 1, "左声道")
    assert (second["录音"], second["最低得分"], second["命中"], second["一票否决"]) == ("call-2.wav", 100, 0, "否")


def test_a_row_a_hit(book: Any) -> None:
    found = rows(book["命中"])
    assert [row["条款"] for row in found] == ["9.1.14", "9.1.10", "9.1.10", "9.2.04", "9.1.08", "9.1.10"]
    assert found[1] | {"时间": None} == {
        "录音": "call-1.wav",
        "序号": 2,
        "时间": None,
        "说话人": "客服",
        "岗位": "查勘",
        "条款": "9.1.10",
        "条款原文": "有意见,告去。",
        "严重程度": "严重",
        "原话": "有意见告去",
        "可能性": 0.9,
        "状态": "命中",
        "扣分": 20,
        "计分说明": "严重：例",
        "判断依据": "「有意见告去」与条款 9.1.10 字面一致",
        "可以这样说": "我马上帮您处理。",
        "方法": "字面一致、意思相近",
    }
    assert found[1]["时间"].total_seconds() == pytest.approx(22.692)
    assert [row["扣分"] for row in found] == [10, 20, 0, 10, 0, 0]
    assert found[5]["说话人"] == "说话人未确定"


def test_roles_and_failures(book: Any) -> None:
    assert rows(book["按角色"]) == [
        {"岗位": "查勘", "通话数": 2, "计分命中": 3, "未计分": 3, "平均得分": 80, "最低得分": 60, "一票否决": 0}
    ]
    assert rows(book["失败"]) == [{"录音": "录音/坏.wav", "原因": "文件是空的（0 字节）。请重新导出录音。"}]


def test_the_sheets_are_ready_to_work_with(book: Any) -> None:
    assert book.sheetnames == ["概览", "命中", "按角色", "失败"]
    for sheet in book.worksheets:
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet["A1"].font.bold
        assert sheet.column_dimensions["A"].width >= 12
    assert book["命中"]["C2"].number_format == "[mm]:ss"


def with_quote(quote: str) -> CallResult:
    result = call_result()
    talk = said(0, quote + "有意见告去")
    return replace(result, transcript=transcript(talk), hits=(replace(hit(talk, "9.1.10", "有意见告去"), quote=quote),), scorecards=())


@pytest.mark.parametrize("quote", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("x")'])
def test_text_is_never_a_formula(tmp_path: Path, quote: str) -> None:
    write_xlsx([with_quote(quote)], [(quote, quote)], lexicon(), tmp_path / "x.xlsx")
    book = load_workbook(tmp_path / "x.xlsx")
    for cell in (book["命中"]["I2"], book["失败"]["A2"], book["失败"]["B2"]):
        assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", quote, True)
    write_csv([with_quote(quote)], lexicon(), tmp_path / "x.csv")
    (row,) = csv.DictReader((tmp_path / "x.csv").read_text(encoding="utf-8-sig").splitlines())
    assert row["原话"] == "'" + quote


def test_control_characters_do_not_stop_it(tmp_path: Path) -> None:
    write_xlsx([with_quote("坏\x00\x0b字")], [], lexicon(), tmp_path / "x.xlsx")
    assert load_workbook(tmp_path / "x.xlsx")["命中"]["I2"].value == "坏字"


def test_the_csv_is_the_hits_table_as_text(tmp_path: Path) -> None:
    write_csv([call_result()], lexicon(), tmp_path / "hits.csv")
    assert (tmp_path / "hits.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader((tmp_path / "hits.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(found) == 6
    assert (found[1]["时间"], found[1]["可能性"], found[1]["扣分"], found[1]["原话"]) == ("00:22", "90%", "20", "有意见告去")


def test_nothing_at_all_still_is_a_workbook(tmp_path: Path) -> None:
    write_xlsx([], [], lexicon(), tmp_path / "x.xlsx")
    assert [sheet.max_row for sheet in load_workbook(tmp_path / "x.xlsx").worksheets] == [1, 1, 1, 1]
