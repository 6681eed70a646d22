"""The marks that the norm's own text uses: slots, alternatives, a note behind the sentence, clauses.

In: a phrase as printed. Out: its clauses in comparable wordings. Understood here and nowhere else, so that no matcher meets
«xxx», «大(小)» or a remark in brackets (docs/lexicon.md).
"""

import re
from dataclasses import dataclass

from phrasecheck.normalize import normalize

SLOT = "\u25cc"  # stands in parsed text for a company, a number, a person, a thing

_SLOTS = re.compile(r"[xXｘＸ]{2,}|[×＊*]{2,}|\{[^{}]*\}")
_NOTE = re.compile(r"(?<=[。!！?？])[(（]([^()（）]*)[)）]$")  # a remark behind the sentence: «(言下之意是…)»
_ALTERNATIVE = re.compile(r"[(（]([^()（）]+)[)）]")  # «大(小)»: the bracket may replace as many characters before it
_CLAUSE = re.compile(r"[^,，;；。.!！?？]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause of a phrase. `variants` are its comparable wordings (alternatives written out, slots as SLOT);
    `alone` says that it violates by itself."""

    text: str
    variants: tuple[str, ...]
    alone: bool


def split_note(text: str) -> tuple[str, str]:
    """The phrase and the remark in brackets behind it (empty when there is none)."""
    found = _NOTE.search(text)
    return (text[: found.start()], found.group(1)) if found else (text, "")


def parse_clauses(text: str) -> list[Clause]:
    """The clauses of a phrase with alternatives written out and slots marked; none of them `alone` yet."""
    clauses = []
    for found in _CLAUSE.finditer(text):
        variants = wordings(found.group())
        if variants:
            clauses.append(Clause(text=found.group().strip(), variants=variants, alone=False))
    return clauses


def wordings(text: str) -> tuple[str, ...]:
    """The comparable wordings of a text said in one piece: alternatives written out, slots as SLOT. Those without a word are left out."""
    made = dict.fromkeys(_comparable(v) for v in _alternatives(text))
    return tuple(wording for wording in made if wording.strip(SLOT))


def _alternatives(clause: str) -> list[str]:
    found = _ALTERNATIVE.search(clause)
    if not found:
        return [clause]
    other = found.group(1)
    before, after = clause[: found.start()], clause[found.end() :]
    return [v for head in (before, before[: -len(other)] + other) for v in _alternatives(head + after)]


def _comparable(clause: str) -> str:
    return SLOT.join(normalize(part).text for part in _SLOTS.split(clause))


def marks_problem(text: str) -> str | None:
    """What is wrong with the marks of a phrase, in Chinese, or None: a bracket or slot that is never closed."""
    for opening, closing, what in (("(", ")", "括号"), ("（", "）", "括号"), ("{", "}", "空位（slot）")):
        if text.count(opening) != text.count(closing):
            return f"{what}没有配对：有 {text.count(opening)} 个 {opening}，{text.count(closing)} 个 {closing}"
    if re.search(r"(?<![xX×])[×](?![×])|(?<![a-zA-Z])[xX](?![a-zA-Z])", text):
        return "空位（slot）没有写完：请连写至少两个 x 或 ×，或写成 {名称}"
    return None
