"""phonetic: homophones and the usual confusions; not every text that sounds alike."""

import pytest

from phrasecheck.lexicon import load_lexicon
from phrasecheck.matching.fuzzy import SHORTEST
from phrasecheck.matching.phonetic import Phonetic, plausible
from phrasecheck.matching.sound import encode, fold, syllables
from phrasecheck.normalize import normalize
from tests.matching.lexicons import lexicon, phrase


@pytest.fixture(scope="module")
def phonetic() -> Phonetic:
    return Phonetic(load_lexicon())


@pytest.mark.parametrize(
    ("text", "phrase_id", "at_least"),
    [
        ("条宽上不是写着马自己看", "9.1.06", 0.95),  # homophones
        ("条款桑不是写着吗，自己看", "9.1.06", 0.95),  # s for sh
        ("谁给里办的保险里找谁去", "9.1.17", 0.95),  # l for n
        ("我就这态度不满意到别粗去", "9.1.13", 0.9),  # c for ch
        ("西统就这样我能有杀办法", "9.3.01", 0.7),  # as heard over the telephone
    ],
)
def test_what_sounds_alike(phonetic: Phonetic, text: str, phrase_id: str, at_least: float) -> None:
    matches = {m.phrase_id: m.score for m in phonetic.find(normalize(text))}
    assert matches[phrase_id] >= at_least


def test_every_wording_of_four_syllables_is_found_by_its_own_sound(phonetic: Phonetic) -> None:
    """Also spellings, whose characters are not those of the phrase's text."""
    for entry in load_lexicon().phrases.values():
        for clauses in entry.wordings:
            text = "".join(clauses).replace("◌", "")
            if len(text) >= SHORTEST:
                assert entry.id in {m.phrase_id for m in phonetic.find(normalize(text))}, text


@pytest.mark.parametrize(
    ("heard", "chars", "answer"),
    [
        ("急什么", "急什么", False),  # under four syllables chance is near
        ("鸡什么呢", "急什么呢", True),
        ("机神磨呢", "急什么呢", False),  # four syllables, one character
        ("机神么呢", "急什么呢", True),
        ("机神磨你别来问", "急什么你别来问", True),  # longer: a quarter of the characters will do
        ("机神磨泥憋莱文", "急什么你别来问", False),
    ],
)
def test_plausible(heard: str, chars: str, answer: bool) -> None:
    assert plausible(heard, frozenset(chars)) is answer


def test_an_implausible_stretch_is_no_match() -> None:
    phonetic = Phonetic(lexicon(phrase("9.1.01", "有意见告去。")))
    assert phonetic.find(normalize("游艺剑搞曲")) == []
    assert [m.phrase_id for m in phonetic.find(normalize("友意见告趣"))] == ["9.1.01"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zhi", "zi"), ("chang", "can"), ("shi", "si"), ("na", "la"), ("nv", "lu"), ("hu", "fu"), ("hui", "fei"), ("huang", "fang"),
        ("an", "ang"), ("en", "eng"), ("in", "ing"), ("ren", "leng"), ("xin", "xing"),
    ],
)  # fmt: skip
def test_confusions_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("ba", "pa"), ("dong", "don"), ("he", "fe"), ("ji", "qi"), ("zhong", "zhang"), ("er", "en")])
def test_other_sounds_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_folding_twice_is_folding_once() -> None:
    from pypinyin import lazy_pinyin

    for syllable in set(lazy_pinyin("".join(map(chr, range(0x4E00, 0x9FA6, 7))))):
        assert fold(fold(syllable)) == fold(syllable)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不知道", ["bu", "zhi", "dao"]),
        ("旅行ab1", ["lv", "xing", "a", "b", "1"]),
        ("银行行长", ["yin", "hang", "hang", "zhang"]),
        ("，。😀", ["，", "。", "😀"]),
        ("", []),
    ],
)
def test_syllables(text: str, expected: list[str]) -> None:
    assert syllables(text) == expected


@pytest.mark.parametrize("text", ["不知道不清楚", "ABC浙A12345", "，。😀", "啊𠮷x", ""])
def test_one_code_a_character(text: str) -> None:
    assert len(encode(text)) == len(text)


def test_codes_are_equal_where_sounds_are() -> None:
    assert encode("知道自己") == encode("滋到字鸡")
    assert encode("知道") != encode("迟到")
