"""The results of a run as a table in the terminal.

In: the results, the recordings that could not be read with the reason, the lexicon. Out: nothing; it prints. The one decision: what
people said is printed as plain Text, never as markup, so that a «[red]» in a transcript stays what it is.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from phrasecheck.report.labels import amount, chinese, clock
from phrasecheck.report.view import HitView, hit_views
from phrasecheck.types import CallResult, HitState, Severity

if TYPE_CHECKING:
    from rich.console import Console

    from phrasecheck.lexicon import Lexicon

GRAVITY = {severity: rank for rank, severity in enumerate(Severity)}
NUMBERS = ("时长", "得分", "命中", "存疑")


def summary(results: Sequence[CallResult], failures: Sequence[tuple[str, str]], lexicon: "Lexicon", console: "Console") -> None:
    """Prints a row per call, then what could not be read, then the totals. `failures` are recordings with the reason."""
    if results:
        console.print(_table(results, lexicon))
    for name, reason in failures:
        console.print(Text.assemble(("读不了 ", "bold red"), (Path(name).name, "bold"), "：", reason.removeprefix(f"{name}：")))
    console.print(_totals(results, failures))


def worst(result: CallResult, lexicon: "Lexicon") -> HitView | None:
    """The gravest hit that costs points: fatal first, then by severity, then the surest; None where none does."""
    counted = [view for view in hit_views(result, lexicon) if view.finding is not None and view.finding.counted]
    return max(counted, key=_gravity, default=None)


def _gravity(view: HitView) -> tuple[bool, int, float]:
    assert view.finding is not None
    return view.finding.fatal, GRAVITY[view.finding.severity], view.hit.score


def _table(results: Sequence[CallResult], lexicon: "Lexicon") -> Table:
    table = Table(title="服务禁语检查", title_justify="left", header_style="bold")
    for heading in ("录音", "时长", "岗位", "得分", "命中", "存疑"):
        table.add_column(heading, justify="right" if heading in NUMBERS else "left", no_wrap=heading in NUMBERS, overflow="fold")
    table.add_column("最严重的一句", ratio=1, overflow="fold")
    for result in results:
        table.add_row(*_row(result, lexicon))
    return table


def _row(result: CallResult, lexicon: "Lexicon") -> list[Text]:
    cards = result.scorecards
    return [
        Text(Path(result.call.source).name),
        Text(clock(result.call.seconds)),
        Text("\n".join(chinese(card.role) for card in cards) or chinese(result.call.role)),
        Text("\n").join(Text(amount(card.points), "bold red" if card.failed else "bold") for card in cards) if cards else Text("—"),
        _count(result, HitState.HIT),
        _count(result, HitState.DOUBTFUL),
        _worst_text(worst(result, lexicon)),
    ]


def _count(result: CallResult, state: HitState) -> Text:
    count = sum(hit.state is state for hit in result.hits)
    return Text(str(count), "dim" if count == 0 else "")


def _worst_text(view: HitView | None) -> Text:
    if view is None or view.finding is None:
        return Text("—", "dim")
    label = f"{view.hit.phrase_id} {view.finding.severity}"
    return Text.assemble((f"{clock(view.start)} {label} ", "bold"), f"「{view.hit.quote}」")


def _totals(results: Sequence[CallResult], failures: Sequence[tuple[str, str]]) -> Text:
    hits = sum(hit.state is HitState.HIT for result in results for hit in result.hits)
    doubtful = sum(hit.state is HitState.DOUBTFUL for result in results for hit in result.hits)
    points = [card.points for result in results for card in result.scorecards]
    mean = f"，平均 {fmean(points):.1f} 分" if points else ""
    failed = f"；{len(failures)} 个录音读不了" if failures else ""
    return Text(f"共 {len(results)} 通，命中 {hits} 处，存疑 {doubtful} 处{mean}{failed}。", "bold")
