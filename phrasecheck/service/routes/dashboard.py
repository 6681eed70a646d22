"""The dashboard: how many calls hold a violation, by role, team, section and week; which phrases; what waits.

In: a period and a team. Out: a page. The one decision: every figure leads to the calls it counts, under the same period, in the words of the list
of calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from phrasecheck.errors import InputError
from phrasecheck.lexicon import Lexicon
from phrasecheck.service import pages, words
from phrasecheck.service.asked import day
from phrasecheck.service.book import book
from phrasecheck.service.charts import Column, bar, columns
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.scope import OWN_TEAM, narrowed
from phrasecheck.service.security import Who
from phrasecheck.store.figures import Overview, Share, Stretch
from phrasecheck.store.listing import Filter
from phrasecheck.types import Role

router = APIRouter(include_in_schema=False)

DAYS = 28  # shown when nobody says otherwise
LONGEST = 731
LESS = 99.9  # a call of so many points at most has lost some
Day = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """From the morning of `first` to the end of `last`, by the office's clock."""

    first: date
    last: date
    utc_offset: float

    @property
    def since(self) -> datetime:
        """Inclusive."""
        return datetime.combine(self.first, datetime.min.time(), timezone(timedelta(hours=self.utc_offset)))

    @property
    def until(self) -> datetime:
        """Exclusive."""
        return self.since + timedelta(days=(self.last - self.first).days + 1)


@router.get("/dashboard", name="dashboard")
def dashboard(
    request: Request, here: Here, who: Who, since: Day = "", until: Day = "", team: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """The page."""
    days = _days(here, since, until)
    whose = narrowed(who, Filter(team=team.strip() or None))
    stretch = Stretch(since=days.since, until=days.until, team=whose.team, agent=whose.agent, utc_offset=days.utc_offset)
    overview = here.store.figures.overview(stretch)
    return pages.render(
        request,
        "dashboard.html.j2",
        days=days,
        chosen=whose.team or "",
        teams=[] if who.permission in OWN_TEAM else here.store.figures.teams(),
        overview=overview,
        waiting=here.store.figures.waiting(whose.team, whose.agent),
        shown=Shown(request, days, whose, overview, book(here)),
    )


def _days(here: Desk, since: str, until: str) -> Days:
    offset = here.settings.feedback.utc_offset
    today = (here.store.database.now() + timedelta(hours=offset)).date()
    last = day(until, "截止日期") or today
    first = day(since, "起始日期") or last - timedelta(days=DAYS - 1)
    if not timedelta() <= last - first <= timedelta(days=LONGEST):
        raise InputError(f"起始日期应不晚于截止日期，至多相隔 {LONGEST} 天，收到 {first} 至 {last}：请改正")
    return Days(first=first, last=last, utc_offset=offset)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the template asks for: names, addresses and figures."""

    request: Request
    days: Days
    whose: Filter
    overview: Overview
    lexicon: Lexicon

    def calls(self, first: date | None = None, last: date | None = None, **wanted: Any) -> str:
        """The list of calls of the same period that are so."""
        query: Mapping[str, Any] = {"since": first or self.days.first, "until": last or self.days.last, "team": self.whose.team, **wanted}
        return pages.url_for(self.request, "calls", query)

    def less(self, **wanted: Any) -> str:
        """Of those the ones that have lost points."""
        return self.calls(points=LESS, **wanted)

    def role(self, key: str) -> str:
        """A role's name."""
        return words.pair(Role(key))[int(pages.language(self.request) == "en")]

    def team(self, key: str) -> str:
        """As it is."""
        return key

    def section(self, key: str) -> str:
        """«9.1 通用禁语»; of a company's own phrases the section is their id."""
        phrase = self.lexicon.phrases.get(key)
        section = self.lexicon.sections.get(phrase.section if phrase else key)
        return f"{key} {section.title}" if section else key

    def phrase(self, key: str) -> str:
        """Its words; nothing when the lexicon in force has it no more."""
        phrase = self.lexicon.phrases.get(key)
        return phrase.text if phrase else ""

    def bar(self, *parts: float) -> Markup:
        """Parts of one bar."""
        return bar(*parts)

    def of_highest(self, share: Share, shares: list[Share]) -> float:
        """Relative to the highest, so that small shares can be told apart."""
        return share.share / max((one.share for one in shares), default=0.0) if share.share else 0.0

    def weeks(self) -> Markup:
        """The share of each week as a column."""
        t = pages.translator(self.request)
        highest = max((week.share for week in self.overview.weeks), default=0.0)
        drawn = [
            self._week(week, highest, t("{0} 起的一周：{1} 通，有违规 {2} 通", "Week of {0}: {1} calls, {2} with violations"))
            for week in self.overview.weeks
        ]
        return columns(drawn, t("每周有违规的通话占比", "Share of calls with violations by week"))

    def _week(self, week: Share, highest: float, title: str) -> Column:
        return Column(
            height=week.share / highest if highest else 0.0,
            over=f"{week.share:.0%}" if week.calls else "–",
            under=week.key[5:],
            title=title.format(week.key, week.calls, week.violated),
            href=self.week(week),
        )

    def week(self, week: Share) -> str:
        """The calls of a week, as far as it lies in the period."""
        monday = date.fromisoformat(week.key)
        return self.less(first=max(monday, self.days.first), last=min(monday + timedelta(days=6), self.days.last))
