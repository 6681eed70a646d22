"""Quotation, denial and courtesy: where each cue counts, and that none may raise a score."""

import json
from pathlib import Path

import pytest

from phrasecheck.matching.fuse import LOWERING, RAISING, load_weights
from phrasecheck.matching.qualifiers import BEFORE, load_qualifiers, qualify
from phrasecheck.resources import ROOTS


def cues(text: str, stretch: str) -> set[str]:
    start = text.index(stretch)
    return {q.name for q in qualify(text, start, start + len(stretch), load_qualifiers())}


@pytest.mark.parametrize(
    ("text", "stretch", "expected"),
    [
        ("客户说你们不知道不清楚", "不知道不清楚", {"quotation"}),
        ("您刚才说查勘员让您自己看", "自己看", {"quotation"}),
        ("培训上讲过，不能跟客户说不知道", "不知道", {"quotation"}),
        ("我不会让您自己看着填的", "自己看着填", {"denial"}),
        ("我没说不赔", "没说不赔", set()),
        ("从来没说要您自己看", "自己看", {"denial"}),
        ("这个我不清楚，不好意思，我帮您问一下", "不清楚", {"courtesy"}),
        ("您别着急，没到上班时间，我先给您倒杯水", "没到上班时间", {"courtesy"}),
        ("您別著急，沒到上班時間", "沒到上班時間", {"courtesy"}),  # Traditional
        ("不知道，不清楚", "不知道，不清楚", set()),
        ("你自己看，客户说的", "你自己看", set()),  # a quotation's cue stands before
    ],
)
def test_cues(text: str, stretch: str, expected: set[str]) -> None:
    assert cues(text, stretch) == expected


@pytest.mark.parametrize(("between", "expected"), [(BEFORE - 4, True), (BEFORE, False)])
def test_a_cue_before_stands_near(between: int, expected: bool) -> None:
    assert ("quotation" in cues("客户说过" + "，" * between + "急什么", "急什么")) is expected


def test_a_cue_may_stand_in_the_first_half_of_the_stretch() -> None:
    assert cues("客户说你们急什么呀着什么急", "客户说你们急什么呀着什么急") == {"quotation"}
    assert cues("急什么呀着什么急这是客户说的", "急什么呀着什么急这是客户说的") == set()


def test_every_cue_is_a_feature_that_lowers() -> None:
    names = [q.name for q in load_qualifiers()]
    assert set(names) == set(LOWERING)
    assert len(names) == len(set(names))
    assert all(q.says for q in load_qualifiers())


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text("- {name: courtesy, says: 客气, where: anywhere, patterns: [劳驾, '您(慢|请)']}\n", encoding="utf-8")
    (own,) = load_qualifiers(file)
    assert (own.name, own.before) == ("courtesy", False)
    assert qualify("急什么，您慢走", 0, 3, [own]) == (own,)
    assert qualify("急什么，你走", 0, 3, [own]) == ()


SHIPPED = next((root / "models/fuse.json" for root in ROOTS if (root / "models/fuse.json").is_file()), None)


@pytest.mark.skipif(SHIPPED is None, reason="models/fuse.json is made by `phrasecheck calibrate`")
def test_the_shipped_weights_keep_their_signs() -> None:
    """Methods only raise, qualifiers only lower, whatever was fitted."""
    weights = load_weights(SHIPPED)
    assert all(value <= 0 for name, value in weights.window.items() if name in LOWERING)
    assert all(value >= 0 for name, value in weights.window.items() if name in RAISING)
    assert set(weights.window) == {*LOWERING, *RAISING}
    assert all(value >= 0 for value in weights.phrase.values())
    assert any(weights.window[name] > 0 for name in ("tone", "tone_sound", "tone_whole"))
    assert json.loads((SHIPPED or Path()).read_text(encoding="utf-8"))["window"] == dict(weights.window)
