"""Sampling: drawing calls and sharing them out, an inspector's own queue, second opinions, agreement.

In: forms. Out: pages, or the way back. The one decision: who gives a second opinion does it on a page of its own (task.html.j2), which shows what was said
and nothing that others made of it; a first review is done on the call's own page, and the queue leads there and on.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from pydantic import Field

from phrasecheck.errors import InputError, PhrasecheckError
from phrasecheck.lexicon import Lexicon
from phrasecheck.scoring import is_fatal
from phrasecheck.service import pages, shield
from phrasecheck.service.asked import begins, day, ends
from phrasecheck.service.book import book
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.security import Visitor, Who
from phrasecheck.store.draws import agreement
from phrasecheck.store.sampling import Rule, RuleKind, Task, by_pair
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import HitRow, Listened
from phrasecheck.types import CallResult, Role, Utterance

router = APIRouter(include_in_schema=False)

WEEK = timedelta(days=7)
SPAN = 90  # days of the page of agreement
Id = Annotated[int, Path(ge=1, lt=1 << 63)]
Comment = Annotated[str, Form(max_length=2000)]
People = Annotated[list[Annotated[int, Field(ge=1, lt=1 << 63)]], Form(max_length=1000)]
Day = Annotated[str, Form(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Number = Annotated[float, Form(ge=0, le=1_000_000)]

KINDS: Mapping[RuleKind, tuple[str, str]] = {
    RuleKind.PERCENT: ("按比例", "A share of all"),
    RuleKind.PER_AGENT: ("每位坐席若干通", "So many of each agent"),
    RuleKind.FATAL: ("全部一票否决", "All with a fatal phrase"),
    RuleKind.DOUBTFUL: ("全部存疑", "All with a doubtful hit"),
    RuleKind.CLEAN: ("随机抽无命中的", "Random clean calls"),
}


# --- drawing ------------------------------------------------------------------------------------------------------------------------


@router.get("/sampling", name="sampling")
def sampling(request: Request, here: Here, who: Who) -> Response:
    """The form and the draws so far; an inspector's way to his queue."""
    if who.permission is Permission.INSPECTOR:
        return pages.back(request, pages.url_for(request, "queue_mine"))
    today = here.store.database.now().astimezone().date()
    typed = {"kind": RuleKind.PERCENT, "amount": 5, "double": 10, "since": today - WEEK, "until": today, "role": "", "team": "", "seed": ""}
    return _drawing(request, here, typed)


@router.post("/sampling", name="sampling_send")
def sampling_send(
    request: Request,
    here: Here,
    who: Who,
    kind: Annotated[RuleKind, Form()],
    since: Day = "",
    until: Day = "",
    amount: Number = 0,
    double: Number = 0,
    role: Annotated[str, Form(pattern=f"^({'|'.join(Role)})?$")] = "",
    team: Annotated[str, Form(max_length=100)] = "",
    seed: Annotated[str, Form(max_length=64)] = "",
    inspector: People = [],  # noqa: B006 - FastAPI copies it
    do: Annotated[str, Form(pattern="^(preview|draw)$")] = "preview",
) -> Response:
    """What would be drawn; or the draw."""
    seed = seed.strip() or secrets.token_hex(8)
    typed: dict[str, Any] = {
        "kind": kind,
        "amount": amount,
        "double": double,
        "since": since,
        "until": until,
        "role": role,
        "team": team,
        "seed": seed,
    }
    try:
        rule = Rule(
            kind=kind,
            amount=amount,
            double=double,
            since=begins(day(since)),
            until=ends(day(until)),
            role=Role(role) if role else None,
            team=team.strip() or None,
        )
        fatal = _fatal(here) if kind is RuleKind.FATAL else ()
        if do == "preview":
            return _drawing(request, here, typed, chosen=inspector, preview=here.store.sampling.preview(rule, fatal, seed))
        here.store.sampling.draw(rule, inspector, fatal, seed, here.store.accounts.user(who.id))
    except PhrasecheckError as error:
        return _drawing(request, here, typed, chosen=inspector, problem=str(error))
    return pages.back(request, pages.url_for(request, "sampling"), pages.translator(request)("已抽取并分配", "Drawn and shared out"))


def _drawing(
    request: Request, here: Desk, typed: dict[str, Any], *, chosen: list[int] | None = None, preview: Any = None, problem: str | None = None
) -> Response:
    store = here.store
    inspectors = store.sampling.inspectors()
    some = {user.id for user, _ in inspectors if user.permission is Permission.INSPECTOR} if chosen is None else set(chosen)
    return pages.render(
        request,
        "sampling.html.j2",
        status=422 if problem else 200,
        typed=typed,
        kinds=KINDS,
        roles=list(Role),
        teams=store.listing.names()[0],
        inspectors=inspectors,
        chosen=some,
        preview=preview,
        problem=problem,
        samples=store.sampling.samples(),
    )


@router.post("/sampling/hand-over", name="sampling_hand_over_send")
def sampling_hand_over_send(
    request: Request,
    here: Here,
    who: Who,
    away: Annotated[int, Form(ge=1, lt=1 << 63)],
    to: People = [],  # noqa: B006
) -> Response:
    """The open calls of somebody who is away."""
    t = pages.translator(request)
    try:
        moved = here.store.sampling.hand_over(away, to, who.name)
    except InputError as error:
        return pages.back(request, pages.url_for(request, "sampling"), str(error), "bad")
    return pages.back(request, pages.url_for(request, "sampling"), t(f"已转交 {moved} 通", f"{moved} calls handed over"))


def _fatal(here: Desk) -> set[str]:
    lexicon = book(here)
    return {phrase.id for phrase in lexicon.phrases.values() if is_fatal(phrase, here.settings.scoring)}


# --- one's own queue ----------------------------------------------------------------------------------------------------------------


@router.get("/my-queue", name="queue_mine")
def queue_mine(request: Request, here: Here, who: Who) -> Response:
    """What waits for the visitor."""
    now = here.store.database.now().astimezone()
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    tasks = here.store.sampling.queue(who.id)
    return pages.render(request, "queue_mine.html.j2", tasks=tasks, done=here.store.sampling.finished(who.id, monday))


@dataclass(frozen=True, slots=True)
class Moment:
    """A hit as it is shown for an opinion: its words among those around them."""

    hit: HitRow
    phrase: str
    before: str
    head: str
    quote: str
    tail: str


@router.get("/my-queue/{assignment_id}", name="task")
def task(request: Request, here: Here, who: Who, assignment_id: Id) -> Response:
    """One call of the queue, with the way to the one before and the one after."""
    sampling = here.store.sampling
    sampling.assignment(assignment_id, who.id)
    tasks = sampling.queue(who.id)
    place = next((place for place, one in enumerate(tasks) if one.assignment.id == assignment_id), None)
    if place is None:
        return pages.back(request, pages.url_for(request, "queue_mine"), pages.translator(request)("这一通已完成", "This call is done"))
    return pages.render(request, "task.html.j2", **_task(here, who, tasks, place))


def _task(here: Desk, who: Visitor, tasks: list[Task], place: int) -> dict[str, Any]:
    one = tasks[place]
    result = shield.shielded(who, here.store.results.get(one.call.id))
    lexicon = book(here)
    return {
        "task": one,
        "place": place + 1,
        "number": len(tasks),
        "previous": tasks[place - 1].assignment.id if place else None,
        "next": tasks[place + 1].assignment.id if place + 1 < len(tasks) else None,
        "moments": [_moment(who, hit, result, lexicon) for hit in here.store.sampling.hits(one.call.id)],
        "opinions": here.store.sampling.opinions(one.call.id, who.id),
        "said": result.transcript.utterances,
    }


def _moment(who: Visitor, hit: HitRow, result: CallResult, lexicon: Lexicon) -> Moment:
    said = result.transcript.utterances
    place = next((place for place, utterance in enumerate(said) if utterance.id == hit.utterance_id), None)
    quote = shield.words(who, hit.quote)
    head, found, tail = said[place].text.partition(quote) if place is not None else ("", "", "")
    phrase = lexicon.phrases.get(hit.phrase_id)
    return Moment(
        hit=hit,
        phrase=phrase.text if phrase else "—",
        before=_before(said, place),
        head=head if found else "",
        quote=quote,
        tail=tail if found else "",
    )


def _before(said: tuple[Utterance, ...], place: int | None) -> str:
    """What the other one said before it."""
    if not place:
        return ""
    return next((u.text for u in reversed(said[:place]) if u.speaker is not said[place].speaker), "")


@router.post("/my-queue/{assignment_id}/opinion", name="opinion_send")
def opinion_send(
    request: Request,
    here: Here,
    who: Who,
    assignment_id: Id,
    hit: Annotated[int, Form(ge=1, lt=1 << 63)],
    violation: Annotated[bool, Form()],
    comment: Comment = "",
) -> Response:
    """A second opinion on one hit."""
    here.store.sampling.opine(assignment_id, here.store.accounts.user(who.id), hit, violation, comment)
    return pages.back(request, f"{pages.url_for(request, 'task', assignment_id=assignment_id)}#hit-{hit}")


@router.post("/my-queue/{assignment_id}/done", name="task_done_send")
def task_done_send(
    request: Request, here: Here, who: Who, assignment_id: Id, outcome: Annotated[Listened, Form()], comment: Comment = ""
) -> Response:
    """The call is done; on to the next."""
    tasks = [one.assignment.id for one in here.store.sampling.queue(who.id)]
    here.store.sampling.finish(assignment_id, here.store.accounts.user(who.id), outcome, comment)
    rest = [*(t for t in tasks if t > assignment_id), *(t for t in tasks if t < assignment_id)]
    t = pages.translator(request)
    if not rest:
        return pages.back(request, pages.url_for(request, "queue_mine"), t("全部完成", "All done"))
    return pages.back(request, pages.url_for(request, "task", assignment_id=rest[0]), t("已完成，这是下一通", "Done; here is the next"))


# --- agreement ----------------------------------------------------------------------------------------------------------------------


@router.get("/agreement", name="agreement")
def agreement_page(request: Request, here: Here, days: Annotated[int, Query(ge=1, le=3650)] = SPAN) -> Response:
    """How far inspectors agree on calls that two of them judged, and where they do not."""
    judged = here.store.sampling.judged_twice(here.store.database.now() - timedelta(days=days))
    names = here.store.accounts.names()
    pairs = sorted(by_pair(judged).items(), key=lambda item: -item[1].items)
    return pages.render(
        request,
        "agreement.html.j2",
        days=days,
        overall=agreement([item.verdicts for item in judged]),
        pairs=[(names[one], names[other], found) for (one, other), found in pairs],
        apart=[item for item in judged if item.verdicts[0] is not item.verdicts[1]][:100],
        names=names,
    )
