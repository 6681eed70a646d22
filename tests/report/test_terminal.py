"""What the terminal says after a run."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from phrasecheck.report.terminal import summary, worst
from phrasecheck.types import CallResult
from tests.report.samples import call_result, checked, hit, lexicon, said, transcript


def printed(results: list[CallResult], failures: list[tuple[str, str]]) -> str:
    out = StringIO()
    summary(results, failures, lexicon(), Console(file=out, width=140, color_system=None))
    return out.getvalue()


def test_a_row_a_call_and_the_totals() -> None:
    clean = checked("call-2", "call-2.wav", 30, transcript(said(0, "您好。")), ())
    text = printed([call_result(), clean], [("录音/坏.wav", "录音/坏.wav：文件是空的。")])
    (row,) = [line for line in text.splitlines() if "call-1.wav" in line]
    for shown in ("01:20", "查勘", "60", "5", "1", "00:22 9.1.10 严重 「有意见告去」"):
        assert shown in row
    assert "读不了 坏.wav：文件是空的。" in text
    assert text.splitlines()[-1] == "共 2 通，命中 5 处，存疑 1 处，平均 80.0 分；1 个录音读不了。"


def test_the_worst_is_fatal_then_grave_then_sure() -> None:
    talk = said(0, "我就这态度，有意见告去，你问我我问谁")
    grave, fatal, less = hit(talk, "9.1.10", "有意见告去"), hit(talk, "9.1.13", "我就这态度"), hit(talk, "9.1.14", "你问我我问谁")
    book = lexicon()

    def of(*hits: object) -> str | None:
        found = worst(checked("c", "c.wav", 60, transcript(talk), hits), book)  # type: ignore[arg-type]
        return found.hit.phrase_id if found else None

    assert of(less, grave, fatal) == "9.1.13"
    assert of(less, grave) == "9.1.10"
    assert of(replace(less, score=0.6)) == "9.1.14"
    assert of() is None


def test_what_was_said_is_not_markup() -> None:
    talk = said(0, "[red]有意见告去[/red]")
    result = checked("c", "[b]c.wav", 60, transcript(talk), (hit(talk, "9.1.10", "[red]有意见告去[/red]"),))
    text = printed([result], [("[x].wav", "[/bad]")])
    assert "[red]有意见告去[/red]" in text
    assert "[b]c.wav" in text
    assert "[/bad]" in text


def test_a_run_of_failures_only() -> None:
    text = printed([], [("a.wav", "坏")])
    assert text.splitlines() == ["读不了 a.wav：坏", "共 0 通，命中 0 处，存疑 0 处；1 个录音读不了。"]
