"""Retention: what is kept how long, what goes when, holds, the record of what went.

In: forms. Out: the page, or the way back. The one decision: days are settings (docs/settings.md), not a form: who may shorten them is who runs the server.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from phrasecheck.errors import InputError
from phrasecheck.service import pages
from phrasecheck.service.desk import Here
from phrasecheck.service.security import Who
from phrasecheck.store.retention import Keeping

router = APIRouter(include_in_schema=False)

AHEAD = timedelta(days=30)
SHOWN = 50
NAMES = {
    Keeping.ORDINARY: ("普通通话", "Ordinary"),
    Keeping.VIOLATION: ("有成立的违规", "With a violation"),
    Keeping.APPEAL: ("有申诉", "With an appeal"),
}
Why = Annotated[str, Form(max_length=500)]


@router.get("/retention", name="retention")
def retention(
    request: Request,
    here: Here,
    call: Annotated[str, Query(max_length=32)] = "",
    before: Annotated[int | None, Query(ge=1, lt=1 << 63)] = None,
) -> Response:
    """The page; `call` fills in the form of holds."""
    kept, policy = here.store.retention, here.settings.privacy
    soon = here.store.database.now() + AHEAD
    gone = kept.gone(before, SHOWN + 1)
    return pages.render(
        request,
        "retention.html.j2",
        classes=kept.overview(policy, soon),
        names=NAMES,
        leaving=kept.leaving(soon, SHOWN),
        held=kept.held(),
        gone=gone[:SHOWN],
        older=gone[SHOWN - 1].id if len(gone) > SHOWN else None,
        before=before,
        call=call,
        latest=kept.latest_run(),
        hour=policy.retention_hour,
    )


@router.post("/retention/hold", name="hold_send")
def hold_send(
    request: Request, here: Here, who: Who, call: Annotated[str, Form(max_length=32)], on: Annotated[bool, Form()], why: Why = ""
) -> Response:
    """A legal hold, on or off."""
    t = pages.translator(request)
    try:
        here.store.retention.hold(call.strip(), on, why, who.name)
    except InputError as error:
        return pages.back(request, pages.url_for(request, "retention", {"call": call}), str(error), "bad")
    return pages.back(request, pages.url_for(request, "retention"), t("已封存", "On hold") if on else t("已解除封存", "The hold is off"))


@router.post("/retention/run", name="retention_run_send")
def retention_run_send(request: Request, here: Here, who: Who) -> Response:
    """Delete what has had its time, now."""
    gone = here.store.retention.run(here.settings.privacy, who.name)
    t = pages.translator(request)
    return pages.back(request, pages.url_for(request, "retention"), t(f"已删除到期的通话 {gone} 通", f"{gone} calls were deleted"))
