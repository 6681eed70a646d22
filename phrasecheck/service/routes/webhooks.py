"""Webhooks: which addresses are told when a call ends, and what did not arrive.

In: forms. Out: the page. The one decision: a secret is shown once, by the answer to the form that made it.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response

from phrasecheck.errors import InputError
from phrasecheck.service import pages
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.security import Who
from phrasecheck.service.webhooks import checked_url
from phrasecheck.store.tables import MessageState

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=0, le=1 << 62)]


@router.get("/webhooks", name="webhooks")
def webhooks(request: Request, here: Here) -> Response:
    """The addresses, the form for a new one, what was given up."""
    return _page(request, here)


@router.post("/webhooks", name="webhook_add_send")
def webhook_add_send(request: Request, here: Here, who: Who, url: Annotated[str, Form(max_length=500)]) -> Response:
    """A new address, and its secret."""
    try:
        row = here.store.webhooks.add(checked_url(url, here.settings.service.webhook_networks), here.store.accounts.user(who.id))
    except InputError as error:
        return _page(request, here, status=422, problem=str(error), typed=url)
    return _page(request, here, secret=row.secret)


@router.post("/webhooks/{webhook_id}/end", name="webhook_end_send")
def webhook_end_send(request: Request, here: Here, who: Who, webhook_id: Number) -> Response:
    """No more messages."""
    here.store.webhooks.end(webhook_id, who.name)
    return pages.back(request, pages.url_for(request, "webhooks"), pages.translator(request)("回调已停用", "The webhook is off"))


@router.post("/webhooks/messages/{message_id}/again", name="webhook_again_send")
def webhook_again_send(request: Request, here: Here, who: Who, message_id: Number) -> Response:
    """A message that was given up, once more."""
    here.store.webhooks.again(message_id, who.name)
    return pages.back(request, pages.url_for(request, "webhooks"), pages.translator(request)("已重新发送", "Sent again"))


def _page(
    request: Request, here: Desk, status: int = 200, problem: str | None = None, typed: str = "", secret: str | None = None
) -> Response:
    store = here.store.webhooks
    return pages.render(
        request,
        "webhooks.html.j2",
        status=status,
        webhooks=store.active(),
        waiting=[found for found in store.messages(MessageState.WAITING) if found[0].tries],
        dead=store.messages(MessageState.DEAD),
        problem=problem,
        typed=typed,
        secret=secret,
    )
