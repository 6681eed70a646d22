"""The audit trail: who did what, when; and whether its chain holds.

In: a filter. Out: a page of entries, the latest first. The one decision: nothing here writes but the note that somebody verified.
"""

from fastapi import APIRouter, Request, Response

from phrasecheck.service import pages
from phrasecheck.service.desk import Here
from phrasecheck.service.security import Who

router = APIRouter(include_in_schema=False)
PAGE = 100


@router.get("/audit", name="audit")
def audit(request: Request, here: Here, subject: str = "", actor: str = "", action: str = "", before: int | None = None) -> Response:
    """A page of the trail."""
    wanted = {"subject": subject.strip() or None, "actor": actor.strip() or None, "action": action.strip() or None}
    found = here.store.audit.entries(before=before, limit=PAGE + 1, **wanted)
    shown = found[:PAGE]
    return pages.render(
        request, "audit.html.j2", entries=shown, wanted=wanted, before=before, older=shown[-1].id if len(found) > PAGE else None
    )


@router.post("/audit/verify", name="audit_verify_send")
def audit_verify_send(request: Request, here: Here, who: Who) -> Response:
    """Goes through the whole chain."""
    t = pages.translator(request)
    broken = here.store.audit.first_broken()
    here.store.audit.note(who.name, "audit.verify", "audit", broken=broken)
    if broken is not None:
        told, kind = (
            t(f"审计记录从第 {broken} 条起与它前面的对不上：有人绕过程序改过数据库，请与备份核对", f"The chain breaks at entry {broken}"),
            "bad",
        )
    else:
        told, kind = t("审计记录完整，没有被改过", "The trail is whole: nothing was changed"), "good"
    return pages.back(request, pages.url_for(request, "audit"), told, kind)
