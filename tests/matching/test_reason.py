"""The sentence that a clerk reads."""

import pytest

from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.reason import give_reason
from phrasecheck.types import Match, Method
from tests.matching.lexicons import lexicon, phrase

PHRASE = lexicon(phrase("9.1.10", "有意见,告去。")).phrases["9.1.10"]
CUES = {q.name: q for q in load_qualifiers()}


def match(method: Method, score: float) -> Match:
    return Match(phrase_id="9.1.10", method=method, start=0, end=4, score=score, reason="")


@pytest.mark.parametrize(
    ("evidence", "cues", "expected"),
    [
        ([match(Method.EXACT, 1)], [], "「告去」用了禁语原话 9.1.10「有意见,告去。」（原话）；把握 93%。"),
        ([match(Method.SEMANTIC, 0.8)], [], "「告去」意思和语气接近禁语 9.1.10「有意见,告去。」（语气 80%）；把握 93%。"),
        (
            [match(Method.PHONETIC, 0.9), match(Method.FUZZY, 0.7)], ["quotation", "courtesy"],
            "「告去」字面接近禁语 9.1.10「有意见,告去。」（字面 70%、读音 90%）；但像是在引用或转述别人的话，同一句里有致歉、说明或帮忙的话；把握 93%。",
        ),
        ([match(Method.PHONETIC, 0.9)], ["denial"], "「告去」读音接近禁语 9.1.10「有意见,告去。」（读音 90%）；但像是在否认说过或做过；把握 93%。"),
    ],
)  # fmt: skip
def test_one_sentence(evidence: list[Match], cues: list[str], expected: str) -> None:
    assert give_reason("告去", PHRASE, 0.93, evidence, [CUES[name] for name in cues]) == expected
