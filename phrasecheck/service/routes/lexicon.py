"""The lexicon to be read, and the test bench: what a sentence would come to, and why.

In: the lexicon in force, or another version; a sentence. Out: pages. The one decision: the test bench sends its sentence in the body, never in the
address: sentences of real calls stand in no log and no history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import PlainTextResponse

from phrasecheck.errors import NotFoundError
from phrasecheck.lexicon import Lexicon, Phrase
from phrasecheck.matching.explain import NAMES, explain
from phrasecheck.matching.matcher import Line
from phrasecheck.normalize import normalize
from phrasecheck.service import additions, pages
from phrasecheck.service.book import book, book_of
from phrasecheck.service.desk import Desk, Here
from phrasecheck.types import Role, Severity

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1", tags=["lexicon"])

RECENT = timedelta(days=90)
LONGEST = 500  # characters on the test bench
Word = Annotated[str, Query(max_length=100)]


@router.get("/lexicon", name="lexicon")
def lexicon(request: Request, here: Here, section: Word = "", severity: Word = "", q: Word = "") -> Response:
    """All phrases by section; those that fit."""
    current = book(here)
    caught = here.store.figures.caught(here.store.database.now() - RECENT)
    shown = [p for p in current.phrases.values() if _fits(p, section, severity, q.strip())]
    return pages.render(
        request,
        "lexicon.html.j2",
        lexicon=current,
        sections=[(one, [p for p in shown if p.section == one.id]) for one in current.sections.values()],
        caught=caught,
        own=_own(here),
        edition=here.store.lexicons.active_number(),
        severities=list(Severity),
        wanted={"section": section, "severity": severity, "q": q},
    )


def _fits(phrase: Phrase, section: str, severity: str, words: str) -> bool:
    text = " ".join([phrase.id, phrase.text, phrase.why, phrase.instead, *phrase.spellings, *phrase.examples])
    return section in ("", phrase.section) and severity in ("", phrase.severity) and words in text


def _own(here: Desk) -> frozenset[str]:
    """Ids that the active additions name."""
    row = here.store.lexicons.active()
    return frozenset(str(entry["id"]) for entry in additions.entries(row.body)) if row else frozenset()


@router.get("/lexicon/phrases/{phrase_id:path}", name="phrase")
def phrase(request: Request, here: Here, phrase_id: str) -> Response:
    """One phrase."""
    current = book(here)
    found = current.phrases.get(phrase_id)
    if found is None:
        raise NotFoundError(f"现行词库里没有禁语 {phrase_id}：可能已停用，请在「词库 → 版本」里核对")
    return pages.render(
        request,
        "phrase.html.j2",
        phrase=found,
        section=current.sections[found.section],
        caught=here.store.figures.caught(here.store.database.now() - RECENT).get(phrase_id, 0),
        own=phrase_id in _own(here),
        since=(here.store.database.now() - RECENT).date(),
    )


# --- the test bench -----------------------------------------------------------------------------------------------------------------


@router.get("/lexicon/bench", name="bench")
def bench(request: Request, here: Here) -> Response:
    """The form."""
    return _bench(request, here, "", Role.CLAIMS_REPORT, None, None)


@router.post("/lexicon/bench", name="bench_send")
def bench_send(
    request: Request,
    here: Here,
    text: Annotated[str, Form(max_length=LONGEST)],
    role: Annotated[Role, Form()],
    version: Annotated[int | None, Form(ge=0)] = None,
) -> Response:
    """What the sentence would come to."""
    return _bench(request, here, text.strip(), role, version, _tried(here, text.strip(), role, version) if text.strip() else None)


def _bench(request: Request, here: Desk, text: str, role: Role, version: int | None, found: "Tried | None") -> Response:
    versions = here.store.lexicons.versions()
    active = here.store.lexicons.active_number()
    return pages.render(
        request,
        "bench.html.j2",
        text=text,
        role=role,
        roles=list(Role),
        edition=active if version is None else version,
        active=active,
        versions=[row.id for row, _ in versions],
        found=found,
        names=NAMES,
        longest=LONGEST,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A sentence's explanation (matching/explain), and what draws it."""

    explanation: Mapping[str, Any]
    lexicon: Lexicon
    marked: list[tuple[str, str]]  # stretches of the text: words, and "hit", "doubtful" or ""
    weighed: list[tuple[str, int]]  # stretches of the text: words, and how much they carried, 0..4


def _tried(here: Desk, text: str, role: Role, version: int | None) -> Tried:
    with here.matcher.use() if version is None else here.matcher.version(version) as matcher:
        explanation = explain(matcher, Line(id="bench", text=text, role=role))
        known = matcher.parts.lexicon
    explanation["words"] = [
        word for word in explanation["words"] if normalize(word["word"]).text
    ]  # commas carry something too, but tell nobody
    return Tried(explanation=explanation, lexicon=known, marked=_marked(text, explanation), weighed=_weighed(text, explanation))


def _marked(text: str, explanation: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(text.find(hit["quote"]), hit) for hit in explanation["hits"]]
    parts, at = [], 0
    for start, hit in sorted(((start, hit) for start, hit in found if start >= 0), key=lambda pair: pair[0]):
        if start < at:
            continue
        parts += [(text[at:start], ""), (hit["quote"], hit["state"])]
        at = start + len(hit["quote"])
    return [part for part in (*parts, (text[at:], "")) if part[0]]


def _weighed(text: str, explanation: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Words that carried it, the most as 4."""
    words = sorted(explanation["words"], key=lambda word: word["start"])
    most = max((word["fall"] for word in words), default=1.0)
    parts: list[tuple[str, int]] = []
    at = 0
    for word in words:
        parts += [(text[at : word["start"]], 0), (word["word"], max(1, round(4 * word["fall"] / most)))]
        at = word["start"] + len(word["word"])
    return [part for part in (*parts, (text[at:], 0)) if part[0]]


# --- for programs -------------------------------------------------------------------------------------------------------------------


@api.get("/lexicon", name="api_lexicon")
def api_lexicon(here: Here) -> dict[str, Any]:
    """The lexicon in force: name, digest, version of the additions (0: none), phrases."""
    current = book(here)
    fields = ("id", "section", "text", "severity", "severity_reason", "fatal", "why", "instead", "spellings", "examples", "fine")
    phrases = [{name: getattr(phrase, name) for name in fields} for phrase in current.phrases.values()]
    return {"name": current.name, "sha256": current.sha256, "version": here.store.lexicons.active_number(), "phrases": phrases}


@api.get("/lexicon/versions/{number}", name="api_lexicon_version", response_class=PlainTextResponse)
def api_lexicon_version(here: Here, number: int) -> PlainTextResponse:
    """The YAML of a version of the additions."""
    row = here.store.lexicons.get(number)
    return PlainTextResponse(row.body, headers={"Content-Disposition": f'attachment; filename="lexicon-{number}.yaml"'})


def lexicon_at(here: Desk, number: int) -> Lexicon:
    """The lexicon of a version; 0: the lexicon files alone. Raises NotFoundError, LexiconError."""
    return book_of(here, here.store.lexicons.get(number).body if number else None)
