"""Small lexicons for tests: phrases as YAML fields in, a Lexicon out, by the same road as a file."""

from typing import Any

from phrasecheck.lexicon import Lexicon, combine

SECTIONS = [
    {"id": "9.1", "title": "通用", "roles": ["reception", "sales", "survey"]},
    {"id": "9.2", "title": "销售", "roles": ["sales"]},
]


def phrase(number: str, text: str, **fields: Any) -> dict[str, Any]:
    """A phrase of section 9.1 or 9.2, as its id says."""
    given = {"section": number.rsplit(".", 1)[0], "severity": "一般", "severity_reason": "生硬", "why": "不礼貌", "instead": "请您稍等"}
    return {"id": number, "text": text, **given, **fields}


def lexicon(*phrases: dict[str, Any]) -> Lexicon:
    """A lexicon of just these phrases."""
    return combine([{"id": "t", "version": "1", "title": "试", "sections": SECTIONS, "phrases": list(phrases)}])
