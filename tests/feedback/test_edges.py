"""Reports at the edges read well: no calls, one call, four hundred hits; and the looks of pages and prints, as far as a test can see."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from phrasecheck import figures, handout
from phrasecheck.feedback.make import Maker, agent_report
from phrasecheck.feedback.reports import AgentReport
from phrasecheck.handout import maker
from phrasecheck.report.feedback_html import href, when
from phrasecheck.report.feedback_page import page
from phrasecheck.report.feedback_pdf import CLOSING, Sheet
from phrasecheck.report.folder import Results
from phrasecheck.settings import FeedbackSettings, Settings
from phrasecheck.types import Role
from tests import month
from tests.feedback.conftest import OCTOBER
from tests.month import Planned, Plant

HUMILIATING = ("差劲", "垃圾", "最差", "倒数", "丢人", "排名第", "素质")


def of(*calls: Planned) -> Maker:
    return maker(Results(tuple(month.result(call) for call in calls)), month.lexicon(), Settings())


def call(number: int, plants: tuple[Plant, ...] = (), agent: str = "B01") -> Planned:
    at = datetime(2026, 10, 6, 2, tzinfo=UTC) + timedelta(minutes=number)
    return Planned(number=number, agent=agent, team="己组", role=Role.SURVEY, said_at=at, plants=plants, courteous=False)


def reports() -> dict[str, AgentReport]:
    """By name: nobody, one call with nothing, one with something, 400 hits."""
    phrases = list(month.lexicon().phrases)
    many = tuple(
        call(n, tuple(Plant(phrase=phrases[(n * 8 + k) % len(phrases)], at=20.0 + 30 * k) for k in range(8))) for n in range(1, 51)
    )
    return {
        "none": agent_report(of(call(1)), "nobody", OCTOBER),
        "clean": agent_report(of(call(1)), "B01", OCTOBER),
        "one": agent_report(of(call(1, (Plant(phrase="9.5.10", at=20),))), "B01", OCTOBER),
        "many": agent_report(of(*many), "B01", OCTOBER),
    }


@pytest.fixture(scope="module")
def made() -> dict[str, AgentReport]:
    return reports()


@pytest.mark.parametrize("name", ["none", "clean", "one", "many"])
def test_it_reads_well(made: dict[str, AgentReport], name: str) -> None:
    report, with_ = made[name], of()
    files = {file.name.rpartition(".")[2]: file.body for file in handout.files(report, handout.FORMATS, with_, OCTOBER)}
    html = files["html"].decode()
    assert "None" not in html
    assert "nan" not in html.replace("nancy", "").split("<svg")[0]
    assert not any(word in html for word in HUMILIATING)
    assert html.count('<li><p class="say">') == 3
    assert "面谈记录" in html
    assert len(PdfReader(BytesIO(files["pdf"])).pages) >= 2
    assert load_workbook(BytesIO(files["xlsx"])).sheetnames == ["数字", "明细"]


def test_four_hundred_hits_are_told_in_part_and_listed_in_full(made: dict[str, AgentReport]) -> None:
    report = made["many"]
    assert report.figures.violations == 400
    assert all(len(block.shown) <= 5 for block in report.phrases)
    assert sum(block.count for block in report.phrases) == 400
    (file,) = handout.files(report, ["xlsx"], of(), OCTOBER)
    assert load_workbook(BytesIO(file.body))["明细"].max_row == 401


def test_a_book_is_no_report(made: dict[str, AgentReport]) -> None:
    """The costliest kinds with their moments, the others in a table: what is printed stays in the hand."""
    (file,) = handout.files(made["many"], ["pdf"], of(), OCTOBER)
    pages = PdfReader(BytesIO(file.body)).pages
    assert len(pages) <= 15
    text = "".join(one.extract_text() for one in pages).replace("\0", "")  # pypdf reads UTF-16 by halves
    assert all(block.phrase.id in text for block in made["many"].phrases)


def test_one_call_is_not_compared(made: dict[str, AgentReport]) -> None:
    report = made["one"]
    assert report.comparison.apart is None
    assert "本期共 1 通，不足 10 通，分数只供参考，不与他人比较" in report.comparison.sentence
    assert report.figures.spread is None
    assert next(practice.phrase.id for practice in report.practise) == "9.5.10"


def test_a_moment_says_when_and_leads_there(made: dict[str, AgentReport]) -> None:
    shown = made["one"].phrases[0].shown[0]
    assert when(shown, OCTOBER.zone) == "10月6日 10:01 的通话，00:20 处"
    assert href(shown, "https://qa/{call}?t={at}") == "https://qa/call-001?t=18.0"
    assert href(shown, "") == ""


def test_what_strangers_said_stays_text() -> None:
    report = agent_report(
        of(call(1, (Plant(phrase="9.5.10", at=20),), agent="<script>alert(1)</script>")), "<script>alert(1)</script>", OCTOBER
    )
    for file in handout.files(report, ["html"], of(), OCTOBER):
        assert b"<script" not in file.body
        assert "/" not in file.name
        assert "<" not in file.name


def test_fewer_moments_where_the_settings_say_so() -> None:
    calls = [call(n, (Plant(phrase="9.5.10", at=20),)) for n in range(12)]
    with_ = replace(of(*calls), settings=Settings(feedback=FeedbackSettings(shown=2)))
    block = agent_report(with_, "B01", OCTOBER).phrases[0]
    assert (block.count, len(block.shown), block.more) == (12, 2, 10)


# --- prints and figures -------------------------------------------------------------------------------------------------------------


def test_chinese_lines_do_not_begin_with_a_closing_mark(made: dict[str, AgentReport]) -> None:
    sheet = Sheet(page(made["one"]), OCTOBER.zone, "")
    sheet.pdf.set_font("noto", size=10)
    words = "您的意见我认真记下了，我先把能解决的给您解决，其余的马上报给主管（姓李），请主管给您回电。ABC 123.5 分，好。" * 4
    for width in range(30, 120, 7):
        lines = sheet.wrapped(words, width).split("\n")
        assert "".join(lines) == words
        assert all(sheet.pdf.get_string_width(line) <= width for line in lines)
        assert not any(line[0] in CLOSING for line in lines[1:])
        assert not any(line[-1] in "（“" for line in lines)


def test_every_character_of_lexicon_and_reports_is_in_the_font() -> None:
    from matplotlib.ft2font import FT2Font

    known = set(FT2Font(str(figures.font())).get_charmap())
    said = "".join(p.text + p.why + p.instead + p.severity_reason for p in month.lexicon().phrases.values()) + "—·【】○●→−①"
    assert {char for char in said if ord(char) not in known} == set()


def test_equal_numbers_give_equal_figures() -> None:
    one, again = (figures.lines(["10-05", "10-12"], [figures.Line(name="本人", values=[90, None])], "平均得分", 100) for _ in range(2))
    assert one == again
    assert one.startswith("<svg")
    assert "<text" not in one  # letters are shapes: no font is needed where it is read


def test_the_colours_of_severities_differ_on_a_grey_print() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light = [lightness(colour) for colour in figures.BARS]
    assert all(before - after > 50 for before, after in itertools.pairwise(light))
