"""Turns in, verdicts out: with a fake encoder and without one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from phrasecheck.lexicon import Exemplar, Lexicon, load_lexicon
from phrasecheck.matching.explain import explain, to_text
from phrasecheck.matching.matcher import NOTHING, TOGETHER, Line, Matcher, Parts
from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.semantic import embed, neighbours
from phrasecheck.settings import MatchSettings
from phrasecheck.types import HitState, Method, Role, Speaker, Verdict
from tests.matching.fakes import WEIGHTS, FakeEncoder
from tests.matching.lexicons import lexicon, phrase

RUDE = {"自己看": "9.1.06", "关我什么事": "9.1.16"}
LINES = (
    Exemplar(text="合同里写着你自己看", phrase="9.1.06", spans=((0, 9),)),
    Exemplar(text="条款上写明了，我来给您解释一下", phrase="9.1.06"),
    Exemplar(text="关我什么事", phrase="9.1.16", spans=((0, 5),)),
    Exemplar(text="您好请讲", phrase=None),
)
PLAIN = MatchSettings(methods=(Method.EXACT, Method.FUZZY, Method.PHONETIC))


def make(book: Lexicon, *encoders: FakeEncoder, settings: MatchSettings | None = None, lines: Sequence[Exemplar] = LINES) -> Matcher:
    near = neighbours(book, lines, embed(encoders[0], lines)) if encoders else None
    parts = Parts(lexicon=book, encoders=encoders, neighbours=near, qualifiers=load_qualifiers(), weights=WEIGHTS)
    return Matcher(parts, settings or MatchSettings())


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return load_lexicon()


@pytest.fixture(scope="module")
def matcher(shipped: Lexicon) -> Matcher:
    return make(shipped, FakeEncoder(RUDE, list(shipped.phrases)))


@pytest.fixture(scope="module")
def plain(shipped: Lexicon) -> Matcher:
    return make(shipped, settings=PLAIN)


def verdict(matcher: Matcher, text: str, **fields: object) -> Verdict:
    (made,) = matcher.verdicts([replace(Line(id="u1", text=text), **fields)])  # type: ignore[arg-type]
    return made


def test_a_violation_and_its_near_miss(matcher: Matcher) -> None:
    """DESIGN 6.1: the near-miss shares more words with the phrase than many a paraphrase; tone tells them apart."""
    bad, fine = verdict(matcher, "合同里都写着，你自己看"), verdict(matcher, "条款上写明了，我来给您解释一下")
    assert bad.violation > 0.9
    assert [hit.phrase_id for hit in bad.hits] == ["9.1.06"]
    assert fine.violation < 0.1
    assert fine.hits == ()


def test_a_hit_says_everything(matcher: Matcher) -> None:
    text = "您好，合同里写着，你自己看，再见"
    (hit,) = verdict(matcher, text, role=Role.SALES).hits
    assert (hit.utterance_id, hit.phrase_id, hit.state) == ("u1", "9.1.06", HitState.HIT)
    assert hit.quote == text[hit.start : hit.end]
    assert "自己看" in hit.quote
    assert "您好" not in hit.quote  # just the bad clause
    assert Method.SEMANTIC in hit.methods
    assert {match.method for match in hit.evidence} == set(hit.methods)
    assert all(match.phrase_id == hit.phrase_id for match in hit.evidence)
    assert hit.phrase_id not in hit.also
    assert f"「{hit.quote}」" in hit.reason
    assert f"把握 {hit.score:.0%}" in hit.reason


def test_the_five_likeliest_phrases_come_best_first(matcher: Matcher) -> None:
    made = verdict(matcher, "你自己看")
    assert len(made.phrases) == 5
    assert made.phrases[0][0] == "9.1.06"
    assert [score for _, score in made.phrases] == sorted((score for _, score in made.phrases), reverse=True)
    assert sum(score for _, score in made.phrases) <= made.violation + 1e-6


@pytest.mark.parametrize("text", ["", "。，！", "😀", "  "])
def test_nothing_said(matcher: Matcher, plain: Matcher, text: str) -> None:
    assert verdict(matcher, text) == verdict(plain, text) == NOTHING


def test_the_customer_may_say_anything(matcher: Matcher) -> None:
    assert verdict(matcher, "你自己看", speaker=Speaker.CUSTOMER) == NOTHING


@pytest.mark.parametrize(("speaker", "confidence"), [(Speaker.UNSURE, 1.0), (Speaker.AGENT, 0.2)])
def test_what_is_not_sure_is_doubtful(matcher: Matcher, speaker: Speaker, confidence: float) -> None:
    (hit,) = verdict(matcher, "你自己看", speaker=speaker, confidence=confidence).hits
    assert hit.state is HitState.DOUBTFUL
    assert hit.score > 0.9


@pytest.mark.parametrize(
    ("threshold", "doubtful", "expected"),
    [(0.5, 0.25, [HitState.HIT]), (1.0, 0.25, [HitState.DOUBTFUL]), (1.0, 1.0, [])],
)
def test_thresholds(matcher: Matcher, threshold: float, doubtful: float, expected: list[HitState]) -> None:
    strict = Matcher(matcher.parts, MatchSettings(threshold=threshold, doubtful=doubtful))
    made = verdict(strict, "你自己看")
    assert [hit.state for hit in made.hits] == expected
    assert made.violation > 0.9  # whatever the threshold, the probability is told


def test_two_violations_apart_are_two_hits(matcher: Matcher) -> None:
    text = "你自己看，那边有柜台，您往左走，我们下午五点关门，周六上午开，关我什么事"
    hits = verdict(matcher, text).hits
    assert {hit.phrase_id for hit in hits} == {"9.1.06", "9.1.16"}
    assert len({hit.phrase_id for hit in hits}) == len(hits)
    spans = sorted((hit.start, hit.end) for hit in hits)
    assert spans[0][1] <= spans[1][0]


def test_order_and_number_are_those_of_the_lines(matcher: Matcher) -> None:
    texts = ["您好", "你自己看", "", "关我什么事"]
    made = matcher.verdicts([Line(id=str(i), text=text) for i, text in enumerate(texts)])
    assert [bool(v.hits) for v in made] == [False, True, False, True]
    assert [hit.utterance_id for v in made for hit in v.hits] == ["1", "3"]
    assert matcher.verdicts([]) == []


def test_alone_and_among_others_a_line_is_judged_alike(matcher: Matcher) -> None:
    """Also where more come than are compared with the exemplars at once."""
    lines = [Line(id=str(i), text=text) for i, text in enumerate(("您好", "你自己看", "", "关我什么事", "您好，你自己看，好吧") * TOGETHER)]
    assert matcher.verdicts(lines) == [v for line in lines for v in matcher.verdicts([line])]


def test_the_encoders_read_simplified_and_quotes_stay_as_said(shipped: Lexicon) -> None:
    encoder = FakeEncoder({"写着": "9.1.06"}, list(shipped.phrases))
    (hit,) = verdict(make(shipped, encoder), "合同上寫著呢").hits
    assert encoder.seen[-1] == "合同上写着呢"
    assert hit.quote == "合同上寫著呢"


def test_two_encoders_are_joined_over_the_windows_that_both_have(shipped: Lexicon) -> None:
    """A long turn ends sooner for the one that spends more tokens on it."""
    characters, sound = FakeEncoder(RUDE, list(shipped.phrases)), FakeEncoder(RUDE, list(shipped.phrases), longest=30)
    both = make(shipped, characters, sound)
    text = "你自己看，" + "好的，您稍等一下，" * 20
    (look,) = both.look([text])
    assert look.characters is not None
    assert look.sound is not None
    assert look.windows == look.characters.windows == look.sound.windows
    assert len(look.windows) == len(look.characters.tone) == len(look.sound.vectors)
    assert all(start < 30 for start, _ in look.windows)
    assert [hit.phrase_id for hit in verdict(both, text).hits] == ["9.1.06"]


def test_without_an_encoder_words_still_count(plain: Matcher) -> None:
    made = verdict(plain, "这个，条款上不是写着吗，自己看")
    assert [(hit.phrase_id, hit.state) for hit in made.hits] == [("9.1.06", HitState.HIT)]
    assert Method.SEMANTIC not in made.hits[0].methods
    assert plain.models == {}


@pytest.mark.parametrize(
    ("text", "phrase_id"), [("告去", "9.1.10"), ("你问我，我问谁", "9.1.14"), ("这个问题你自己打九五五幺九", "9.4.02")]
)
def test_without_an_encoder_the_phrases_own_words_are_a_hit(plain: Matcher, text: str, phrase_id: str) -> None:
    (hit,) = verdict(plain, text).hits
    assert (hit.phrase_id, hit.state) == (phrase_id, HitState.HIT)
    assert verdict(plain, text).phrases[0][0] == phrase_id


@pytest.mark.parametrize("text", ["您好", "车牌号麻烦报一下", "条款上写明了，我来给您解释一下"])
def test_without_an_encoder_ordinary_talk_is_nothing(plain: Matcher, text: str) -> None:
    made = verdict(plain, text)
    assert made.hits == ()
    assert made.violation < 0.1


def test_a_quotation_lowers_and_is_told(plain: Matcher) -> None:
    said, quoted = verdict(plain, "有意见，告去"), verdict(plain, "客户说有人讲有意见，告去")
    assert quoted.violation < said.violation
    (hit,) = quoted.hits
    assert "但像是在引用或转述别人的话" in hit.reason


@pytest.mark.parametrize(
    ("method", "text"),
    [(Method.EXACT, "告去"), (Method.FUZZY, "条款上不是都写着的吗你自己看看"), (Method.PHONETIC, "条宽桑不四写着马自几看")],
)
def test_a_method_can_be_switched_off(shipped: Lexicon, method: Method, text: str) -> None:
    with_it = make(shipped, settings=MatchSettings(methods=(method,)))
    without = make(shipped, settings=MatchSettings(methods=tuple(m for m in PLAIN.methods if m is not method)))
    assert method in {m.method for m in next(with_it.look([text])).matches}
    assert method not in {m.method for m in next(without.look([text])).matches}


def test_a_phrase_that_no_encoder_knows_is_found_by_its_lines() -> None:
    book = lexicon(phrase("9.1.01", "你自己看。"), phrase("9.1.02", "爱买不买。", examples=["不买拉倒别挡道"]))
    lines = (
        Exemplar(text="你自己看", phrase="9.1.01", spans=((0, 4),)),
        Exemplar(text="不买拉倒别挡道", phrase="9.1.02", spans=((0, 7),)),
        *LINES[-1:],
    )
    matcher = make(book, FakeEncoder({"拉倒": "9.1.01", "自己看": "9.1.01"}, ["9.1.01"]), lines=lines)
    assert verdict(matcher, "不买就拉倒别挡道").phrases[0][0] == "9.1.02"


def test_what_it_was_made_with_is_named(matcher: Matcher, shipped: Lexicon) -> None:
    assert matcher.models == {"encoder_1": "fake 1"}
    both = make(shipped, FakeEncoder({}, ["9.1.01"], "a"), FakeEncoder({}, ["9.1.01"], "b"))
    assert both.models == {"encoder_1": "a", "encoder_2": "b"}


def test_explaining_a_hit(matcher: Matcher) -> None:
    answer = explain(matcher, Line(id="-", text="合同里写着，你自己看"))
    assert answer["hits"][0]["phrase_id"] == "9.1.06"
    assert answer["words"][0]["word"] in "自己看"
    assert answer["words"][0]["fall"] > 1
    window = answer["windows"][0]
    logit = sum(window["shares"].values()) + WEIGHTS.bias
    assert window["probability"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)  # the shares are all there is
    assert answer["nearest"]["violating"][0]["phrase_id"] == "9.1.06"
    assert [e["text"] for e in answer["nearest"]["fine"]] == ["条款上写明了，我来给您解释一下", "您好请讲"]
    text = to_text(answer, matcher.parts.lexicon)
    assert "结论：命中" in text
    assert "条款上不是写着吗,自己看。" in text


def test_explaining_what_is_fine_and_what_is_nothing(matcher: Matcher) -> None:
    fine = explain(matcher, Line(id="-", text="您好请讲"))
    assert fine["hits"] == []
    assert len(fine["near_misses"]) == 5
    assert "结论：不命中" in to_text(fine, matcher.parts.lexicon)
    nothing = explain(matcher, Line(id="-", text="。"))
    assert nothing["windows"] == nothing["words"] == []
    assert "结论：不命中" in to_text(nothing, matcher.parts.lexicon)


def test_explaining_without_an_encoder(plain: Matcher) -> None:
    answer = explain(plain, Line(id="-", text="有意见，告去"))
    assert answer["nearest"] == {}
    assert answer["methods"][0] == {"method": "exact", "phrase_id": "9.1.10", "score": 1.0, "reason": "用了禁语原话「有意见,告去。」"}
