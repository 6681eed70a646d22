"""Read, validate, combine and hold a lexicon: the phrases that staff must not say.

In: the shipped YAML file and any company files laid over it, and the exemplar lines. Out: one frozen Lexicon. The one decision: files are
combined as fields before anything is parsed, so a company changes only what it names (docs/lexicon.md).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from phrasecheck.errors import LexiconError
from phrasecheck.lexiconfile import Below, read_file
from phrasecheck.marks import SLOT, Clause, parse_clauses, split_note, wordings
from phrasecheck.normalize import normalize
from phrasecheck.resources import resource
from phrasecheck.types import Role, Severity

SHIPPED = "lexicons/zhejiang-motor-2010.yaml"
EXEMPLARS = "lexicons/exemplars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the norm and the roles it binds."""

    id: str
    title: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One lexicon entry. `examples` are lines a company gave for it (violating), `fine` the ones it says are not."""

    id: str
    section: str
    text: str
    severity: Severity
    severity_reason: str
    why: str
    instead: str
    roles: tuple[Role, ...]
    clauses: tuple[Clause, ...]
    fatal: bool = False
    note: str = ""
    spellings: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    fine: tuple[str, ...] = ()

    @property
    def wordings(self) -> tuple[tuple[str, ...], ...]:
        """Every way of saying the phrase, each as the comparable wordings of its clauses in order."""
        alone = [(variant,) for clause in self.clauses if clause.alone and len(self.clauses) > 1 for variant in clause.variants]
        extra = [(wording,) for spelling in self.spellings for wording in wordings(spelling)]
        return tuple(dict.fromkeys([*self._whole(), *alone, *extra]))

    @property
    def spoken(self) -> tuple[str, ...]:
        """The phrase as somebody says it: its text, or, where that leaves a choice («大(小)一点儿»), a line a choice."""
        whole = self._whole()
        return (self.text,) if len(whole) == 1 else tuple("，".join(said).replace(SLOT, "") for said in whole)

    def _whole(self) -> list[tuple[str, ...]]:
        whole: list[tuple[str, ...]] = [()]
        for clause in self.clauses:
            whole = [(*said, variant) for said in whole for variant in clause.variants]
        return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One line of the kind that staff say. `spans` are the violating stretches of `text`; none where the line violates nothing."""

    text: str
    phrase: str | None
    also: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    kind: str = "ordinary"
    voice: str = ""
    call: str | None = None  # the written call that the line is a turn of

    @property
    def violates(self) -> bool:
        """Whether any stretch of the line is a violation."""
        return bool(self.spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Sections and phrases by id, in the order of the files. `sha256` is over everything that the phrases say."""

    id: str
    version: str
    title: str
    sha256: str
    sections: Mapping[str, Section]
    phrases: Mapping[str, Phrase] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Id and version, as results quote it."""
        return f"{self.id} {self.version}"


def load_lexicon(overlays: Sequence[Path] = (), base: Path | None = None) -> Lexicon:
    """The shipped lexicon (or `base`) with the company files `overlays` laid over it, in order.

    Raises LexiconError with a line for everything wrong in any of the files.
    """
    return combine(read_files(overlays, base))


def read_files(overlays: Sequence[Path] = (), base: Path | None = None) -> list[dict[str, Any]]:
    """The validated fields of the shipped lexicon (or `base`) and of each file over it. Raises LexiconError."""
    files = [read_file(base or resource(SHIPPED))]
    for overlay in overlays:
        files.append(read_file(overlay, below(files)))
    return files


def below(files: Sequence[Mapping[str, Any]]) -> Below:
    """What a file laid over these has to fit."""
    sections = frozenset(s["id"] for f in files for s in f["sections"])
    return Below(ids=frozenset(f["id"] for f in files), sections=sections, phrases=_merged(files))


def _merged(files: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for file in files:
        for given in file["phrases"]:
            merged[given["id"]] = {**merged.get(given["id"], {}), **given}
    return merged


def combine(files: Sequence[Mapping[str, Any]]) -> Lexicon:
    """Validated file contents, the later over the earlier: fields given change, `enabled: false` switches off, new ids are added."""
    sections = {
        s["id"]: Section(id=s["id"], title=s["title"], roles=tuple(Role(r) for r in s["roles"])) for f in files for s in f["sections"]
    }
    merged = _merged(files)
    phrases = {i: _phrase(fields, sections) for i, fields in merged.items() if fields.get("enabled", True)}
    digest = hashlib.sha256(json.dumps(merged, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return Lexicon(
        id="+".join(f["id"] for f in files),
        version="+".join(f["version"] for f in files),
        title=files[0]["title"],
        sha256=digest,
        sections=sections,
        phrases=phrases,
    )


def _phrase(fields: Mapping[str, Any], sections: Mapping[str, Section]) -> Phrase:
    body, note = split_note(fields["text"])
    alone = {normalize(clause).text for clause in fields.get("alone", ())}
    parsed = parse_clauses(body)
    return Phrase(
        id=fields["id"],
        section=fields["section"],
        text=fields["text"],
        severity=Severity(fields["severity"]),
        severity_reason=fields["severity_reason"],
        why=fields["why"],
        instead=fields["instead"],
        roles=sections[fields["section"]].roles,
        clauses=tuple(replace(c, alone=len(parsed) == 1 or normalize(c.text).text in alone) for c in parsed),
        fatal=fields.get("fatal", False),
        note=note,
        spellings=tuple(fields.get("spellings", ())),
        examples=tuple(fields.get("examples", ())),
        fine=tuple(fields.get("fine", ())),
    )


def load_exemplars(folder: Path | None = None) -> list[Exemplar]:
    """The exemplar lines of all JSONL files in `folder` (default: the shipped ones), in file and line order."""
    return [line for file in sorted((folder or resource(EXEMPLARS)).glob("*.jsonl")) for line in read_exemplars(file)]


def read_exemplars(file: Path) -> Iterable[Exemplar]:
    """The lines of one exemplar file. Raises LexiconError naming file and line for what is not an exemplar."""
    for number, row in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):  # splitlines would also cut at characters inside a text
        if not row.strip():
            continue
        try:
            yield _exemplar(json.loads(row))
        except (ValueError, KeyError, TypeError) as error:
            raise LexiconError(
                [f"{file}:{number}: 不是例句（应有 text、phrase、kind、voice，violating 的另有 spans）：{error!r}"]
            ) from error


def _exemplar(row: Mapping[str, Any]) -> Exemplar:
    return Exemplar(
        text=row["text"],
        phrase=row.get("phrase"),
        also=tuple(row.get("also", ())),
        spans=tuple((int(start), int(end)) for start, end in row.get("spans", ())),
        kind=row["kind"],
        voice=row["voice"],
        call=row.get("call"),
    )
