"""Finding: the list of calls, what was said in them, filters that are wanted again, files of all this.

In: a query string (asked.py). Out: pages and files. The one decision: a list, its export and a saved filter are one Filter, narrowed by
scope.py; so a file never holds more than the page.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from phrasecheck.lexicon import Lexicon
from phrasecheck.report.labels import chinese
from phrasecheck.report.xlsx import Column, Row
from phrasecheck.service import pages, sheets, shield
from phrasecheck.service.asked import Asked, File, List, Page, Some, asked
from phrasecheck.service.book import book
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.scope import OWN_CALLS, OWN_TEAM, narrowed, visible_call
from phrasecheck.service.security import Visitor, Who
from phrasecheck.service.words import NAMES
from phrasecheck.store.listing import COUNTED, PAGE, Filter, Line, Order
from phrasecheck.store.states import CallState, ReviewState
from phrasecheck.store.tables import CallRow, HitRow
from phrasecheck.types import Role

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1", tags=["calls"])

FOUND = 100
Name = Annotated[str, Form(max_length=100, pattern=r"^[^\x00-\x1f]*$")]


@router.get("/calls", name="calls")
def calls(request: Request, here: Here, who: Who, wanted: Page) -> Response:
    """A page of the list."""
    narrow = narrowed(who, wanted.wanted)
    after = visible_call(here.store, who, wanted.after) if wanted.after else None
    lines = here.store.listing.page(narrow, after, PAGE + 1, wanted.order)
    return pages.render(
        request,
        "calls.html.j2",
        **_form(here, who, wanted),
        lines=lines[:PAGE],
        more=lines[PAGE - 1].call.id if len(lines) > PAGE else None,
        count=here.store.listing.count(narrow),
        most=COUNTED,
        order=wanted.order,
        orders=list(Order),
        after=wanted.after,
        saved={name: asked(kept).query for name, kept in here.store.filters.of(who.id).items()},
    )


@router.get("/found", name="found")
def found(request: Request, here: Here, who: Who, wanted: List) -> Response:
    """What was said, in these words or in others that sound like them."""
    lines = here.store.listing.said(wanted.text or "", narrowed(who, wanted.model_copy(update={"text": None}).wanted), FOUND + 1)
    return pages.render(
        request,
        "found.html.j2",
        **_form(here, who, wanted),
        lines=lines[:FOUND],
        more=len(lines) > FOUND,
        most=FOUND,
        marked=partial(_marked, wanted.text or ""),
    )


def _marked(words: str, text: str) -> list[tuple[str, bool]]:
    """The text in pieces, those that are the very words marked."""
    parts = text.split(words) if words else [text]
    return [piece for part in parts[:-1] for piece in ((part, False), (words, True))] + [(parts[-1], False)]


def _form(here: Desk, who: Visitor, wanted: Asked) -> dict[str, Any]:
    """What the filter form offers."""
    lexicon = book(here)
    teams, agents = here.store.listing.names()
    fixed = OWN_CALLS | OWN_TEAM
    return {
        "wanted": wanted,
        "query": wanted.query,
        "roles": list(Role),
        "states": list(CallState),
        "reviews": list(ReviewState),
        "sections": lexicon.sections.values(),
        "phrases": lexicon.phrases.values(),
        "teams": [] if who.permission in fixed else teams,
        "agents": [] if who.permission in fixed else agents,
        "everybody": who.permission not in OWN_CALLS,
    }


# --- filters that are wanted again --------------------------------------------------------------------------------------------------


@router.post("/calls/filters", name="filter_save_send")
def filter_save_send(request: Request, here: Here, who: Who, wanted: List, name: Name) -> Response:
    """The filter of the query string, under a name."""
    here.store.filters.save(who.id, name, wanted.wanted)
    return pages.back(
        request, pages.url_for(request, "calls", wanted.query), pages.translator(request)("筛选条件已保存", "The filter is saved")
    )


@router.post("/calls/filters/delete", name="filter_delete_send")
def filter_delete_send(request: Request, here: Here, who: Who, name: Name) -> Response:
    """Gone."""
    here.store.filters.delete(who.id, name)
    return pages.back(request, pages.url_for(request, "calls"), pages.translator(request)("筛选条件已删除", "The filter is deleted"))


# --- files --------------------------------------------------------------------------------------------------------------------------

CALLS = (
    Column(title="通话时间", width=17),
    Column(title="录音", width=30),
    Column(title="坐席"),
    Column(title="班组"),
    Column(title="岗位", width=12),
    Column(title="状态", width=9),
    Column(title="时长", width=8, format="[mm]:ss"),
    Column(title="得分", width=8),
    Column(title="复核前得分", width=11),
    Column(title="违规", width=7),
    Column(title="存疑待看", width=10),
    Column(title="待复核", width=8),
    Column(title="申诉中", width=8),
    Column(title="说话人未确定", width=13),
    Column(title="编号", width=34),
)
HITS = (
    Column(title="通话时间", width=17),
    Column(title="录音", width=30),
    Column(title="坐席"),
    Column(title="班组"),
    Column(title="岗位", width=12),
    Column(title="位置", width=8, format="[mm]:ss"),
    Column(title="条款", width=9),
    Column(title="条款原文", width=36),
    Column(title="严重程度", width=10),
    Column(title="原话", width=36),
    Column(title="可能性", width=8, format="0%"),
    Column(title="存疑", width=7),
    Column(title="复核", width=12),
    Column(title="通话编号", width=34),
)


@router.get("/calls/export", name="calls_export")
def calls_export(here: Here, who: Who, wanted: File) -> Response:
    """The list, all of it: calls and their hits."""
    narrow = narrowed(who, wanted.wanted)
    told = {name: value for name, value in wanted.query.items() if name != "text"}  # words that were said do not outlive their call
    count = here.store.listing.count(narrow)
    here.store.audit.note(who.name, "calls.export", "calls", form=wanted.form, what=wanted.what, filter=told, calls=count)
    lexicon = book(here)
    listed = sheets.Sheet(
        title="通话", columns=CALLS, rows=lambda: (_call_row(who, line) for lines in _all(here, narrow, wanted.order) for line in lines)
    )
    hits = sheets.Sheet(title="命中", columns=HITS, rows=lambda: _hit_rows(here, who, narrow, wanted.order, lexicon))
    both = (listed, hits) if wanted.what == "calls" else (hits, listed)
    return sheets.respond(wanted.form, both, both[0].title)


def _all(here: Desk, wanted: Filter, order: Order) -> Iterator[list[Line]]:
    after: CallRow | None = None
    while lines := here.store.listing.page(wanted, after, 1000, order):
        yield lines
        after = lines[-1].call


def _call_row(who: Visitor, line: Line) -> Row:
    call = line.call
    return (
        pages.local(call.said_at),
        shield.words(who, call.source),
        call.agent,
        call.team,
        chinese(call.role),
        NAMES[CallState][call.state][0],
        None if line.seconds is None else timedelta(seconds=line.seconds),
        line.points,
        line.machine_points,
        line.violations,
        line.doubtful,
        line.fresh,
        line.appealed,
        "" if line.unsure is None else "是" if line.unsure else "否",
        call.id,
    )


def _hit_rows(here: Desk, who: Visitor, wanted: Filter, order: Order, lexicon: Lexicon) -> Iterator[Row]:
    for lines in _all(here, wanted, order):
        claimed = here.store.listing.hits([line.call.id for line in lines if line.hits])
        for line in lines:
            yield from (_hit_row(who, line.call, hit, lexicon) for hit in claimed.get(line.call.id, ()))


def _hit_row(who: Visitor, call: CallRow, hit: HitRow, lexicon: Lexicon) -> Row:
    phrase = lexicon.phrases.get(hit.phrase_id)
    return (
        pages.local(call.said_at),
        shield.words(who, call.source),
        call.agent,
        call.team,
        chinese(hit.role or call.role),
        None if hit.at_s is None else timedelta(seconds=hit.at_s),
        hit.phrase_id,
        phrase.text if phrase else chinese("not_in_lexicon"),
        phrase.severity if phrase else "",
        shield.words(who, hit.quote),
        hit.score,
        "是" if hit.doubtful else "否",
        NAMES[ReviewState][hit.state][0],
        call.id,
    )


# --- for programs -------------------------------------------------------------------------------------------------------------------


@api.get("/utterances", name="api_utterances", responses={409: {}, 422: {}})
def utterances(here: Here, who: Who, wanted: Some) -> dict[str, Any]:
    """What was said: `text`, or what sounds like it; the other parameters narrow the calls. `exact`: these very characters."""
    lines = here.store.listing.said(wanted.text or "", narrowed(who, wanted.model_copy(update={"text": None}).wanted), wanted.limit)
    return {
        "utterances": [
            {"call": f.call.id, "id": f.utterance_id, "start": f.start_s, "text": shield.words(who, f.text), "exact": f.exact}
            for f in lines
        ]
    }
