"""exact: whole words in order, fillers and gaps allowed, slots filled."""

import pytest

from phrasecheck.lexicon import Lexicon, load_lexicon
from phrasecheck.matching.exact import CLAUSE_GAP, SLOT_GAP, Exact
from phrasecheck.normalize import normalize
from tests.matching.lexicons import lexicon, phrase


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return load_lexicon()


@pytest.fixture(scope="module")
def exact(shipped: Lexicon) -> Exact:
    return Exact(shipped)


def found(exact: Exact, text: str) -> dict[str, str]:
    """Phrase id -> quote."""
    return {match.phrase_id: text[match.start : match.end] for match in exact.find(normalize(text))}


def test_every_phrase_is_found_in_every_wording(shipped: Lexicon, exact: Exact) -> None:
    for entry in shipped.phrases.values():
        for clauses in entry.wordings:
            text = "，".join(clauses).replace("◌", "九五五一八")
            assert entry.id in found(exact, text), text


@pytest.mark.parametrize(
    ("text", "phrase_id", "quote"),
    [
        ("你这人，有意见，告去。", "9.1.10", "有意见，告去"),
        ("告去！", "9.1.10", "告去"),  # a clause that violates alone
        ("嗯不知道，啊，不清楚", "9.1.01", "不知道，啊，不清楚"),  # fillers between
        ("不知道啊真的不清楚", "9.1.01", "不知道啊真的不清楚"),  # a few characters between clauses
        ("你会不会开车?", "9.5.04", "你会不会开车"),  # the phrase's own filler «啊» left out
        ("你会不会开车啊?", "9.5.04", "你会不会开车"),
        ("你聲音小一點兒", "9.4.08", "你聲音小一點兒"),
        ("眼睛有问题，看清楚了是人寿财险，不是平安财产保险公司", "9.1.05", None),
        ("这个问题你自己打九五五幺九", "9.4.02", None),
        ("你随便告", "9.8.04", "随便告"),
        ("要去法院啊，随便告", "9.8.04", "随便告"),
    ],
)
def test_found(exact: Exact, shipped: Lexicon, text: str, phrase_id: str, quote: str | None) -> None:
    answer = found(exact, text)
    if quote is not None:
        assert quote in answer.values()
        phrase_id = next(i for i, said in answer.items() if said == quote)
    assert phrase_id in answer
    assert normalize(answer[phrase_id]).text


@pytest.mark.parametrize(
    "text",
    [
        "你随便告诉我哪天来都行",  # «随便告» ends inside a word
        "他报告去年就交了",  # «告去» stands across two words
        "您别着急，什么时候来都可以",
        "不知道您方便的时间，我先登记，有不清楚的再说",  # more between the clauses than a breath
        "有意见可以向我们提",
        "不清楚，不知道",  # the other way round; neither violates alone
    ],
)
def test_not_found(exact: Exact, text: str) -> None:
    assert found(exact, text) == {}


def test_gaps_have_limits() -> None:
    exact = Exact(lexicon(phrase("9.1.01", "甲乙丙,丁戊己。"), phrase("9.1.02", "去找{谁}问清。")))
    for gap, there in ((CLAUSE_GAP, True), (CLAUSE_GAP + 1, False)):
        assert ("9.1.01" in found(exact, "甲乙丙" + "1" * gap + "丁戊己")) is there
    for gap, there in ((0, True), (SLOT_GAP, True), (SLOT_GAP + 1, False)):
        assert ("9.1.02" in found(exact, "去找" + "1" * gap + "问清")) is there


@pytest.mark.parametrize(
    ("text", "said", "there"),
    [
        ("你打{号码},别来。", "你打九五五一九转三号,别来", True),  # a slot at the end of a clause keeps its room
        ("你打{号码},别来。", "你打九五五一九转三号,可以来", False),
        ("{公司}不行。", "某某公司不行", True),
        ("去找{谁}。", "去找王经理", True),
        ("去{甲}找{乙}吧。", "去杭州找李师傅吧", True),
    ],
)
def test_slots_anywhere(text: str, said: str, there: bool) -> None:
    assert bool(found(Exact(lexicon(phrase("9.1.01", text))), said)) is there


def test_the_longest_place_is_taken() -> None:
    exact = Exact(lexicon(phrase("9.1.01", "有意见,告去。", alone=["告去"])))
    assert found(exact, "告去，有意见，告去") == {"9.1.01": "有意见，告去"}


def test_one_stretch_may_be_words_of_two_phrases() -> None:
    exact = Exact(lexicon(phrase("9.1.01", "快走。"), phrase("9.1.02", "你快走。")))
    assert found(exact, "你快走") == {"9.1.01": "快走", "9.1.02": "你快走"}


def test_characters_beyond_the_basic_plane_do_not_shift_offsets(exact: Exact) -> None:
    assert found(exact, "𠮷先生😀，有意见告去") == {"9.1.10": "有意见告去"}
