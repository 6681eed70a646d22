"""Reports to read and to take away, those that are made on a schedule, weights tried out, and the self-test.

In: who or what, and when. Out: pages and files. The one decision: the report that opens here is the very file that is downloaded
(handout.py); only whose calls may go into it is decided here: an agent gets his own report, a team's people what is their team's, the
others all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from phrasecheck import handout
from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.feedback.facts import Material, Source, Spoken, Wanted
from phrasecheck.feedback.period import Period, period
from phrasecheck.feedback.preview import preview
from phrasecheck.feedback.reports import Kind
from phrasecheck.feedback.selftest import judge, questions
from phrasecheck.report.feedback_html import POLICY
from phrasecheck.report.feedback_page import weights
from phrasecheck.service import pages
from phrasecheck.service.asked import day
from phrasecheck.service.book import book
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.scope import OWN_CALLS, OWN_TEAM
from phrasecheck.service.security import Visitor, Who
from phrasecheck.service.sheets import XLSX
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import Role, Severity

router = APIRouter(include_in_schema=False)

TYPES = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "xlsx": XLSX}
RECENT = timedelta(days=90)  # whose moments the self-test asks about
Text = Annotated[str, Form(max_length=100)]
Day = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True, slots=True)
class OfTeam:
    """A Source that knows one team's calls and no others."""

    source: Source
    team: str

    def material(self, wanted: Wanted) -> Material:
        """Of the team."""
        if wanted.team not in (None, self.team):
            return Material(period=wanted.period, calls=(), moments=())
        return self.source.material(replace(wanted, team=self.team))

    def spoken(self, call_ids: Iterable[str]) -> Mapping[str, Sequence[Spoken]]:
        """Asked only for calls that `material` gave."""
        return self.source.spoken(call_ids)

    def agents_lines(self, wanted: Wanted, words: Sequence[str]) -> Sequence[Spoken]:
        """Of the team."""
        return self.source.agents_lines(replace(wanted, team=self.team), words) if wanted.team in (None, self.team) else []


@router.get("/feedback", name="feedback")
def feedback(request: Request, here: Here, who: Who) -> Response:
    """What there is to ask for."""
    agents, teams = here.store.moments.names(_own_team(who))
    last = period(None, None, _today(here), here.settings.feedback.utc_offset)
    return pages.render(
        request,
        "feedback.html.j2",
        kinds=_kinds(who),
        agents=agents,
        teams=teams,
        roles=list(Role),
        last=last,
        schedules=here.store.schedules.active() if who.may("schedule_add_send") else [],
        made=_made(here) if who.may("feedback_made") else [],
    )


@router.get("/feedback/file", name="feedback_file")
def feedback_file(
    request: Request, here: Here, who: Who, kind: Kind, name: str = "", of: str = "", first: Day = "", last: Day = "", format: str = "html"
) -> Response:
    """A report in one format; HTML opens in the browser, the others are saved. It is noted who took it."""
    asked = handout.Asked(kind=kind, name=name.strip(), of=_whose(of, name.strip()), period=_period(here, first, last))
    asked = _allowed(who, asked)
    with_ = handout.maker(_source(here, who), book(here), here.settings)
    href = f"{pages.url_for(request, 'home').rstrip('/')}/calls/{{call}}#t={{at}}"
    (file,) = handout.files(handout.make(asked, with_), [format], with_, asked.period, here.store, href)
    here.store.audit.note(who.name, "report.read", f"report:{kind}"[:100], name=asked.name, period=asked.period.label, format=format)
    return _file(file.name, file.body, format)


def _file(name: str, body: bytes, form: str) -> Response:
    """HTML is for reading here, under the policy that its own styles need."""
    headers = {"Content-Disposition": f"{'inline' if form == 'html' else 'attachment'}; filename*=UTF-8''{quote(name)}"}
    if form == "html":
        headers["Content-Security-Policy"] = POLICY
    return Response(body, media_type=TYPES[form], headers=headers)


def _whose(of: str, name: str) -> Kind | None:
    """Whose moments a coaching pack takes: as asked, else by the name's kind."""
    if of in (Kind.AGENT, Kind.TEAM, Kind.ROLE):
        return Kind(of)
    if not name:
        return None
    return Kind.ROLE if name in list(Role) else Kind.TEAM


def _kinds(who: Visitor) -> list[Kind]:
    return [Kind.AGENT] if who.permission in OWN_CALLS else list(Kind)


def _allowed(who: Visitor, asked: handout.Asked) -> handout.Asked:
    """What the visitor may ask for. Raises RefusedError, InputError."""
    if who.permission in OWN_CALLS:
        if asked.kind is not Kind.AGENT or asked.name not in ("", who.agent):
            raise RefusedError("坐席只能看自己的报告：其他报告请找班组长或培训师")
        return replace(asked, name=_filled(who.agent, "工号"))
    if asked.kind is Kind.TEAM and who.permission in OWN_TEAM:
        own = _filled(who.team, "班组")
        if asked.name not in ("", own):
            raise RefusedError(f"您只能看「{own}」的报告：其他班组的请找质检主管")
        return replace(asked, name=own)
    if asked.kind in (Kind.AGENT, Kind.TEAM, Kind.ROLE) and not asked.name:
        raise InputError("请先选好是谁的报告：坐席、班组或岗位")
    return asked


def _filled(value: str | None, what: str) -> str:
    if not value:
        raise RefusedError(f"您的账号还没有填{what}，所以没有报告可看：请管理员在「用户」页补上")
    return value


def _own_team(who: Visitor) -> str | None:
    return _filled(who.team, "班组") if who.permission in OWN_TEAM else None


def _source(here: Desk, who: Visitor) -> Source:
    """An agent's own report sets him beside his team, so it is `_allowed` that keeps him to it."""
    team = _own_team(who)
    return here.store.moments if team is None else OfTeam(here.store.moments, team)


def _today(here: Desk) -> date:
    return (here.store.database.now().astimezone(UTC) + timedelta(hours=here.settings.feedback.utc_offset)).date()


def _period(here: Desk, first: str, last: str) -> Period:
    return period(day(first), day(last), _today(here), here.settings.feedback.utc_offset)


# --- on a schedule ------------------------------------------------------------------------------------------------------------------


@router.post("/feedback/schedules", name="schedule_add_send")
def schedule_add_send(
    request: Request, here: Here, who: Who, kind: Text, every: Text, formats: Text = "html,pdf,xlsx", name: Text = ""
) -> Response:
    """A report every week or month from now on."""
    t = pages.translator(request)
    if kind not in (Kind.AGENT, Kind.TEAM, Kind.ROLE, Kind.DIRECTOR):
        raise InputError("定期报告应为坐席、班组、岗位或总览：请重新选择")
    if kind == Kind.ROLE:
        name = handout.role_named(name).value
    here.store.schedules.add(
        Kind(kind), name, every, tuple(f for f in handout.FORMATS if f in formats.split(",")), here.store.accounts.user(who.id)
    )
    return pages.back(request, pages.url_for(request, "feedback"), t("已登记：每到一周或一月结束就会做好", "Scheduled"))


@router.post("/feedback/schedules/{schedule_id}/end", name="schedule_end_send")
def schedule_end_send(request: Request, here: Here, who: Who, schedule_id: int) -> Response:
    """No more of it."""
    t = pages.translator(request)
    here.store.schedules.end(schedule_id, here.store.accounts.user(who.id))
    return pages.back(request, pages.url_for(request, "feedback"), t("已停止", "Ended"))


@router.get("/feedback/made/{name}", name="feedback_made")
def feedback_made(here: Here, who: Who, name: str) -> Response:
    """A file that a schedule made."""
    file = next((file for file in _made(here) if file.name == name), None)
    if file is None:
        raise NotFoundError(f"没有报告 {name}：可能已被移走，请刷新后再看")
    here.store.audit.note(who.name, "report.read", "report:scheduled", name=name)
    return _file(name, file.read_bytes(), file.suffix.removeprefix("."))


def _made(here: Desk) -> list[Path]:
    """The latest first."""
    folder = Path(here.settings.feedback.folder).expanduser()
    found = [file for file in folder.glob("*") if file.suffix.removeprefix(".") in TYPES and not file.name.startswith(".")]
    return sorted(found, key=lambda file: (-file.stat().st_mtime, file.name))[:60]


# --- weights ------------------------------------------------------------------------------------------------------------------------


class Weights(BaseModel):
    """The weights of the form."""

    model_config = ConfigDict(extra="ignore")
    minor: float | None = Field(None, ge=0, le=1000)
    major: float | None = Field(None, ge=0, le=1000)
    severe: float | None = Field(None, ge=0, le=1000)
    fatal_points: float | None = Field(None, ge=0, le=1000)
    other_section_factor: float | None = Field(None, ge=0, le=1)
    first: str = ""
    last: str = ""


@router.get("/feedback/weights", name="feedback_weights")
def feedback_weights(request: Request, here: Here, who: Who, form: Annotated[Weights, Query()]) -> Response:
    """«With these weights last month would have read so.» Nothing is changed."""
    now, when = here.settings.scoring, _period(here, form.first, form.last)
    then = _changed(now, form)
    shown = preview(_source(here, who).material(Wanted(period=when)), book(here), now, then)
    return pages.render(
        request, "weights.html.j2", now=now, then=then, shown=shown, when=when, said_now=weights(now), said_then=weights(then)
    )


def _changed(now: ScoreSettings, form: Weights) -> ScoreSettings:
    named = {Severity.MINOR: form.minor, Severity.MAJOR: form.major, Severity.SEVERE: form.severe}
    deductions = {**now.deductions, **{severity: points for severity, points in named.items() if points is not None}}
    others = {"fatal_points": form.fatal_points, "other_section_factor": form.other_section_factor}
    return now.model_copy(update={"deductions": deductions, **{name: value for name, value in others.items() if value is not None}})


# --- the self-test ------------------------------------------------------------------------------------------------------------------


@router.get("/feedback/selftest", name="selftest")
def selftest(request: Request, here: Here, role: str = "") -> Response:
    """Questions from what was really said in the last months, without personal data and without names."""
    chosen = handout.role_named(role) if role else None
    today = _today(here)
    when = Period(first=today - RECENT, last=today, utc_offset=here.settings.feedback.utc_offset)
    lexicon = book(here)
    asked = handout.Asked(kind=Kind.COACHING, name=chosen.value if chosen else "", of=Kind.ROLE if chosen else None, period=when)
    pack: Any = handout.make(asked, handout.maker(here.store.moments, lexicon, here.settings))
    return pages.render(request, "selftest.html.j2", questions=questions(pack, lexicon), roles=list(Role), chosen=chosen)


class Answer(BaseModel):
    """What a trainee would say."""

    model_config = ConfigDict(extra="forbid")
    answer: str = Field(min_length=1, max_length=500)
    role: Role


@router.post("/feedback/selftest/answer", name="selftest_answer")
def selftest_answer(here: Here, answer: Answer) -> dict[str, Any]:
    """What would be flagged in it, and why. Nothing is kept."""
    if not answer.answer.strip():
        raise InputError("请先写一句话，再看它会不会被标出来")
    with here.matcher.use() as matcher:
        judged = judge(answer.answer, answer.role, matcher, matcher.parts.lexicon)
    return {
        "answer": judged.answer,
        "flags": [
            {
                "phrase_id": f.phrase_id,
                "text": f.text,
                "quote": f.quote,
                "sure": f.sure,
                "reason": f.reason,
                "why": f.why,
                "instead": f.instead,
            }
            for f in judged.flags
        ],
        "courtesies": list(judged.courtesies),
    }
