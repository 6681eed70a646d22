"""What somebody asks of the list of calls: the query string of its page, and the Filter that it means.

In: words of a form, any of them empty. Out: a Filter; and the query string again, for links to the next page and to the export. The one
decision: days are those of this machine's clock and `until` is the last day wanted; a Filter has moments in UTC.
"""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from phrasecheck.errors import InputError
from phrasecheck.service.sheets import Form
from phrasecheck.store.listing import Filter, Order
from phrasecheck.store.states import CallState, ReviewState
from phrasecheck.types import Role

Word = Annotated[str | None, Field(max_length=100, pattern=r"^[^\x00-\x1f]*$")]
DAY = timedelta(days=1)
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9999, 12, 30)


class Asked(BaseModel):
    """The fields of the form; what is empty does not matter."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: Word = None
    role: Role | None = None
    team: Word = None
    agent: Word = None
    since: date | None = Field(None, ge=FIRST_DAY, le=LAST_DAY)
    until: date | None = Field(None, ge=FIRST_DAY, le=LAST_DAY)
    state: CallState | None = None
    review: ReviewState | None = None
    section: Word = None
    phrase: Word = None
    points: float | None = Field(None, ge=-1000, le=1000, allow_inf_nan=False)
    unsure: bool | None = None
    doubtful: bool | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _none(cls, given: Any) -> Any:
        if isinstance(given, str):
            return given.strip() or None
        return given

    @property
    def query(self) -> dict[str, Any]:
        """For url_for."""
        return {name: value for name, value in self.model_dump(mode="json", include=set(Asked.model_fields)).items() if value is not None}

    @property
    def wanted(self) -> Filter:
        """What the store is asked."""
        known = self.model_dump(include=set(Asked.model_fields) - {"since", "until", "points"})
        return Filter(**known, points_at_most=self.points, since=begins(self.since), until=ends(self.until))


class AskedPage(Asked):
    """A page of the list: in which order, behind which call."""

    order: Order = Order.LATEST
    after: str | None = Field(None, pattern=r"^[0-9A-Za-z_-]{1,64}$")

    @field_validator("order", mode="before")
    @classmethod
    def _latest(cls, given: Any) -> Any:
        return given or Order.LATEST


class AskedFile(AskedPage):
    """A file of the list: of what kind, and what comes first in it."""

    form: Form = Form.XLSX
    what: Literal["calls", "hits"] = "calls"


class AskedSome(Asked):
    """So many at most."""

    limit: int = Field(50, ge=1, le=200)


List = Annotated[Asked, Query()]
Some = Annotated[AskedSome, Query()]
Page = Annotated[AskedPage, Query()]
File = Annotated[AskedFile, Query()]


def asked(wanted: Filter) -> Asked:
    """The form that a Filter comes from."""
    same = {
        name: getattr(wanted, name)
        for name in ("text", "role", "team", "agent", "state", "review", "section", "phrase", "unsure", "doubtful")
    }
    until = wanted.until and (wanted.until.astimezone() - DAY).date()
    return Asked(**same, points=wanted.points_at_most, since=wanted.since and wanted.since.astimezone().date(), until=until)


def day(given: str, what: str = "日期") -> date | None:
    """A day as a form field has it, None where it was left empty. Raises InputError that names the field `what`."""
    if not given.strip():
        return None
    try:
        named = date.fromisoformat(given.strip())
    except ValueError:
        named = None
    if named is None or not FIRST_DAY <= named <= LAST_DAY:
        raise InputError(f"{what}应写成 2026-10-01 这样，收到「{given}」：请改正")
    return named


def begins(of: date | None, zone: tzinfo | None = None) -> datetime | None:
    """Its first moment, by `zone` or by this machine's clock."""
    if of is None:
        return None
    return datetime.combine(of, time(), zone) if zone else datetime.combine(of, time()).astimezone()


def ends(of: date | None, zone: tzinfo | None = None) -> datetime | None:
    """The moment after it."""
    return begins(of and of + DAY, zone)
