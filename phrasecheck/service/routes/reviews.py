"""Judging: verdicts on hits, appeals and their judgement, wordings that are never to be flagged.

In: forms, JSON. Out: the way back to the hit; pages. The one decision: a verdict carries the state that its author saw, so nobody
overrules what he has not read; what may be done is asked of store/states.py alone.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from phrasecheck.errors import InputError, NotFoundError
from phrasecheck.report.labels import chinese
from phrasecheck.service import pages, shield
from phrasecheck.service.book import book
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.scope import CallId, narrowed, visible_call
from phrasecheck.service.security import Visitor, Who
from phrasecheck.store.listing import Filter
from phrasecheck.store.reviews import no_hit
from phrasecheck.store.states import RejectReason, ReviewState, Verb
from phrasecheck.store.tables import HitRow, ReviewRow

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1", tags=["reviews"])

Id = Annotated[int, Path(ge=1, le=2**62)]
After = Annotated[int | None, Query(ge=1, le=2**62)]
Text = Annotated[str, Form(max_length=2000)]
OPEN, CLOSED = frozenset({ReviewState.APPEALED}), frozenset({ReviewState.UPHELD, ReviewState.DISMISSED})
PAGE = 50


class Verdict(BaseModel):
    """What somebody says of a hit. `seen`: the state that he saw; without it he overrules whatever is there. `never_flag`: with a rejection,
    this wording of this phrase is let through from now on."""

    model_config = ConfigDict(extra="forbid")

    verb: Verb
    reason: RejectReason | None = None
    comment: str = Field("", max_length=2000)
    seen: ReviewState | None = None
    never_flag: bool = False


@router.post("/hits/{hit_id}/review", name="review_send")
def review_send(
    request: Request,
    here: Here,
    who: Who,
    hit_id: Id,
    verb: Annotated[Verb, Form()],
    seen: Annotated[ReviewState, Form()],
    reason: Annotated[RejectReason | Literal[""], Form()] = "",
    comment: Text = "",
    never_flag: Annotated[bool, Form()] = False,
) -> Response:
    """One verdict; back to the hit."""
    hit = _visible(here, who, hit_id)
    said = Verdict(verb=verb, reason=reason or None, comment=comment, seen=seen, never_flag=never_flag)
    _judge(here, who, hit, said)
    t = pages.translator(request)
    return pages.back(request, f"{pages.url_for(request, 'call', call_id=hit.call_id)}#hit-{hit_id}", t("已记录", "Recorded"))


@api.post("/hits/{hit_id}/reviews", name="api_review", status_code=201, responses={404: {}, 409: {}, 422: {}})
def review(here: Here, who: Who, hit_id: Id, said: Verdict) -> dict[str, Any]:
    """One verdict. 409 when the state of the hit, the permission of its author or the time for appeals does not allow it."""
    row = _judge(here, who, _visible(here, who, hit_id), said)
    return {"hit": hit_id, "before": row.before, "after": row.after, "at": row.at}


@api.get("/calls/{call_id}/hits", name="api_hits", responses={404: {}, 422: {}})
def hits(here: Here, who: Who, call_id: CallId) -> dict[str, Any]:
    """The hits of the current result with their review states and histories."""
    visible_call(here.store, who, call_id)
    histories: dict[int, list[dict[str, Any]]] = {}
    for row in here.store.reviews.of_call(call_id):
        told = {"verb": row.verb, "after": row.after, "reason": row.reason, "comment": shield.words(who, row.comment), "at": row.at}
        histories.setdefault(row.hit_id, []).append(told)
    return {
        "hits": [
            {
                "id": hit.id,
                "utterance_id": hit.utterance_id,
                "phrase_id": hit.phrase_id,
                "quote": shield.words(who, hit.quote),
                "at_s": hit.at_s,
                "score": hit.score,
                "doubtful": hit.doubtful,
                "state": hit.state,
                "reviews": histories.get(hit.id, []),
            }
            for hit in here.store.results.hits(call_id)
        ]
    }


def _visible(here: Desk, who: Visitor, hit_id: int) -> HitRow:
    hit = here.store.reviews.hit(hit_id)
    try:
        visible_call(here.store, who, hit.call_id)
    except NotFoundError as error:  # the call's own words would tell whose hit it is
        raise no_hit(hit_id) from error
    return hit


def _judge(here: Desk, who: Visitor, hit: HitRow, said: Verdict) -> ReviewRow:
    user = here.store.accounts.user(who.id)
    row = here.store.reviews.add(hit.id, said.verb, user, reason=said.reason, comment=said.comment, seen=said.seen)
    if said.never_flag and said.verb is Verb.REJECT:
        here.store.allowances.add(hit.phrase_id, hit.quote, user)
    return row


# --- appeals ------------------------------------------------------------------------------------------------------------------------


@router.get("/appeals", name="appeals")
def appeals(request: Request, here: Here, who: Who, closed: bool = False, after: After = None) -> Response:
    """What waits for the lead's judgement, or what was judged."""
    narrow = narrowed(who, Filter())
    found = here.store.reviews.queue(CLOSED if closed else OPEN, agent=narrow.agent, team=narrow.team, after=after, limit=PAGE + 1)
    lexicon = book(here)
    return pages.render(
        request,
        "appeals.html.j2",
        queue=found[:PAGE],
        older=found[PAGE - 1].last.id if len(found) > PAGE else None,
        closed=closed,
        phrases=lexicon.phrases,
        people=here.store.accounts.names(),
    )


# --- wordings that are never flagged ------------------------------------------------------------------------------------------------


@router.get("/allowances", name="allowances")
def allowances(request: Request, here: Here) -> Response:
    """Those in force, and those that were."""
    return pages.render(
        request,
        "allowances.html.j2",
        active=here.store.allowances.active()[::-1],
        removed=here.store.allowances.removed()[::-1],
        phrases=book(here).phrases,
        people=here.store.accounts.names(),
        missing=chinese("not_in_lexicon"),
    )


@router.post("/allowances", name="allowance_add_send")
def allowance_add_send(request: Request, here: Here, who: Who, phrase_id: Annotated[str, Form(max_length=64)], wording: Text) -> Response:
    """One more."""
    if phrase_id not in book(here).phrases:
        raise InputError(f"词库里没有条款「{phrase_id[:64]}」：请从列表里选")
    here.store.allowances.add(phrase_id, wording, here.store.accounts.user(who.id))
    return _back(request, "已放行这种说法，从现在起不再标记", "This wording is let through from now on")


@router.post("/allowances/{allowance_id}/remove", name="allowance_remove_send")
def allowance_remove_send(request: Request, here: Here, who: Who, allowance_id: Id) -> Response:
    """Flagged again from now on."""
    here.store.allowances.remove(allowance_id, here.store.accounts.user(who.id))
    return _back(request, "已撤销放行，从现在起重新标记", "It is flagged again from now on")


def _back(request: Request, zh: str, en: str) -> Response:
    return pages.back(request, pages.url_for(request, "allowances"), pages.translator(request)(zh, en))
