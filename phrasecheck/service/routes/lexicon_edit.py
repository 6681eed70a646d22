"""The company's own additions: edited in a form or as YAML, saved as versions, compared, put in force.

In: forms. Out: pages, or the way back. The one decision: every save is a new version that says who, when and why; an edit carries the number of the
version it was made from, so two people who edit at once do not overwrite each other.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from phrasecheck.errors import InputError
from phrasecheck.lexicon import Lexicon
from phrasecheck.service import additions, pages
from phrasecheck.service.additions import Draft, Typed
from phrasecheck.service.book import book_of
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.routes.lexicon import lexicon_at
from phrasecheck.service.security import Who
from phrasecheck.store.lexicons import blank, compare
from phrasecheck.store.tables import LexiconVersionRow
from phrasecheck.types import Severity

router = APIRouter(include_in_schema=False)

Short = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=20_000)]
Whole = Annotated[str, Form(max_length=900_000)]
Number = Annotated[int, Form(ge=0)]


def _body(here: Desk, number: int) -> str:
    """The body an edit begins with: that of a version; 0: one that changes nothing."""
    return here.store.lexicons.get(number).body if number else blank(here.settings.lexicons)


@router.get("/lexicon/edit", name="lexicon_edit")
def lexicon_edit(request: Request, here: Here) -> Response:
    """What the company has added, changed and switched off."""
    latest = here.store.lexicons.latest()
    base, whole = book_of(here, None), lexicon_at(here, latest)
    listed = [
        (entry, base.phrases.get(str(entry["id"])), whole.phrases.get(str(entry["id"]))) for entry in additions.entries(_body(here, latest))
    ]
    active = here.store.lexicons.active_number()
    return pages.render(request, "lexicon_edit.html.j2", listed=listed, latest=latest, active=active, base=base)


# --- one phrase -----------------------------------------------------------------------------------------------------------------------


@router.get("/lexicon/edit/phrase", name="lexicon_phrase")
def lexicon_phrase(request: Request, here: Here, id: Annotated[str, Query(max_length=64)] = "") -> Response:
    """The form of a phrase; without an id, of a new one."""
    latest = here.store.lexicons.latest()
    base, whole = book_of(here, None), lexicon_at(here, latest)
    phrase = whole.phrases.get(id) or base.phrases.get(id)
    typed = additions.typed_of(id, phrase, enabled=phrase is None or id in whole.phrases)
    return _form(request, here, typed, latest, new=phrase is None, base=base)


@router.post("/lexicon/edit/phrase", name="lexicon_phrase_send")
def lexicon_phrase_send(
    request: Request,
    here: Here,
    who: Who,
    id: Short,
    after: Number,
    section: Short = "",
    text: Short = "",
    severity: Short = "",
    severity_reason: Long = "",
    why: Long = "",
    instead: Long = "",
    alone: Long = "",
    spellings: Long = "",
    examples: Long = "",
    fine: Long = "",
    fatal: Annotated[bool, Form()] = False,
    enabled: Annotated[bool, Form()] = False,
    note: Short = "",
    new: Annotated[bool, Form()] = False,
    active: Annotated[bool, Form()] = False,
) -> Response:
    """A new version with the phrase as it was typed; or the form again with what is wrong."""
    texts = {"section": section, "text": text, "severity": severity, "severity_reason": severity_reason, "why": why, "instead": instead}
    lists = {"alone": alone, "spellings": spellings, "examples": examples, "fine": fine}
    typed = Typed(id=id.strip(), texts=texts, lists=lists, fatal=fatal, enabled=enabled)
    base, body = book_of(here, None), _body(here, after)
    listed = {str(entry["id"]) for entry in additions.entries(body)}
    if new and typed.id in {*base.phrases, *listed}:
        problems = {"id": [f"编号 {typed.id} 已经有了：请换一个，或回到列表里修改它"]}
        return _form(request, here, typed, after, new=new, base=base, draft=Draft(body=body, lexicon=None, problems=problems), note=note)
    draft = additions.checked(
        additions.with_entry(body, additions.entry_of(typed, base.phrases.get(typed.id))), here.settings.lexicons, typed.id
    )
    if draft.lexicon is None:
        return _form(request, here, typed, after, new=new, base=base, draft=draft, note=note)
    return _saved(request, here, who, draft, note or _said(typed, new), after, active)


def _said(typed: Typed, new: bool) -> str:
    """A note for who wrote none."""
    return f"{'新增' if new else '修改' if typed.enabled else '停用'} {typed.id}"


def _form(
    request: Request, here: Desk, typed: Typed, after: int, *, new: bool, base: Lexicon, draft: Draft | None = None, note: str = ""
) -> Response:
    return pages.render(
        request,
        "lexicon_phrase.html.j2",
        status=422 if draft else 200,
        typed=typed,
        new=new,
        below=base.phrases.get(typed.id),
        after=after,
        sections=list(lexicon_at(here, after).sections.values()),
        severities=list(Severity),
        problems=draft.problems if draft else {},
        note=note,
    )


@router.post("/lexicon/edit/remove", name="lexicon_remove_send")
def lexicon_remove_send(request: Request, here: Here, who: Who, id: Short, after: Number) -> Response:
    """A new version that says nothing of this phrase: an addition is gone, a changed phrase is as it was."""
    draft = additions.checked(additions.without_entry(_body(here, after), id), here.settings.lexicons)
    return _saved(request, here, who, draft, f"撤去 {id}", after, active=False)


# --- YAML ---------------------------------------------------------------------------------------------------------------------------


@router.get("/lexicon/edit/yaml", name="lexicon_yaml")
def lexicon_yaml(request: Request, here: Here, version: Annotated[int | None, Query(ge=0)] = None) -> Response:
    """The whole file."""
    latest = here.store.lexicons.latest()
    body = _body(here, latest if version is None else version)
    return pages.render(
        request, "lexicon_yaml.html.j2", body=body, after=latest, problems=[], note="" if version is None else f"由第 {version} 版而来"
    )


@router.post("/lexicon/edit/yaml", name="lexicon_yaml_send")
def lexicon_yaml_send(
    request: Request, here: Here, who: Who, body: Whole, after: Number, note: Short = "", active: Annotated[bool, Form()] = False
) -> Response:
    """A new version; or the file again with what is wrong, line by line."""
    draft = additions.checked(body.replace("\r\n", "\n"), here.settings.lexicons)
    if draft.lexicon is None:
        problems = [reason for reasons in draft.problems.values() for reason in reasons]
        return pages.render(request, "lexicon_yaml.html.j2", status=422, body=body, after=after, problems=problems, note=note)
    return _saved(request, here, who, draft, note or "YAML 编辑", after, active)


def _saved(request: Request, here: Desk, who: Who, draft: Draft, note: str, after: int, active: bool) -> Response:
    if draft.lexicon is None:
        raise InputError("；".join(reason for reasons in draft.problems.values() for reason in reasons))
    row = here.store.lexicons.add(draft.body, draft.lexicon.sha256, note, here.store.accounts.user(who.id), after=after, active=active)
    t = pages.translator(request)
    said = (
        t("已保存为第 {0} 版并启用", "Saved as version {0}, in force")
        if active
        else t("已保存为第 {0} 版，尚未启用", "Saved as version {0}, not in force yet")
    )
    return pages.back(request, pages.url_for(request, "lexicon_versions"), said.format(row.id))


# --- versions -----------------------------------------------------------------------------------------------------------------------


@router.get("/lexicon/versions", name="lexicon_versions")
def lexicon_versions(request: Request, here: Here) -> Response:
    """Who saved what, when and why."""
    versions = here.store.lexicons.versions()
    return pages.render(request, "lexicon_versions.html.j2", versions=versions, active=here.store.lexicons.active_number())


@router.post("/lexicon/versions/{number}/activate", name="lexicon_activate_send")
def lexicon_activate_send(request: Request, here: Here, who: Who, number: int) -> Response:
    """In force from now on; 0: no additions are."""
    if number:
        lexicon_at(here, number)  # the lexicon files below may have changed since it was saved
    here.store.lexicons.activate(number or None, here.store.accounts.user(who.id))
    t = pages.translator(request)
    said = (
        t("第 {0} 版已启用，从下一通电话起", "Version {0} is in force from the next call on")
        if number
        else t("公司补充已停用", "No additions are in force")
    )
    return pages.back(request, pages.url_for(request, "lexicon_versions"), said.format(number))


@router.get("/lexicon/compare", name="lexicon_compare")
def lexicon_compare(
    request: Request, here: Here, old: Annotated[int, Query(ge=0)] = 0, new: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """What was added, changed and removed between two versions."""
    latest = here.store.lexicons.latest()
    later = latest if new is None else new
    before, after = lexicon_at(here, old), lexicon_at(here, later)
    rows: dict[int, LexiconVersionRow] = {row.id: row for row, _ in here.store.lexicons.versions()}
    return pages.render(
        request,
        "lexicon_compare.html.j2",
        old=old,
        new=later,
        numbers=[0, *sorted(rows)],
        rows=rows,
        before=before,
        after=after,
        changes=compare(before, after),
        active=here.store.lexicons.active_number(),
    )
