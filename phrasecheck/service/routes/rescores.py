"""Judging stored calls again with a version of the lexicon: begun, looked at, put in place.

In: a version and a filter. Out: pages with the progress and the list of what changes. The one decision: a preview never changes anything; what is
applied is exactly what was shown. The work is done by the workers between calls (rescoring.py).
"""

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from phrasecheck.errors import InputError
from phrasecheck.service import pages, shield
from phrasecheck.service.asked import begins, day, ends
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.routes.lexicon import lexicon_at
from phrasecheck.service.security import Who
from phrasecheck.store.listing import Filter
from phrasecheck.store.rescores import Standing
from phrasecheck.store.tables import RescoreState
from phrasecheck.types import Role

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1", tags=["rescores"])

Short = Annotated[str, Form(max_length=100)]
PAGE = 50


@router.get("/rescores", name="rescores")
def rescores(request: Request, here: Here, version: Annotated[int | None, Query(ge=0)] = None) -> Response:
    """Those there were, and the form for a new one."""
    return pages.render(
        request,
        "rescores.html.j2",
        standings=here.store.rescores.latest(),
        versions=here.store.lexicons.versions(),
        edition=here.store.lexicons.latest() if version is None else version,
        active=here.store.lexicons.active_number(),
        roles=list(Role),
        teams=here.store.figures.teams(),
    )


@router.post("/rescores", name="rescore_begin_send")
def rescore_begin_send(
    request: Request,
    here: Here,
    who: Who,
    version: Annotated[int, Form(ge=0)],
    since: Short = "",
    until: Short = "",
    role: Annotated[Role | None, Form()] = None,
    team: Short = "",
    agent: Short = "",
    phrase: Short = "",
) -> Response:
    """A preview is begun."""
    wanted = Filter(
        role=role,
        team=team.strip() or None,
        agent=agent.strip() or None,
        since=begins(day(since), _zone(here)),
        until=ends(day(until), _zone(here)),
        phrase=phrase.strip() or None,
    )
    number = _begun(here, who, version, wanted)
    return pages.back(request, pages.url_for(request, "rescore", number=number))


def _begun(here: Desk, who: Who, version: int, wanted: Filter) -> int:
    lexicon_at(here, version)  # whether there is such a version, and it still fits the files below
    return here.store.rescores.begin(version or None, wanted, here.store.accounts.user(who.id)).id


def _zone(here: Desk) -> tzinfo:
    return timezone(timedelta(hours=here.settings.feedback.utc_offset))


@router.get("/rescores/{number}", name="rescore")
def rescore(request: Request, here: Here, number: int, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """How far it is, and what changes."""
    standing = here.store.rescores.get(number)
    differences = here.store.rescores.differences(number, after, PAGE + 1)
    version = standing.rescore.version_id or 0
    return pages.render(
        request,
        "rescore.html.j2",
        standing=standing,
        wanted=here.store.rescores.wanted(standing.rescore),
        differences=differences[:PAGE],
        more=differences[PAGE - 1].item.id if len(differences) > PAGE else None,
        lexicon=lexicon_at(here, version),
        active=here.store.lexicons.active_number(),
        edition=version,
        progress=progress(standing),
        workers=here.executor is not None,
    )


@router.post("/rescores/{number}/apply", name="rescore_apply_send")
def rescore_apply_send(request: Request, here: Here, who: Who, number: int) -> Response:
    """What was previewed is put in place."""
    here.store.rescores.apply(number, here.store.accounts.user(who.id))
    return pages.back(request, pages.url_for(request, "rescore", number=number))


@router.post("/rescores/{number}/cancel", name="rescore_cancel_send")
def rescore_cancel_send(request: Request, here: Here, who: Who, number: int) -> Response:
    """Nothing more of it."""
    here.store.rescores.cancel(number, here.store.accounts.user(who.id))
    t = pages.translator(request)
    return pages.back(request, pages.url_for(request, "rescore", number=number), t("已停止", "Stopped"))


# --- for programs -------------------------------------------------------------------------------------------------------------------


class NewRescore(BaseModel):
    """What a program asks for; times are ISO with a zone."""

    model_config = ConfigDict(extra="forbid")
    version: int = Field(0, ge=0, description="Version of the company's additions; 0: without any")
    role: Role | None = None
    team: str | None = Field(None, max_length=100)
    agent: str | None = Field(None, max_length=100)
    since: datetime | None = None
    until: datetime | None = None
    phrase: str | None = Field(None, max_length=64)


def progress(standing: Standing) -> dict[str, Any]:
    """Where a rescoring stands, in plain values."""
    row = standing.rescore
    return {
        "id": row.id,
        "version": row.version_id or 0,
        "state": row.state.value,
        "reason": row.reason,
        "done": standing.done,
        "total": standing.total,
        "items": {state.value: number for state, number in standing.items.items()},
        "appeared": standing.appeared,
        "vanished": standing.vanished,
        "altered": standing.altered,
        "running": row.state in (RescoreState.PREVIEWING, RescoreState.APPLYING),
    }


@api.post("/rescores", name="api_rescore_begin", status_code=201)
def api_rescore_begin(here: Here, who: Who, asked: NewRescore) -> dict[str, Any]:
    """Begin a preview."""
    if any(at is not None and at.tzinfo is None for at in (asked.since, asked.until)):
        raise InputError("since 与 until 应带时区，如 2026-10-01T00:00:00+08:00：请补上")
    number = _begun(here, who, asked.version, Filter(**asked.model_dump(exclude={"version"})))
    return progress(here.store.rescores.get(number))


@api.get("/rescores/{number}", name="api_rescore")
def api_rescore(here: Here, number: int) -> dict[str, Any]:
    """How far it is."""
    return progress(here.store.rescores.get(number))


@api.get("/rescores/{number}/changes", name="api_rescore_changes")
def api_rescore_changes(here: Here, who: Who, number: int, after: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
    """Calls in which something changes, fifty at a time; `next` is the `after` of the next page."""
    here.store.rescores.get(number)
    found = here.store.rescores.differences(number, after, PAGE)
    return {
        "calls": [
            {"call": d.item.call_id, "state": d.item.state.value, "reason": d.item.reason, **shield.told(who, d.item.changes)}
            for d in found
        ],
        "next": found[-1].item.id if len(found) == PAGE else None,
    }


@api.post("/rescores/{number}/apply", name="api_rescore_apply")
def api_rescore_apply(here: Here, who: Who, number: int) -> dict[str, Any]:
    """Put in place what was previewed."""
    here.store.rescores.apply(number, here.store.accounts.user(who.id))
    return progress(here.store.rescores.get(number))
