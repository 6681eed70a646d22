"""A report, from what was asked for to files.

In: who or what it is about, a period, a Source. Out: files by name. The one decision: the command, the pages and the schedule all come
through here, so that a report is the same whoever asked for it.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phrasecheck.errors import InputError
from phrasecheck.feedback.facts import Source, Wanted
from phrasecheck.feedback.make import Maker, agent_report, coaching_pack, director_page, role_report, team_report
from phrasecheck.feedback.period import Period
from phrasecheck.feedback.reports import AgentReport, Kind, Report
from phrasecheck.lexicon import Lexicon
from phrasecheck.redact import redact
from phrasecheck.report.feedback_page import page
from phrasecheck.report.labels import chinese
from phrasecheck.settings import Settings
from phrasecheck.types import Role

if TYPE_CHECKING:
    from phrasecheck.store.store import Store

FORMATS = ("html", "pdf", "xlsx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A report. `name`: the agent's number, the team's name, the role; the coaching pack takes any of them with `of`, or nothing for all calls."""

    kind: Kind
    period: Period
    name: str = ""
    of: Kind | None = None  # whose moments a coaching pack takes


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A finished file."""

    name: str
    body: bytes


def maker(source: Source, lexicon: Lexicon, settings: Settings) -> Maker:
    """What reports are made with, personal data taken out."""
    return Maker(source=source, lexicon=lexicon, settings=settings, redact=redact)


def make(asked: Asked, with_: Maker) -> Report:
    """The report as a value. Raises InputError for a role that is none."""
    match asked.kind:
        case Kind.AGENT:
            return agent_report(with_, asked.name, asked.period)
        case Kind.TEAM:
            return team_report(with_, asked.name, asked.period)
        case Kind.ROLE:
            return role_report(with_, role_named(asked.name), asked.period)
        case Kind.DIRECTOR:
            return director_page(with_, asked.period)
        case Kind.COACHING:
            return coaching_pack(with_, wanted(asked), _title(asked))


def wanted(asked: Asked) -> Wanted:
    """Whose moments a coaching pack takes."""
    return Wanted(
        period=asked.period,
        agent=asked.name if asked.of is Kind.AGENT else None,
        team=asked.name if asked.of is Kind.TEAM else None,
        role=role_named(asked.name) if asked.of is Kind.ROLE else None,
    )


def _title(asked: Asked) -> str:
    if asked.of is Kind.ROLE:
        return f"{chinese(role_named(asked.name))}岗位"
    return {Kind.AGENT: f"坐席 {asked.name}", Kind.TEAM: asked.name}.get(asked.of or Kind.DIRECTOR, "全部通话")


def role_named(name: str) -> Role:
    """survey or 查勘. Raises InputError."""
    for role in Role:
        if name in (role.value, chinese(role)):
            return role
    raise InputError(f"岗位应为 {'、'.join(f'{role.value}（{chinese(role)}）' for role in Role)}，收到「{name}」")


def files(
    report: Report, formats: Sequence[str], with_: Maker, zone_of: Period, recordings: "Store | None" = None, link: str | None = None
) -> Iterator[File]:
    """The report in these formats; with the recordings' store an agent's HTML carries the sound of its moments. Raises InputError for an unknown format."""
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(f"格式应为 {'、'.join(FORMATS)}，收到 {'、'.join(unknown)}")
    laid, zone = page(report), zone_of.zone
    href = with_.settings.feedback.link if link is None else link
    if "html" in formats:
        from phrasecheck.report import feedback_html

        html = feedback_html.render(laid, zone, _sounds(report, with_.settings, recordings), href)
        yield File(name=f"{_safe(laid.stem)}.html", body=html.encode())
    if "pdf" in formats:
        from phrasecheck.report import feedback_pdf

        yield File(name=f"{_safe(laid.stem)}.pdf", body=feedback_pdf.render(laid, zone, href))
    if "xlsx" in formats:
        from phrasecheck.report import feedback_xlsx

        yield File(name=f"{_safe(laid.stem)}.xlsx", body=feedback_xlsx.render(report, laid, with_.lexicon, zone, with_.redact))


def _safe(stem: str) -> str:
    """A team may be called «一组/夜班»."""
    return "".join("_" if char in '/\\:*?"<>|' or char < " " else char for char in stem).strip(". ") or "报告"


def _sounds(report: Report, settings: Settings, store: "Store | None") -> dict[str, str]:
    if store is None or not isinstance(report, AgentReport) or not settings.feedback.clips:
        return {}
    from phrasecheck.report.feedback_clips import clips

    kept = store

    def opened(call_id: str) -> AbstractContextManager[Path]:
        return kept.recordings.local(kept.calls.get(call_id).recording)

    return clips(report, opened, settings.audio, settings.feedback.clips)


def make_due(store: "Store", lexicon: Lexicon, settings: Settings) -> list[Path]:
    """Every scheduled report whose week or month is over, put into settings.feedback.folder.

    What fails is tried again the next time, and raises when all others are made.
    """
    folder = Path(settings.feedback.folder).expanduser()
    made: list[Path] = []
    failed: Exception | None = None
    for due in store.schedules.due(settings.feedback.utc_offset):
        if not store.schedules.take(due):
            continue
        try:
            asked = Asked(kind=Kind(due.schedule.kind), name=due.schedule.name, period=due.period)
            with_ = maker(store.moments, lexicon, settings)
            for file in files(make(asked, with_), due.schedule.formats.split(","), with_, due.period, store):
                made.append(write(file, folder))
        except Exception as error:
            store.schedules.give_back(due)
            failed = failed or error
    if failed is not None:
        raise failed
    return made


def write(file: File, folder: Path) -> Path:
    """Whole or not at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{file.name}.part"
        part.write_bytes(file.body)
        return part.replace(folder / file.name)
    except OSError as error:
        raise InputError(f"写不了 {folder / file.name}：{error}。请检查文件夹和磁盘空间") from error
