"""The figures of a labelled file, by hand."""

import math
from typing import Any

import numpy as np
import pytest

from phrasecheck.training.evaluate import auc, calibration_error, caught_at, evaluate, to_text
from phrasecheck.types import Hit, HitState, Verdict


def verdict(violation: float, phrase_id: str | None = None, state: HitState = HitState.HIT) -> Verdict:
    if phrase_id is None:
        return Verdict(violation=violation, phrases=(), hits=())
    hit = Hit(utterance_id="u", phrase_id=phrase_id, score=violation, state=state, start=0, end=1, quote="甲", methods=(), reason="")
    return Verdict(violation=violation, phrases=(), hits=(hit,))


@pytest.mark.parametrize(
    ("bad", "fine", "expected"),
    [([0.9, 0.8], [0.1, 0.2], 1.0), ([0.1], [0.9], 0.0), ([0.5], [0.5], 0.5), ([0.9, 0.1], [0.5], 0.5), ([0.9, 0.5], [0.5, 0.1], 0.875)],
)
def test_auc(bad: list[float], fine: list[float], expected: float) -> None:
    assert auc(np.array(bad + fine), np.array([True] * len(bad) + [False] * len(fine))) == pytest.approx(expected)


def test_figures_of_one_side_alone_are_not_numbers() -> None:
    assert math.isnan(auc(np.array([0.5]), np.array([True])))
    assert math.isnan(caught_at(np.array([0.5]), np.array([True]), 0.05))


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 0.25), (0.1, 0.5), (0.2, 0.75), (1.0, 1.0)])
def test_caught_at_a_rate_of_false_alarms(rate: float, expected: float) -> None:
    fine = np.array([0.9, 0.7, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    bad = np.array([0.95, 0.8, 0.6, 0.3])
    scores, positive = np.append(bad, fine), np.array([True] * 4 + [False] * 10)
    assert caught_at(scores, positive, rate) == expected
    above = scores[positive][scores[positive] > np.sort(fine)[::-1][min(int(10 * rate), 9)]]
    assert (fine > above.min()).mean() <= rate


@pytest.mark.parametrize(
    ("probabilities", "positive", "expected"),
    [
        ([0.8] * 5, [True] * 4 + [False], 0.0),
        ([0.8] * 5, [False] * 5, 0.8),
        ([1.0, 0.0], [True, False], 0.0),
        ([0.9] * 2 + [0.1] * 2, [True, True, False, False], 0.1),
    ],
)
def test_calibration_error(probabilities: list[float], positive: list[bool], expected: float) -> None:
    assert calibration_error(np.array(probabilities), np.array(positive)) == pytest.approx(expected)


ROWS: list[dict[str, Any]] = [
    {"text": "甲", "labels": ["9.1.01"], "also_ok": ["9.1.19"], "kind": "verbatim", "role": "sales"},
    {"text": "乙", "labels": ["9.1.01"], "also_ok": ["9.1.19"], "kind": "heard", "role": "sales"},
    {"text": "丙", "labels": ["9.2.03"], "kind": "heard", "role": "survey"},
    {"text": "丁", "labels": ["9.2.03"], "kind": "heard", "role": "survey"},
    {"text": "戊", "labels": [], "kind": "polite", "role": "sales"},
    {"text": "己", "labels": [], "kind": "polite", "role": "sales"},
    {"text": "庚", "labels": [], "kind": "customer", "speaker": "customer", "role": None},
]
VERDICTS = [
    verdict(0.9, "9.1.01"),
    verdict(0.8, "9.1.19"),
    verdict(0.7, "9.9.99"),
    verdict(0.4, "9.2.03", HitState.DOUBTFUL),  # doubtful is not caught
    verdict(0.6, "9.1.01"),
    verdict(0.1),
    verdict(0.0),
]


def test_a_report() -> None:
    report = evaluate(ROWS, VERDICTS)
    caught = {share.name: (share.hits, share.of) for share in report.caught}
    assert caught == {"全部": (3, 4), "verbatim": (1, 1), "heard": (2, 3), "9.1": (2, 2), "9.2": (1, 2), "sales": (2, 2), "survey": (1, 2)}
    flagged = {share.name: (share.hits, share.of) for share in report.flagged}
    assert flagged == {"全部": (1, 3), "polite": (1, 2), "customer": (0, 1), "sales": (1, 2)}
    assert (report.right_phrase.hits, report.right_phrase.of) == (2, 3)
    assert report.auc == pytest.approx(7 / 8)  # over the agent's lines; 0.6 stands above 0.4
    assert all(share.low <= share.value <= share.high for share in (*report.caught, *report.flagged))
    assert [kind for kind, _ in report.mistakes] == ["条款", "漏报", "误报"]
    assert evaluate(ROWS, VERDICTS) == report  # the intervals are seeded


def test_a_report_in_words() -> None:
    text = to_text(evaluate(ROWS, VERDICTS), errors=True)
    assert "违规抓到" in text
    assert "3/4" in text.replace(" ", "")
    assert "漏报\t0.40 9.2.03 丁" in text
    assert "误报\t0.60 9.1.01 戊" in text
    assert "条款\t9.9.99（应为 9.2.03）丙" in text
    assert "漏报" not in to_text(evaluate(ROWS, VERDICTS))
