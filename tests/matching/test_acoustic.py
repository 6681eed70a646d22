"""The sound asked: what it confirms, refuses, leaves alone and brings up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from phrasecheck.matching.acoustic import FITS, UNFIT, Acoustic, Ear
from phrasecheck.settings import MatchSettings
from phrasecheck.types import Hit, HitState, Match, Method, Samples, Speaker, Utterance, Word
from tests.matching.lexicons import lexicon, phrase

BOOK = lexicon(phrase("9.1.06", "条款上写着自己看。"), phrase("9.1.10", "有意见你就告去。"))
SETTINGS = MatchSettings()


class FakeListener:
    """Says of each text what it was told to say; of others -9."""

    def __init__(self, fits: Mapping[str, float]) -> None:
        self.fits = fits
        self.clips: list[tuple[str, float, float]] = []

    def likelihoods(self, clip: Samples, texts: Sequence[str]) -> list[float]:
        return [self.fits.get(text, -9.0) for text in texts]

    def ear(self) -> Ear:
        def clip(name: str, start: float, end: float) -> Samples:
            self.clips.append((name, start, end))
            return np.zeros(16, np.float32)

        return Ear(listener=self, clip=clip)


def utterance(text: str, confidence: float = 0.9, speaker: Speaker = Speaker.AGENT) -> Utterance:
    words = tuple(Word(text=char, start=10 + i / 5, end=10 + (i + 1) / 5, probability=0.9) for i, char in enumerate(text))
    return Utterance(id="u1", start=10, end=20, channel="left", text=text, speaker=speaker, words=words, confidence=confidence)


def hit(quote: str, score: float, method: Method = Method.PHONETIC) -> Hit:
    seen = Match(phrase_id="9.1.06", method=method, start=0, end=len(quote), score=0.8, reason="像")
    return Hit(
        utterance_id="u1", phrase_id="9.1.06", score=score, state=HitState.HIT if score >= 0.5 else HitState.DOUBTFUL, start=0, end=len(quote), quote=quote,
        methods=(method,), reason="像", evidence=(seen,), start_s=10.0, end_s=11.6,
    )  # fmt: skip


HEARD = "条宽上写住自几看"
WORDING = "条款上写着自己看"


@pytest.mark.parametrize(("lead", "state"), [(0.3, HitState.HIT), (FITS, HitState.HIT), (FITS - 0.1, HitState.DOUBTFUL)])
def test_a_wording_that_fits_confirms(lead: float, state: HitState) -> None:
    listener = FakeListener({HEARD: -1.0, WORDING: -1.0 + lead})
    (made,) = Acoustic(BOOK, SETTINGS).ask([hit(HEARD, 0.4)], [utterance(HEARD)], listener.ear())
    assert made.state is state
    assert (Method.ACOUSTIC in made.methods) is (state is HitState.HIT)
    assert ("按声音核对：更像是「条款上写着自己看」" in made.reason) is (state is HitState.HIT)
    ((name, start, end),) = listener.clips
    assert name == "left"
    assert [start, end] == pytest.approx([9.8, 11.8])


@pytest.mark.parametrize(("method", "refused"), [(Method.PHONETIC, True), (Method.SEMANTIC, False)])
def test_a_wording_that_does_not_fit_refuses_likeness_not_meaning(method: Method, refused: bool) -> None:
    before = hit(HEARD, 0.6, method)
    (made,) = Acoustic(BOOK, SETTINGS).ask([before], [utterance(HEARD)], FakeListener({HEARD: -1.0, WORDING: -1.0 + UNFIT}).ear())
    assert (made.state is HitState.DOUBTFUL) is refused
    assert ("不像是" in made.reason) is refused
    assert (made == before) is not refused


def test_what_no_likeness_speaks_for_is_meant_and_not_refused() -> None:
    silent = replace(hit(HEARD, 0.55, Method.SEMANTIC), evidence=())
    low = replace(silent, evidence=(Match(phrase_id="9.1.06", method=Method.SEMANTIC, start=0, end=8, score=0.07, reason="像"),))
    for before in (silent, low):
        assert Acoustic(BOOK, SETTINGS).ask([before], [utterance(HEARD)], FakeListener({HEARD: -1.0}).ear()) == [before]


def test_a_refused_doubtful_one_is_gone() -> None:
    assert Acoustic(BOOK, SETTINGS).ask([hit(HEARD, 0.3)], [utterance(HEARD)], FakeListener({HEARD: -1.0}).ear()) == []


@pytest.mark.parametrize("score", [0.9, 0.15])
def test_what_is_not_open_is_not_asked(score: float) -> None:
    listener = FakeListener({WORDING: 0.0})
    kept = Acoustic(BOOK, replace_doubtful(0.1)).ask([hit(HEARD, score)], [utterance(HEARD)], listener.ear())
    assert [h.score for h in kept] == [score]
    assert not listener.clips


def replace_doubtful(doubtful: float) -> MatchSettings:
    return MatchSettings(doubtful=doubtful)


@pytest.mark.parametrize(("confidence", "speaker"), [(0.2, Speaker.AGENT), (0.9, Speaker.UNSURE)])
def test_what_was_not_clear_stays_doubtful_whatever_fits(confidence: float, speaker: Speaker) -> None:
    listener = FakeListener({HEARD: -1.0, WORDING: -0.1})
    (made,) = Acoustic(BOOK, SETTINGS).ask([hit(HEARD, 0.4)], [utterance(HEARD, confidence, speaker)], listener.ear())
    assert made.score > 0.5
    assert made.state is HitState.DOUBTFUL


@pytest.mark.parametrize(("confidence", "lead", "found"), [(0.4, 0.1, True), (0.4, -0.1, False), (0.9, 0.1, False)])
def test_an_unclear_utterance_is_tried_against_what_sounds_near(confidence: float, lead: float, found: bool) -> None:
    said = utterance(HEARD, confidence)
    made = Acoustic(BOOK, SETTINGS).ask([], [said], FakeListener({HEARD: -1.0, WORDING: -1.0 + lead}).ear())
    assert bool(made) is found
    for one in made:
        assert (one.phrase_id, one.state, one.methods) == ("9.1.06", HitState.DOUBTFUL, (Method.ACOUSTIC,))
        assert one.quote == said.text[one.start : one.end] == HEARD
        assert SETTINGS.doubtful <= one.score < SETTINGS.threshold


def test_customers_are_not_tried() -> None:
    said = utterance(HEARD, 0.4, Speaker.CUSTOMER)
    assert Acoustic(BOOK, SETTINGS).ask([], [said], FakeListener({WORDING: 0.0}).ear()) == []


def test_without_word_times_there_is_no_asking() -> None:
    before = hit(HEARD, 0.4)
    assert Acoustic(BOOK, SETTINGS).ask([before], [replace(utterance(HEARD), words=())], FakeListener({WORDING: 0.0}).ear()) == [before]
