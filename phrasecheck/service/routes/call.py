"""The call page, its sound and its wave form.

In: a call's id. Out: pages, SVG, MP3. The one decision: the sound is answered a part at a time, and the trail says once in a quarter of
an hour that somebody listens, not each time the browser asks for the next part.
"""

import re
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from phrasecheck.errors import NotFoundError
from phrasecheck.report.labels import channel
from phrasecheck.report.timeline import pin_title
from phrasecheck.service import audio, pages, shield
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.dossier import dossier, warnings
from phrasecheck.service.peaks import peaks, svg
from phrasecheck.service.scope import CallId, visible_call
from phrasecheck.service.security import Visitor, Who
from phrasecheck.store.states import RejectReason, Verb
from phrasecheck.types import CallResult

router = APIRouter(include_in_schema=False)

Channel = Annotated[str | None, Query(pattern=r"^[a-z0-9]{1,8}$")]
SITTING = timedelta(minutes=15)


@router.get("/calls/{call_id}", name="call")
def call(
    request: Request, here: Here, who: Who, call_id: CallId, version: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None
) -> Response:
    """The page; of a call that has no result yet, how it stands."""
    row = visible_call(here.store, who, call_id)
    english = pages.language(request) == "en"
    common: dict[str, Any] = {
        "call": row,
        "source": shield.words(who, row.source),
        "extra": {k: shield.words(who, str(v)) for k, v in row.extra.items()},
    }
    try:
        found = dossier(here, who, row, version)
    except NotFoundError:
        if version is not None:
            raise
        return pages.render(request, "call.html.j2", found=None, **common)
    return pages.render(
        request,
        "call.html.j2",
        found=found,
        warnings=[told[english] for told in warnings(found)],
        reasons=list(RejectReason),
        Verb=Verb,
        channel=lambda name: channel(name)[english],
        pin_title=pin_title,
        shielded=not shield.sees_all(who),
        **common,
    )


@router.get("/calls/{call_id}/wave.svg", name="call_wave")
def call_wave(here: Here, who: Who, call_id: CallId, channel: Channel = None) -> Response:
    """One channel's wave form."""
    row = visible_call(here.store, who, call_id)
    found = peaks(here.store.recordings, row.recording, here.settings.audio)
    return Response(
        svg(found, channel or next(iter(found))), media_type="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"}
    )


@router.get("/calls/{call_id}/audio", name="call_audio")
def call_audio(request: Request, here: Here, who: Who, call_id: CallId, channel: Channel = None, save: bool = False) -> Response:
    """The sound, or a part of it; `save`: as a file."""
    row = visible_call(here.store, who, call_id)
    _note(here, who, call_id, "call.save" if save else "call.listen", channel)
    result = None if shield.sees_all(who) else _result(here, call_id)  # a player asks for a few seconds at a time
    wanted = audio.Wanted(channel=channel, silent=shield.silent(who, result))
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", shield.words(who, row.source).rpartition(".")[0]).strip("-") or "call"
    return audio.respond(
        here.store.recordings, row.recording, wanted, here.settings.audio, request.headers.get("range"), f"{stem}.mp3" if save else None
    )


def _result(here: Desk, call_id: str) -> CallResult | None:
    try:
        return here.store.results.get(call_id)
    except NotFoundError:
        return None


def _note(here: Desk, who: Visitor, call_id: str, action: str, channel: str | None) -> None:
    subject, since = f"call:{call_id}", here.store.database.now() - SITTING
    earlier = here.store.audit.entries(subject=subject, actor=who.name, action=action, limit=1)
    if not earlier or earlier[0].at < since:
        here.store.audit.note(who.name, action, subject, channel=channel)
