"""The lexicon file at the border: YAML -> validated fields, or every fault with its line and reason.

The schema is the pydantic models here; docs/lexicon.schema.json is printed from them (a test holds the two together).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from phrasecheck.errors import LexiconError
from phrasecheck.marks import marks_problem, parse_clauses, split_note, wordings
from phrasecheck.normalize import normalize
from phrasecheck.types import Role, Severity


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SectionEntry(_Strict):
    """A section and the roles it binds."""

    id: str = Field(pattern=r"^\S+$", description="Section number, 9.1")
    title: str = Field(min_length=1)
    roles: list[Role] = Field(min_length=1)


class PhraseEntry(_Strict):
    """A phrase; in a file that extends another, only `id` and the fields that change are needed for a known id."""

    id: str = Field(pattern=r"^\S+$", description="Clause number, 9.4.02; a company's own may be any word")
    section: str | None = None
    text: str | None = Field(None, min_length=1, description="The phrase. xxx, ××× or {名称} is a slot, 大(小) an alternative")
    severity: Severity | None = None
    severity_reason: str | None = Field(None, min_length=1)
    fatal: bool | None = Field(None, description="一票否决: once said, the role's score falls to settings.scoring.fatal_points")
    alone: list[str] | None = Field(None, description="Clauses of `text` that violate by themselves")
    spellings: list[str] | None = Field(None, description="Other wordings that violate wherever they are said")
    why: str | None = Field(None, min_length=1, description="Why it is forbidden")
    instead: str | None = Field(None, min_length=1, description="The courteous sentence to say")
    examples: list[str] | None = Field(None, description="Lines that violate this phrase; even one lets it be found by meaning")
    fine: list[str] | None = Field(None, description="Lines that come close and do not violate it")
    enabled: bool | None = Field(None, description="false switches the phrase off")


class LexiconFile(_Strict):
    """A whole lexicon, or one laid over another (`extends`)."""

    schema_version: Literal[1]
    id: str = Field(pattern=r"^\S+$")
    version: str = Field(min_length=1)
    title: str = Field(min_length=1)
    source: str = ""
    extends: str | None = Field(None, description="Id of the lexicon that this file changes")
    sections: list[SectionEntry] = Field(default_factory=list)
    phrases: list[PhraseEntry]


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, ten times faster, where the wheel has it

REQUIRED = ("section", "text", "severity", "severity_reason", "why", "instead")

# What pydantic calls the fault -> what our users read.
_REASONS = {
    "extra_forbidden": "没有这个字段",
    "missing": "缺少这个字段",
    "enum": "不在允许的取值之内：{expected}",
    "string_too_short": "不能为空",
    "string_type": "应为文字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "literal_error": "应为 {expected}",
    "string_pattern_mismatch": "不能为空，也不能有空格",
    "too_short": "至少要有一项",
    "list_type": "应为一个列表（每项以「- 」开头，或写成 [a, b]）",
    "model_type": "应为「名称: 值」",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """The files that a file is laid over: their ids, sections, and phrases by id as fields."""

    ids: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()
    phrases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong: where in the file (keys and numbers, («phrases», 2, «severity»)), on which line (from 1), and the reason in Chinese."""

    where: tuple[int | str, ...]
    line: int
    reason: str


def read_file(path: Path, below: Below | None = None) -> dict[str, Any]:
    """The validated fields of one file, None left out.

    Raises LexiconError with «file:line: reason» for everything wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError([f"{path}: 读不了：{error}"]) from error
    fields, faults = read_text(text, below)
    if fields is None:
        raise LexiconError([f"{path}:{fault.line}: {fault.reason}" for fault in faults])
    return fields


def read_text(text: str, below: Below | None = None) -> tuple[dict[str, Any] | None, list[Fault]]:
    """The validated fields of a file's text, None left out; or None and everything that is wrong."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
        raw = yaml.load(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Fault(where=(), line=line, reason=f"不是合法的 YAML：{error.problem}")]
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a control character; a date that does not exist; brackets without end
        return None, [Fault(where=(), line=1, reason=f"不是合法的 YAML：{error}")]
    if not isinstance(raw, dict):
        return None, [Fault(where=(), line=1, reason="应以 schema_version、id、version、title、phrases 开始，请参照 docs/lexicon.md")]
    try:
        file = LexiconFile.model_validate(raw)
    except ValidationError as error:
        return None, [
            Fault(where=e["loc"], line=line_of(root, e["loc"]), reason=_where(e["loc"], raw) + _reason(e)) for e in error.errors()
        ]
    faults = [Fault(where=where, line=line_of(root, where), reason=reason) for where, reason in _faults(file, below or Below())]
    return (None, faults) if faults else (file.model_dump(exclude_none=True, mode="json"), [])


def line_of(root: yaml.Node | None, where: tuple[int | str, ...]) -> int:
    """The line (from 1) of the value at `where`, or of the nearest thing above it that exists."""
    node = root
    line = 1
    for key in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _where(where: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """«9.1.01 的 severity：» for a fault inside a phrase, else the field's name."""
    try:
        owner = raw[str(where[0])][where[1]]["id"]
        return f"{owner} 的 {'.'.join(map(str, where[2:]))}："
    except (KeyError, IndexError, TypeError):
        return ".".join(map(str, where)) + "："


def _reason(error: Any) -> str:
    known = _REASONS.get(error["type"])
    if known is None:
        return f"{error['msg']}（收到 {error['input']!r}）"
    came = "" if error["type"] in ("missing", "extra_forbidden") else f"（收到 {error['input']!r}）"
    expected = str(error.get("ctx", {}).get("expected", "")).replace(" or ", "、").replace(", ", "、")
    return known.format(expected=expected) + came


def _faults(file: LexiconFile, below: Below) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """What the types cannot say: double ids, fields missing for new phrases, unknown sections, clauses that do not occur, marks never closed."""
    if file.extends is not None and file.extends not in below.ids:
        yield ("extends",), f"extends 写的是 {file.extends}，但下面的词库是 {'、'.join(sorted(below.ids)) or '（没有）'}"
    sections = {s.id for s in file.sections} | below.sections
    seen: dict[str, int] = {}
    for number, phrase in enumerate(file.phrases):
        at: tuple[int | str, ...] = ("phrases", number)
        if phrase.id in seen:
            yield (*at, "id"), f"编号 {phrase.id} 重复，第 {seen[phrase.id] + 1} 条已经用过"
        seen.setdefault(phrase.id, number)
        if phrase.id in below.phrases and file.extends is None:
            yield (*at, "id"), f"编号 {phrase.id} 在下面的词库里已经有了；要改它，请在文件开头写 extends"
        if phrase.id not in below.phrases:
            for name in REQUIRED:
                if getattr(phrase, name) is None:
                    yield at, f"{phrase.id} 缺少 {name}" + ("（新增的禁语必须写全）" if file.extends else "")
        if phrase.section is not None and phrase.section not in sections:
            yield (*at, "section"), f"{phrase.id} 的 section {phrase.section} 没有在 sections 里定义"
        yield from _text_faults(phrase, below.phrases.get(phrase.id, {}), at)
        yield from _spelling_faults(phrase, at)


def _text_faults(phrase: PhraseEntry, old: Mapping[str, Any], at: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """`text` and `alone` have to fit each other, whichever of them this file changes."""
    text = phrase.text if phrase.text is not None else old.get("text")
    if text is None or (phrase.text is None and phrase.alone is None):
        return
    problem = marks_problem(text)
    if problem:
        yield (*at, "text"), f"{phrase.id} 的 text：{problem}"
        return
    clauses = parse_clauses(split_note(text)[0])
    if not clauses:
        yield (*at, "text"), f"{phrase.id} 的 text 里没有可比对的字"
    spoken = {normalize(c.text).text for c in clauses}
    for i, clause in enumerate(phrase.alone if phrase.alone is not None else old.get("alone", ())):
        if normalize(clause).text not in spoken:
            yield (*at, "alone", i), f"{phrase.id} 的 alone「{clause}」不是 text 里的一个分句"


def _spelling_faults(phrase: PhraseEntry, at: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    for i, spelling in enumerate(phrase.spellings or ()):
        problem = marks_problem(spelling) or (None if wordings(spelling) else "没有可比对的字")
        if problem:
            yield (*at, "spellings", i), f"{phrase.id} 的 spellings「{spelling}」：{problem}"


def is_overlay(path: Path) -> bool:
    """Whether a file lies over another lexicon. A file that cannot be read is not; read_file says what is wrong with it."""
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(raw, dict) and "extends" in raw
