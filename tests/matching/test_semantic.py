"""Neighbours: exemplars on both sides, and phrases that nobody trained on."""

import numpy as np
import pytest

from phrasecheck.lexicon import Exemplar
from phrasecheck.matching.semantic import NO_PHRASE, embed, log_softmax, neighbours, own_lines
from tests.matching.fakes import FakeEncoder, bag
from tests.matching.lexicons import lexicon, phrase

BOOK = lexicon(
    phrase("9.1.01", "甲乙丙丁。", examples=["甲甲乙乙"], fine=["您好甲乙"]),
    phrase("9.1.02", "戊己庚辛。", spellings=["戊己呀"], examples=["戊戊"], fine=["……"]),
)
LINES = [
    Exemplar(text="甲乙丙丁", phrase="9.1.01", spans=((0, 4),)),
    Exemplar(text="戊己庚辛", phrase="9.1.02", spans=((0, 4),)),
    Exemplar(text="您好请讲", phrase=None),
    Exemplar(text="甲乙您请", phrase="9.1.01"),  # a near-miss of the first
    Exemplar(text="子丑寅卯", phrase="8.8.88", spans=((0, 4),)),  # a phrase that this lexicon lacks
]
NEAR = neighbours(BOOK, LINES, np.array([bag(line.text) for line in LINES]))


def similarities(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return NEAR.similarities(bag(text)[None])


def test_lines_of_other_lexicons_are_left_out() -> None:
    assert {line.text for line in NEAR.lines} == {line.text for line in LINES[:4]}
    assert NEAR.phrase.tolist() == [NO_PHRASE, NO_PHRASE, 0, 1]
    assert NEAR.vectors.shape[0] == 4


def test_a_vector_alone_is_as_near_as_among_others() -> None:
    """To the last bit: stored calls are judged again in other batches, and nothing may change by that."""
    rng = np.random.default_rng(1)
    lines = [Exemplar(text=f"甲{i}", phrase=None) for i in range(3000)]
    vectors = rng.standard_normal((len(lines) + 20, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near, vectors = neighbours(BOOK, lines, vectors[20:]), vectors[:20]
    together = near.similarities(vectors)
    assert (near.similarities(vectors[:1]) == together[:1]).all()
    assert (near.similarities(vectors[7:12]) == together[7:12]).all()


def test_the_likeliest_phrase_is_the_nearest_lines() -> None:
    best = NEAR.violating(similarities("戊己庚"))
    assert best.shape == (1, 2)
    assert best[0, 1] == pytest.approx(3 / np.sqrt(12), abs=1e-3)
    assert best[0, 0] == pytest.approx(0, abs=1e-5)


def test_a_phrase_without_lines_is_farthest() -> None:
    lonely = neighbours(BOOK, LINES[:1], np.array([bag("甲乙丙丁")]))
    assert lonely.violating(lonely.similarities(bag("甲乙")[None]))[0, 1] == -1


@pytest.mark.parametrize(("text", "sign"), [("甲乙丙丁", 1), ("您好请讲", -1), ("甲乙您请", -1)])
def test_the_margin_says_which_side_is_nearer(text: str, sign: int) -> None:
    assert np.sign(NEAR.margin(similarities(text))[0]) == sign


def test_one_side_empty() -> None:
    only = neighbours(BOOK, LINES[:1], np.array([bag("甲乙丙丁")]))
    assert only.margin(only.similarities(bag("甲乙丙丁")[None])) == pytest.approx([1.0], abs=1e-5)


def test_the_nearest_lines_of_each_side() -> None:
    (one,) = NEAR.nearest(similarities("甲乙丙丁")[0], violating=True, count=1)
    assert one[0].text == "甲乙丙丁"
    assert one[1] == pytest.approx(1.0, abs=1e-5)
    assert [line.text for line, _ in NEAR.nearest(similarities("甲乙丙丁")[0], violating=False)] == ["甲乙您请", "您好请讲"]


def test_own_lines_stand_for_phrases_that_no_encoder_knows() -> None:
    lines = own_lines(BOOK, known=["9.1.01"])
    assert [(line.text, line.phrase, line.violates) for line in lines] == [
        ("甲甲乙乙", "9.1.01", True),
        ("您好甲乙", "9.1.01", False),
        ("戊己庚辛。", "9.1.02", True),  # unknown: its text and spellings too
        ("戊己呀", "9.1.02", True),
        ("戊戊", "9.1.02", True),
    ]


def test_embedding_takes_the_marked_stretch() -> None:
    encoder = FakeEncoder({}, ["9.1.01"])
    marked = Exemplar(text="您好，甲乙丙丁，再见", phrase="9.1.01", spans=((3, 7),))
    vectors = embed(encoder, [marked, Exemplar(text="您好，请讲", phrase=None)])
    assert vectors[0] == pytest.approx(bag("甲乙丙丁"), abs=1e-6)
    assert vectors[1] == pytest.approx(bag("您好，请讲"), abs=1e-6)


def test_log_softmax_is_stable() -> None:
    rows = log_softmax(np.array([[1000.0, 1000.0], [-1000.0, 0.0]], dtype=np.float32))
    assert np.exp(rows).sum(1) == pytest.approx([1, 1])
    assert rows[0] == pytest.approx([np.log(0.5)] * 2, abs=1e-6)
