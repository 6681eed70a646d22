"""The company's additions as a form and as YAML: one phrase put into the file or taken out of it, and what is wrong with it beside its field.

In: the YAML of a version, and what somebody typed. Out: another YAML, or problems by field. The one decision: the form edits the same file that
YAML shows, so both are checked by the same rules (lexiconfile, lexiconcheck), and a form only writes down what differs from the phrase below.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from phrasecheck.lexicon import Lexicon, Phrase
from phrasecheck.lexiconcheck import exemplar_problems
from phrasecheck.lexiconfile import Fault
from phrasecheck.matching.semantic import own_lines
from phrasecheck.store.lexicons import tried

TEXTS = ("section", "text", "severity", "severity_reason", "why", "instead")
LISTS = ("alone", "spellings", "examples", "fine")
LONGEST = 2000  # characters of one field
GENERAL = ""  # the field of problems that belong to none
MISSING = re.compile(r"缺少 (\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A phrase as somebody typed it: text fields, lists with a line an entry."""

    id: str
    texts: Mapping[str, str]
    lists: Mapping[str, str]
    fatal: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A body that was tried: the lexicon it makes (None: it makes none), and problems by field."""

    body: str
    lexicon: Lexicon | None
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)


def entries(body: str) -> list[dict[str, Any]]:
    """The phrases that a valid body names."""
    return list(yaml.safe_load(body).get("phrases") or [])


def typed_of(phrase_id: str, phrase: Phrase | None, *, enabled: bool = True) -> Typed:
    """A phrase as the form shows it; empty for a new one."""
    if phrase is None:
        return Typed(id=phrase_id, texts=dict.fromkeys(TEXTS, ""), lists=dict.fromkeys(LISTS, ""), enabled=enabled)
    alone = [clause.text for clause in phrase.clauses if clause.alone and len(phrase.clauses) > 1]
    lists = {"alone": alone, "spellings": phrase.spellings, "examples": phrase.examples, "fine": phrase.fine}
    return Typed(
        id=phrase.id,
        texts={name: str(getattr(phrase, name)) for name in TEXTS},
        lists={name: "\n".join(lines) for name, lines in lists.items()},
        fatal=phrase.fatal,
        enabled=enabled,
    )


def entry_of(typed: Typed, below: Phrase | None) -> dict[str, Any]:
    """What the file says of it: over a phrase below only what differs, else everything that is not empty."""
    known = typed_of(typed.id, below)
    entry: dict[str, Any] = {"id": typed.id.strip()}
    entry |= {n: _clean(v) for n, v in typed.texts.items() if _clean(v) != known.texts[n] and (_clean(v) or below is not None)}
    entry |= {n: _lines(v) for n, v in typed.lists.items() if _lines(v) != _lines(known.lists[n])}
    if typed.fatal != known.fatal:
        entry["fatal"] = typed.fatal
    if not typed.enabled:
        entry["enabled"] = False
    return entry


def _clean(text: str) -> str:
    return text.strip()[:LONGEST]


def _lines(text: str) -> list[str]:
    return [line.strip()[:LONGEST] for line in text.splitlines() if line.strip()]


def with_entry(body: str, entry: Mapping[str, Any]) -> str:
    """The body with this phrase in it, in the place of the one with its id. An entry that changes nothing is left out."""
    file = yaml.safe_load(body)
    phrases = [phrase for phrase in file.get("phrases") or [] if phrase["id"] != entry["id"]]
    place = next((i for i, phrase in enumerate(file.get("phrases") or []) if phrase["id"] == entry["id"]), len(phrases))
    if len(entry) > 1:
        phrases.insert(place, dict(entry))
    return dumped({**file, "phrases": phrases})


def without_entry(body: str, phrase_id: str) -> str:
    """The body that says nothing of this phrase."""
    return with_entry(body, {"id": phrase_id})


def dumped(file: Mapping[str, Any]) -> str:
    """A file as YAML that people can read."""
    return yaml.safe_dump(dict(file), allow_unicode=True, sort_keys=False, width=140)


def checked(body: str, overlays: Sequence[Path], phrase_id: str | None = None) -> Draft:
    """A body with all that is wrong with it; with `phrase_id` by the fields of that phrase, else by line."""
    lexicon, fields, faults = tried(body, overlays)
    problems: dict[str, list[str]] = {}
    for fault in faults:
        where = _field(fault, body, phrase_id) if phrase_id is not None else GENERAL
        reason = fault.reason if phrase_id is not None else f"第 {fault.line} 行：{fault.reason}"
        problems.setdefault(where, []).append(reason)
    if lexicon is not None and fields is not None:
        for reason in _lines_problems(lexicon, [phrase["id"] for phrase in fields["phrases"]]):
            problems.setdefault("examples" if phrase_id is not None else GENERAL, []).append(reason)
    return Draft(body=body, lexicon=lexicon if not problems else None, problems=problems)


def _field(fault: Fault, body: str, phrase_id: str) -> str:
    """The form's field that a fault belongs to; GENERAL when it is another phrase's."""
    match fault.where:
        case ("phrases", int(number), *inside) if _id_of(body, number) == phrase_id:
            if inside and inside[0] in ("id", *TEXTS, *LISTS):
                return str(inside[0])
            missing = MISSING.search(fault.reason)
            return missing.group(1) if missing else GENERAL
    return GENERAL


def _id_of(body: str, number: int) -> str | None:
    listed = entries(body)
    return str(listed[number].get("id")) if number < len(listed) else None


def _lines_problems(lexicon: Lexicon, ids: Sequence[str]) -> list[str]:
    """Doubles, and lines that stand on both sides, among the additions' own lines."""
    own = {i: lexicon.phrases[i] for i in ids if i in lexicon.phrases}
    given = {line for phrase in own.values() for line in (*phrase.examples, *phrase.fine)}
    lines = [line for line in own_lines(replace(lexicon, phrases=own), known=()) if line.text in given]
    return exemplar_problems(lines, lexicon)
