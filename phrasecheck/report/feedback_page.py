"""A report laid out once for all formats: a title and blocks, each with what it says and nothing about how it looks.

In: a Report. Out: a Page. The one decision: HTML, PDF and XLSX are drawn from the same blocks, so a number cannot differ between them;
words are respectful throughout: the person is told what to say, never what he is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from phrasecheck import figures as draw
from phrasecheck.feedback.courtesy import Courtesy
from phrasecheck.feedback.facts import Standing
from phrasecheck.feedback.reports import (
    AgentReport,
    Basis,
    CoachingPack,
    DirectorPage,
    PackPhrase,
    PhraseBlock,
    Practice,
    Report,
    RoleReport,
    Row,
    Shown,
    TeamReport,
)
from phrasecheck.feedback.sums import Figures, PhraseCount, Week
from phrasecheck.report.labels import amount, chinese
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import Severity

Cell = str | int | float | None
TOLD = 12  # kinds of violation told with their moments: more would be a book that nobody reads

STANDINGS = {
    Standing.COUNTED: "系统找出，尚未复核",
    Standing.CONFIRMED: "已由质检员确认",
    Standing.APPEALED: "申诉中，结果出来前暂计",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A figure that stands large, with a small line below."""

    label: str
    value: str
    small: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The figures at the top."""

    items: tuple[Number, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Paragraphs under a heading."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table. The first column is text; `wide`: columns that take what room there is."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    wide: frozenset[int] = field(default_factory=lambda: frozenset({0}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure, drawn when it is first asked for (a workbook shows none), and what it shows in a sentence for those who do not see it."""

    heading: str
    svg: Callable[[], str]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Praise:
    """What went well."""

    courtesies: tuple[Courtesy, ...]
    clean: int  # calls without a violation
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """Each phrase with its moments."""

    heading: str
    blocks: tuple[PhraseBlock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Single moments."""

    heading: str
    note: str
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The coaching pack's phrases."""

    heading: str
    phrases: tuple[PackPhrase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Practise:
    """Sentences to practise."""

    heading: str
    sentences: tuple[Practice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A page to sign."""

    name: str
    period: str
    practise: tuple[Practice, ...]


Block = Numbers | Words | Grid | Drawing | Praise | Phrases | Moments | Examples | Practise | Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report."""

    kicker: str
    title: str
    subtitle: str
    stem: str  # of the file's name
    blocks: tuple[Block, ...]
    basis: Basis


def page(report: Report) -> Page:
    """Laid out."""
    match report:
        case AgentReport():
            return _agent(report)
        case TeamReport():
            return _team(report)
        case RoleReport():
            return _role(report)
        case DirectorPage():
            return _director(report)
        case CoachingPack():
            return _coaching(report)


def _agent(report: AgentReport) -> Page:
    where = "、".join(map(chinese, report.roles[:3]))
    return Page(
        kicker="服务用语反馈",
        title=f"坐席 {report.name}",
        subtitle=" · ".join(filter(None, (report.team, where, report.period.label))),
        stem=f"坐席-{report.name}-{report.period.first}-{report.period.last}",
        blocks=tuple(_agent_blocks(report)),
        basis=report.basis,
    )


def _agent_blocks(report: AgentReport) -> Iterator[Block]:
    sums = report.figures
    if not sums.calls:
        yield Words(heading="本期没有通话", lines=(f"{report.period.label} 没有可计分的通话，所以没有分数，也没有可比的数字。",))
        yield Practise(heading="可以先练的三句话", sentences=report.practise)
        yield Sign(name=report.name, period=report.period.label, practise=report.practise)
        return
    yield _numbers(sums, report.basis.scoring.start)
    yield Words(heading="这些数字怎么看", lines=(report.comparison.sentence, *_trust(sums)))
    yield Praise(courtesies=report.courtesies, clean=sums.calls - sums.flagged, calls=sums.calls)
    yield Practise(heading="这一周练三句话", sentences=report.practise)
    if report.phrases:
        yield Phrases(heading="哪些地方可以说得更好", blocks=report.phrases[:TOLD])
    if report.phrases[TOLD:]:
        yield _others(report.phrases[TOLD:])
    yield _trend(report.weeks, report.team_weeks, report.basis.scoring.start, report.team)
    yield _weeks(report.weeks, report.team_weeks)
    yield Sign(name=report.name, period=report.period.label, practise=report.practise)


def _others(blocks: Sequence[PhraseBlock]) -> Grid:
    rows = tuple((b.phrase.id, b.phrase.text, b.count, round(b.points, 1), b.better) for b in blocks)
    note = f"上面是扣分最多的 {TOLD} 条；每一处的原话都在表格（XLSX）的「明细」里。"
    return Grid(heading="其余各条", columns=("条款", "禁语", "处数", "共扣分", "可以这样说"), rows=rows, wide=frozenset({1, 4}), note=note)


def _team(report: TeamReport) -> Page:
    return Page(
        kicker="班组服务用语报告",
        title=report.name,
        subtitle=report.period.label,
        stem=f"班组-{report.name}-{report.period.first}-{report.period.last}",
        blocks=tuple(_team_blocks(report)),
        basis=report.basis,
    )


def _team_blocks(report: TeamReport) -> Iterator[Block]:
    if not report.figures.calls:
        yield _nothing(report.period.label)
        return
    yield _numbers(report.figures, report.basis.scoring.start)
    yield _trend(report.weeks, (), report.basis.scoring.start, None)
    yield _severities([week.label for week in report.weeks], [week.figures for week in report.weeks], "每周每百通通话的违规处数")
    yield _weeks(report.weeks, ())
    yield Praise(courtesies=report.courtesies, clean=report.figures.calls - report.figures.flagged, calls=report.figures.calls)
    yield _rows("坐席", "各坐席", report.agents, "按工号排列，不排名次；通话不足的只列处数，不列分数。")
    yield _phrase_grid(report.phrases, "说得最多的条款", own=False)
    yield _moments(report.moments)
    yield Practise(heading="班组这一周练三句话", sentences=report.practise)


def _role(report: RoleReport) -> Page:
    return Page(
        kicker="岗位服务用语报告",
        title=f"{chinese(report.role)}岗位",
        subtitle=report.period.label,
        stem=f"岗位-{chinese(report.role)}-{report.period.first}-{report.period.last}",
        blocks=tuple(_role_blocks(report)),
        basis=report.basis,
    )


def _role_blocks(report: RoleReport) -> Iterator[Block]:
    if not report.figures.calls:
        yield _nothing(report.period.label)
        return
    yield _numbers(report.figures, report.basis.scoring.start)
    yield _severity_grid(report.figures)
    yield _phrase_grid(report.phrases, "条款（本岗位自己的在前）", own=True)
    yield _trend(report.weeks, (), report.basis.scoring.start, None)
    yield _severities([week.label for week in report.weeks], [week.figures for week in report.weeks], "每周每百通通话的违规处数")
    yield _weeks(report.weeks, ())
    yield _rows("班组", "各班组", report.teams, "通话不足的班组只列处数，不列分数。")
    if len(report.teams) > 1:
        yield _severities(
            [row.name for row in report.teams], [row.figures for row in report.teams], "各班组每百通通话的违规处数", across=True
        )
    yield _moments(report.moments)
    yield Practise(heading="本岗位这一周练三句话", sentences=report.practise)


def _director(report: DirectorPage) -> Page:
    return Page(
        kicker="服务用语总览",
        title="九个岗位",
        subtitle=report.period.label,
        stem=f"总览-{report.period.first}-{report.period.last}",
        blocks=tuple(_director_blocks(report)),
        basis=report.basis,
    )


def _director_blocks(report: DirectorPage) -> Iterator[Block]:
    if not report.figures.calls:
        yield _nothing(report.period.label)
        return
    yield _numbers(report.figures, report.basis.scoring.start)
    named = [Row(name=chinese(role), figures=row.figures, few=row.few) for role, row in report.roles]
    yield _rows("岗位", "各岗位", named, "通话不足的岗位只列处数，不列分数。一通电话里换了岗位的，在每个岗位各算一次。")
    yield _severities([row.name for row in named], [row.figures for row in named], "各岗位每百通通话的违规处数", across=True)
    yield _phrase_grid(report.phrases[:3], "扣分最多的三条", own=False)


def _coaching(pack: CoachingPack) -> Page:
    found = sum(len(phrase.examples) for phrase in pack.phrases)
    lines = (
        f"{len(pack.phrases)} 条禁语，{found} 个真实的例子，都隐去了个人信息。已由质检员确认的在前。",
        "例子是用来学的，不记坐席的名字；请不要去猜是谁说的。",
    )
    return Page(
        kicker="辅导材料",
        title=pack.name,
        subtitle=pack.period.label,
        stem=f"辅导-{pack.name}-{pack.period.first}-{pack.period.last}",
        blocks=(Words(heading="这份材料", lines=lines), Examples(heading="逐条例子", phrases=pack.phrases)),
        basis=pack.basis,
    )


def _nothing(period: str) -> Words:
    return Words(heading="本期没有通话", lines=(f"{period} 没有可计分的通话。",))


def _numbers(sums: Figures, start: float) -> Numbers:
    spread = f"按通话数估计在 {sums.spread.low:.1f} 到 {sums.spread.high:.1f} 之间" if sums.spread else "通话太少或各通得分相同，不估计范围"
    part = f"占 {sums.share.value:.1%}（{sums.share.low:.1%} 到 {sums.share.high:.1%}）" if sums.share else ""
    return Numbers(
        items=(
            Number(label="平均得分", value=cell(sums.points), small=f"满分 {amount(start)}；{spread}"),
            Number(label="通话", value=str(sums.calls), small=f"{sums.cards} 张计分卡" if sums.cards != sums.calls else "都有计分卡"),
            Number(label="有违规的通话", value=str(sums.flagged), small=part),
            Number(label="违规", value=f"{sums.violations} 处", small=f"每百通 {cell(sums.per_100())} 处"),
            Number(label="一票否决", value=str(sums.failed), small="张计分卡"),
        )
    )


def _trust(sums: Figures) -> Iterator[str]:
    if sums.violations:
        yield f"计入的 {sums.violations} 处里，{sums.confirmed} 处已由质检员确认，{sums.appealed} 处正在申诉（结果出来前暂计）。"
    if sums.cleared:
        yield f"另有 {sums.cleared} 处复核时被驳回或申诉成立，一分也不计，也不再出现在这里。"
    if sums.open:
        yield f"还有 {sums.open} 处系统拿不准，等质检员听过再定，现在不计。"


def _trend(weeks: Sequence[Week], team: Sequence[Week], start: float, name: str | None) -> Drawing:
    own = draw.Line(name="本人" if name else "平均得分", values=[week.figures.points for week in weeks])
    others = [draw.Line(name=name, values=[week.figures.points for week in team])] if name else []
    says = "各周平均得分：" + "，".join(f"{week.label} 起 {cell(week.figures.points)}" for week in weeks)
    return Drawing(
        heading="每周平均得分",
        svg=cache(partial(draw.lines, [week.label for week in weeks], [own, *others], "平均得分", start)),
        says=f"{says}。",
    )


def _severities(ticks: Sequence[str], sums: Sequence[Figures], heading: str, *, across: bool = False) -> Drawing:
    parts = {severity.value: [figures.per_100(severity) or 0.0 for figures in sums] for severity in Severity}
    says = "，".join(f"{tick} {cell(figures.per_100())}" for tick, figures in zip(ticks, sums, strict=True))
    svg = cache(partial(draw.stacked, ticks, parts, "每百通处数", across=across))
    return Drawing(heading=heading, svg=svg, says=f"{heading}：{says}。")


def _weeks(weeks: Sequence[Week], team: Sequence[Week]) -> Grid:
    columns = ["每周", "通话", "平均得分", "有违规的通话", "违规", "每百通违规"]
    rows: list[tuple[Cell, ...]] = []
    for place, week in enumerate(weeks):
        sums = week.figures
        beside = (_one(team[place].figures.points),) if team else ()
        when = f"{week.label} 至 {week.sunday:%m-%d}"
        rows.append((when, sums.calls, _one(sums.points), sums.flagged, sums.violations, _one(sums.per_100()), *beside))
    return Grid(heading="每周数字", columns=(*columns, *(["班组得分"] if team else [])), rows=tuple(rows))


def _rows(what: str, heading: str, rows: Sequence[Row], note: str) -> Grid:
    severities = [severity.value for severity in Severity]
    return Grid(
        heading=heading,
        columns=(what, "通话", "有违规的通话", "平均得分", "一票否决", "违规", *(f"每百通{name}" for name in severities)),
        rows=tuple(_row(row) for row in rows),
        note=note,
    )


def _row(row: Row) -> tuple[Cell, ...]:
    sums = row.figures
    points = "通话不足" if row.few and sums.calls else _one(sums.points)
    return (
        row.name,
        sums.calls,
        sums.flagged,
        points,
        sums.failed,
        sums.violations,
        *(_one(sums.per_100(severity)) for severity in Severity),
    )


def _severity_grid(sums: Figures) -> Grid:
    rows = tuple((severity.value, sums.counted[severity], _one(sums.per_100(severity))) for severity in Severity)
    return Grid(heading="按严重程度", columns=("严重程度", "处数", "每百通"), rows=rows)


def _phrase_grid(counts: Sequence[PhraseCount], heading: str, *, own: bool) -> Grid:
    columns = ("条款", "禁语", "严重程度", "处数", "共扣分", *(["本岗位"] if own else []))
    rows = tuple(
        (
            c.phrase.id,
            c.phrase.text,
            c.phrase.severity.value,
            c.count,
            round(c.points, 1),
            *(["是" if c.own else "通用或其他"] if own else []),
        )
        for c in counts
    )
    return Grid(heading=heading, columns=columns, rows=rows, wide=frozenset({1}), note="" if rows else "本期没有违规。")


def _moments(shown: Sequence[Shown]) -> Moments:
    return Moments(heading="最能说明问题的几处", note="不写是谁说的：放在这里是给大家学的。", shown=tuple(shown))


def _one(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def cell(value: Cell) -> str:
    """A cell as it is read: one place for what is no whole number, a dash for nothing."""
    return "—" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def weights(settings: ScoreSettings) -> str:
    """The score settings in one Chinese sentence."""
    parts = [f"起始 {amount(settings.start)} 分", "每处" + _prices(settings.deductions)]
    if settings.other_section_factor != 1:
        parts.append(f"其他岗位的条款乘以 {amount(settings.other_section_factor)}")
    parts += [f"{chinese(role)}岗位另为{_prices(own)}" for role, own in settings.role_deductions.items() if own]
    parts += [f"{severity}合计最多扣 {amount(cap)} 分" for severity, cap in settings.caps.items()]
    parts.append(f"同一条 {amount(settings.repeat_window_s)} 秒内重复只计一次")
    fatal = "词库标明的" if settings.fatal is None else "、".join(settings.fatal) or "没有"
    parts.append(f"一票否决（{fatal}）最多剩 {amount(settings.fatal_points)} 分")
    return "；".join(parts)


def _prices(prices: dict[Severity, float]) -> str:
    return "、".join(f"{severity}扣 {amount(points)} 分" for severity, points in prices.items())


def basis_lines(basis: Basis) -> tuple[str, ...]:
    """How the figures were made, for the end of every report."""
    checked = "、".join(f"{name}（{calls} 通）" for name, calls in basis.checked_with) or "没有通话"
    lines = [f"计分：{weights(basis.scoring)}。", f"词库：{basis.lexicon}（{basis.lexicon_sha256[:12]}）；检查时用的：{checked}。"]
    if basis.unscored:
        lines.append(f"{basis.unscored} 通电话里认不出哪一方是坐席，没有计分卡，不在上面的通话数里。")
    return (*lines, *basis.remarks, f"软件：{basis.software}。95% 区间：违规通话占比用 Wilson 法，平均得分用 t 分布。")
