"""phrasecheck report: feedback for an agent, a team, a role, the director; the coaching pack; reports that are due; weights tried out on a past month."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import settings_file_option
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.feedback.facts import Source
    from phrasecheck.feedback.period import Period
    from phrasecheck.feedback.preview import Change
    from phrasecheck.handout import Asked
    from phrasecheck.lexicon import Lexicon
    from phrasecheck.settings import Settings
    from phrasecheck.store.store import Store

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command(
    help=say(
        "给坐席、班组、岗位、负责人的反馈报告，和辅导材料。", "Feedback reports for an agent, a team, a role, the director; coaching packs."
    )
)
@click.option("--agent", help=say("坐席（工号）", "An agent (staff number)"))
@click.option("--team", help=say("班组", "A team"))
@click.option("--role", help=say("岗位，如 survey 或 查勘", "A role"))
@click.option("--director", is_flag=True, help=say("九个岗位一页", "All nine roles on a page"))
@click.option(
    "--coaching",
    is_flag=True,
    help=say("辅导材料：按条款的真实例子；可与上面一项合用", "Coaching pack: real examples; may go with one of the above"),
)
@click.option("--from", "first", type=_DAY, help=say("起始日期（含），默认上个月一日", "First day [first of last month]"))
@click.option("--to", "last", type=_DAY, help=say("截止日期（含），默认上个月末日", "Last day [last of last month]"))
@click.option("--format", "formats", default="html,pdf,xlsx", show_default=True, help=say("html、pdf、xlsx，逗号分隔", "html, pdf, xlsx"))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("phrasecheck-reports"),
    show_default=True,
    help=say("写到哪个文件夹", "Folder to write to"),
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help=say("从 check 的结果文件夹取数，不用数据库", "Read a folder of result files, not the store"),
)
@click.option("--due", is_flag=True, help=say("做出到期的定期报告", "Make the scheduled reports that are due"))
@click.option(
    "--preview",
    type=click.Path(path_type=Path),
    help=say("用这份设置里的权重看过去一期会是多少分", "How the period would have read with this file's weights"),
)
@settings_file_option
def report(
    agent: str | None,
    team: str | None,
    role: str | None,
    director: bool,
    coaching: bool,
    first: datetime | None,
    last: datetime | None,
    formats: str,
    out: Path,
    results: Path | None,
    due: bool,
    preview: Path | None,
    settings_file: Path | None,
) -> None:
    """Says which files were written."""
    from phrasecheck.settings import load_settings

    settings = load_settings(settings_file)
    whole = (first.date() if first else None, last.date() if last else None)
    with _source(results, settings) as (source, store):
        if due:
            _make_due(store, settings)
        elif preview is not None:
            _show_preview(source, _lexicon(store, settings), settings, load_settings(preview), whole)
        else:
            asked = _asked({"agent": agent, "team": team, "role": role}, director, coaching, whole, settings)
            _write(asked, source, settings, formats, out, store)


def _write(asked: "Asked", source: "Source", settings: "Settings", formats: str, out: Path, store: "Store | None") -> None:
    from phrasecheck import handout

    with_ = handout.maker(source, _lexicon(store, settings), settings)
    names = [name.strip() for name in formats.split(",") if name.strip()]
    try:
        for file in handout.files(handout.make(asked, with_), names, with_, asked.period, store):
            click.echo(handout.write(file, out))
    except ModuleNotFoundError as error:
        raise InputError(f"出报告需要 report 依赖，缺少 {error.name}：请运行 pip install 'phrasecheck[report]'") from error


def _asked(
    named: dict[str, str | None], director: bool, coaching: bool, whole: tuple[date | None, date | None], settings: "Settings"
) -> "Asked":
    from phrasecheck.feedback.reports import Kind
    from phrasecheck.handout import Asked

    given = [(Kind(kind), name) for kind, name in named.items() if name is not None]
    if len(given) + director != 1 and not (coaching and not given and not director):
        raise InputError("请给出 --agent、--team、--role、--director 中的一个（--coaching 可以单独用，也可以加上前三个之一）")
    when = _period(whole, settings)
    kind, name = given[0] if given else (Kind.DIRECTOR, "")
    if coaching:
        return Asked(kind=Kind.COACHING, name=name, of=kind if given else None, period=when)
    return Asked(kind=kind, name=name, period=when)


def _period(whole: tuple[date | None, date | None], settings: "Settings") -> "Period":
    from phrasecheck.feedback.period import period

    offset = settings.feedback.utc_offset
    return period(*whole, _today(offset), offset)


def _lexicon(store: "Store | None", settings: "Settings") -> "Lexicon":
    """The one in force, the company's own phrases with it."""
    from phrasecheck.lexicon import load_lexicon

    if store is None:
        return load_lexicon(settings.lexicons)
    from phrasecheck.store.lexicons import lexicon_in_force

    return lexicon_in_force(store.lexicons, settings)


def _today(utc_offset: float) -> date:
    from datetime import UTC

    return (datetime.now(UTC) + timedelta(hours=utc_offset)).date()


def _make_due(store: "Store | None", settings: "Settings") -> None:
    from phrasecheck.handout import make_due

    if store is None:
        raise InputError("--due 做的是数据库里登记的定期报告，不能与 --results 同用")
    made = make_due(store, _lexicon(store, settings), settings)
    for path in made:
        click.echo(path)
    if not made:
        click.echo(say("没有到期的报告", "Nothing is due"))


def _show_preview(
    source: "Source", lexicon: "Lexicon", settings: "Settings", other: "Settings", whole: tuple[date | None, date | None]
) -> None:
    from phrasecheck.feedback.facts import Wanted
    from phrasecheck.feedback.preview import preview
    from phrasecheck.report.feedback_page import weights
    from phrasecheck.report.labels import chinese

    when = _period(whole, settings)
    shown = preview(source.material(Wanted(period=when)), lexicon, settings.scoring, other.scoring)
    click.echo(say(f"{when.label}，平均得分（百分制）", f"{when.label}, mean points of 100"))
    click.echo(say(f"现在：{weights(settings.scoring)}", f"Now: {weights(settings.scoring)}"))
    click.echo(say(f"换成：{weights(other.scoring)}", f"Then: {weights(other.scoring)}"))
    if shown.whole is None:
        click.echo(say("这一期没有可计分的通话", "No scored calls in this period"))
        return
    _line(say("全部", "All"), shown.whole)
    for role, change in shown.roles:
        _line(chinese(role), change)
    for change in shown.teams:
        _line(change.name, change)


def _line(name: str, change: "Change") -> None:
    fatal = say(f"一票否决 {change.failed_before} → {change.failed_after}", f"failed {change.failed_before} -> {change.failed_after}")
    click.echo(f"  {name}\t{change.cards}\t{change.before:.1f} → {change.after:.1f}（{change.after - change.before:+.1f}）\t{fatal}")


@contextmanager
def _source(results: Path | None, settings: "Settings") -> "Iterator[tuple[Source, Store | None]]":
    if results is not None:
        from phrasecheck.report.folder import read_results

        yield read_results(results), None
        return
    try:
        from phrasecheck.store.store import open_store
    except ImportError as error:
        raise InputError(
            f"从数据库出报告需要 serve 依赖，缺少 {error.name}：请运行 pip install 'phrasecheck[serve]'，或给出 --results"
        ) from error
    store = open_store(settings.store)
    try:
        yield store.moments, store
    finally:
        store.close()
