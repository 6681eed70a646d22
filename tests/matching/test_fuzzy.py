"""fuzzy: nearly the words; the index of candidates beside comparing with everything."""

from collections.abc import Callable

import pytest

from phrasecheck.lexicon import load_exemplars, load_lexicon
from phrasecheck.matching.candidates import Candidates
from phrasecheck.matching.fuzzy import LEAST, Aligner, Fuzzy
from phrasecheck.matching.phonetic import LEAST as LEAST_SOUND
from phrasecheck.matching.sound import encode
from phrasecheck.normalize import normalize, word_edges
from tests.matching.lexicons import lexicon, phrase


@pytest.mark.parametrize(
    ("text", "phrase_id", "at_least"),
    [
        ("条款上不是都写着的吗，你自己看看", "9.1.06", 0.75),
        ("没到上班的时间，你急什么", "9.1.02", 0.8),
        ("谁给你办的保险呀，你就找谁去嘛", "9.1.17", 0.8),
    ],
)
def test_nearly_the_words(text: str, phrase_id: str, at_least: float) -> None:
    (match,) = [m for m in Fuzzy(load_lexicon()).find(normalize(text)) if m.phrase_id == phrase_id]
    assert match.score >= at_least
    assert f"{match.score:.0%}" in match.reason


def test_a_match_does_not_begin_or_end_inside_a_word() -> None:
    fuzzy = Fuzzy(lexicon(phrase("9.1.01", "条款上不是写着。")))
    text = "合同条款上不是写明白着呢"
    edges = word_edges(text)
    (match,) = fuzzy.find(normalize(text))
    assert {match.start, match.end} <= set(edges)


def test_short_wordings_are_left_to_exact() -> None:
    assert Fuzzy(lexicon(phrase("9.1.01", "急什么。"))).find(normalize("急什么")) == []


def test_a_fragment_is_not_the_whole() -> None:
    """«自己看» is all of a text, yet only a part of the phrase."""
    fuzzy = Fuzzy(lexicon(phrase("9.1.01", "条款上不是写着吗自己看。")))
    assert fuzzy.find(normalize("自己看")) == []
    (match,) = fuzzy.find(normalize("不是写着吗自己看"))
    assert match.score == pytest.approx(2 * 8 / (8 + 11))


def test_of_equal_places_the_longest() -> None:
    aligner = Aligner(lexicon(phrase("9.1.01", "甲乙丙丁,戊己庚。", alone=["甲乙丙丁"])), view=str)
    assert aligner.align("甲乙丙丁戊己庚", LEAST) == {"9.1.01": (1.0, 0, 7)}


class Everything:
    """What Candidates saves: every wording, for every text."""

    def __init__(self, count: int) -> None:
        self.count = count

    def for_text(self, _text: str) -> range:
        return range(self.count)


@pytest.mark.parametrize(("view", "least"), [(str, LEAST), (encode, LEAST_SOUND)], ids=["characters", "sound"])
def test_the_index_misses_nothing_that_comparing_with_everything_finds(
    view: Callable[[str], str], least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On lines of all writers nothing is lost that lies clearly above chance."""
    shipped = load_lexicon()
    indexed, brute = Aligner(shipped, view), Aligner(shipped, view)
    monkeypatch.setattr(brute, "_candidates", Everything(len(brute._wordings)))
    lines = [line for line in load_exemplars() if line.kind in ("verbatim", "reworded")][::9]
    clear = 0
    for line in lines:
        text = view(normalize(line.text).text)
        here, there = indexed.align(text, least), brute.align(text, least)
        assert all(here[p][0] <= there[p][0] for p in here)
        above = {p for p, (score, _, _) in there.items() if score >= least + 0.1}
        clear += len(above)
        assert above <= set(here), line.text
    assert len(lines) >= 100
    assert clear >= 30


@pytest.mark.parametrize(
    ("strings", "text", "expected"),
    [
        (["甲乙丙", "丙丁戊"], "甲乙丙", [0]),
        (["甲乙丙", "乙丙丁"], "甲乙丙丁", [0, 1]),
        (["甲乙丙丁", "丙丁"], "丙丁", [1, 0]),  # the larger share first
        (["甲乙", "甲乙"], "甲乙", [0, 1]),
        (["甲乙"], "", []),
        (["甲"], "甲", [0]),  # one character is its own pair
        ([], "甲乙", []),
    ],
)
def test_candidates(strings: list[str], text: str, expected: list[int]) -> None:
    assert Candidates(strings).for_text(text) == expected


def test_candidates_are_the_best_and_no_more_than_asked() -> None:
    strings = ["甲乙丙丁"] + ["甲乙" + chr(0x4E00 + i) * 2 for i in range(100)]
    found = Candidates(strings, most=5).for_text("甲乙丙丁")
    assert len(found) == 5
    assert found[0] == 0


def test_the_share_that_a_text_must_hold() -> None:
    string = "甲乙丙丁戊"  # four pairs
    assert Candidates([string], least=0.5).for_text("甲乙丙") == [0]
    assert Candidates([string], least=0.51).for_text("甲乙丙") == []
