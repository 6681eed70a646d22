"""Labels of windows, and spans that follow their words through every change."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phrasecheck.lexicon import Exemplar
from phrasecheck.matching.windows import windows
from phrasecheck.training.data import Augment, example, join, label, remap
from phrasecheck.training.noise import character_counts, drop_pauses, garble
from phrasecheck.training.split import held_back

LINE = Exemplar(text="您好，有意见你告去，再见", phrase="9.1.10", spans=((3, 9),), kind="embedded", voice="v")
HARMLESS = [Exemplar(text=text, phrase=None) for text in ("您好请讲", "稍等一下，我查查。", "单号是九五五幺", "好的好的", "再见！")]
SEEDS = st.integers(0, 10_000)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)


@pytest.mark.parametrize(
    ("window", "spans", "expected"),
    [
        ((0, 10), [(2, 6)], 1),  # all of it
        ((2, 6), [(2, 6)], 1),
        ((3, 6), [(2, 6)], 1),  # three quarters
        ((4, 6), [(2, 6)], -1),  # half: nobody knows
        ((6, 10), [(2, 6)], 0),  # none
        ((9, 20), [(0, 10)], 0),  # hardly any
        ((0, 4), [], 0),
        ((0, 4), [(2, 2)], 0),  # an empty stretch is none
        ((5, 9), [(0, 4), (5, 9)], 1),  # one of two
    ],
)
def test_a_windows_label(window: tuple[int, int], spans: list[tuple[int, int]], expected: int) -> None:
    assert label(window, spans) == expected


def test_an_examples_windows_and_labels() -> None:
    made = example(LINE)
    assert made.windows == tuple(windows(LINE.text))
    labels = {LINE.text[a:b]: value for (a, b), value in zip(made.windows, made.labels, strict=True)}
    assert labels == {
        "您好，有意见你告去，再见": 1,
        "您好": 0,
        "您好，有意见你告去": 1,
        "有意见你告去": 1,
        "有意见你告去，再见": 1,
        "再见": 0,
    }


def test_a_full_stop_teaches_nothing() -> None:
    """The encoder sees neither the one of a harmless line nor the one inside a marked stretch."""
    made = example(Exemplar(text="告去。", phrase="9.1.10", spans=((0, 3),)))
    assert (made.line.text, made.line.spans, made.windows, made.labels) == ("告去", ((0, 2),), ((0, 2),), (1,))


def test_the_whole_carries_the_lines_label() -> None:
    """Also where the marked stretch is cut across windows."""
    line = Exemplar(text="甲乙，丙丁，戊己，庚辛，壬癸", phrase="9.1.01", spans=((0, 14),))
    made = example(line)
    assert made.labels[0] == 1
    assert set(made.labels[1:]) <= {-1, 0}
    assert example(HARMLESS[1]).labels == (0, 0, 0)
    assert example(Exemplar(text="。", phrase=None)).labels == ()


@pytest.mark.parametrize(
    ("text", "origin", "spans"),
    [
        ("有意见你告去", [3, 4, 5, 6, 7, 8], ((0, 6),)),
        ("您好有意见", [0, 1, 3, 4, 5], ((2, 5),)),
        ("您好好有有意见你告", [0, 1, 1, 3, 3, 4, 5, 6, 7], ((3, 9),)),  # doubled characters
        ("您好再见", [0, 1, 10, 11], ()),  # all of the stretch lost
    ],
)
def test_spans_follow_their_characters(text: str, origin: list[int], spans: tuple[tuple[int, int], ...]) -> None:
    made = remap(LINE, text, origin)
    assert (made.text, made.spans) == (text, spans)
    assert (made.phrase, made.kind) == (LINE.phrase, LINE.kind)


def test_joined_lines_keep_their_spans() -> None:
    made = join([HARMLESS[1], LINE, HARMLESS[4]])
    assert made.text == "稍等一下，我查查，您好，有意见你告去，再见，再见"
    assert [made.text[a:b] for a, b in made.spans] == ["有意见你告去"]
    assert (made.phrase, made.violates) == ("9.1.10", True)
    assert not join(HARMLESS).violates


def test_a_stretch_marked_with_its_full_stop_ends_with_its_words() -> None:
    made = join([HARMLESS[0], Exemplar(text="告去！！", phrase="9.1.10", spans=((0, 4),))])
    assert (made.text, made.spans) == ("您好请讲，告去", ((5, 7),))


@unhurried
@given(SEEDS, st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_garbling_keeps_the_origin_of_every_character(seed: int, rate: float) -> None:
    text, origin = garble(LINE.text, rate, random.Random(seed))
    assert len(text) == len(origin)
    assert origin == sorted(origin)
    assert all(0 <= o < len(LINE.text) for o in origin)
    kept = {o: char for char, o in zip(text, origin, strict=True)}
    assert all(kept[i] == char for i, char in enumerate(LINE.text) if char in "，")  # only Han characters go wrong
    if rate == 0:
        assert text == LINE.text


def test_garbling_goes_wrong_about_as_often_as_asked() -> None:
    line, wrong = "系统就这个样子我也没办法你找领导去" * 20, 0
    text, origin = garble(line, 0.25, random.Random(1))
    same = sum(line[o] == char for char, o in zip(text, origin, strict=True))
    wrong = len(line) - same
    assert 0.15 <= wrong / len(line) <= 0.3


def test_most_wrong_characters_sound_nearly_right() -> None:
    """DESIGN 6.5: one character in four wrong, one syllable in eight."""
    from phrasecheck.matching.sound import fold, syllables

    line = "系统就这个样子我也没办法你找领导去" * 40
    text, origin = garble(line, 0.25, random.Random(2))
    said, heard = syllables(line), syllables(text)
    changed = [(said[o], heard[i]) for i, o in enumerate(origin) if text[i] != line[o]]
    assert sum(fold(a) == fold(b) for a, b in changed) / len(changed) > 0.5


@unhurried
@given(SEEDS, st.sampled_from([0.0, 0.5, 1.0]))
def test_dropping_pauses_keeps_every_word(seed: int, share: float) -> None:
    text, origin = drop_pauses(LINE.text, random.Random(seed), share)
    assert text == "".join(LINE.text[o] for o in origin)
    assert text.replace("，", "") == LINE.text.replace("，", "")
    if share == 1.0:
        assert "，" not in text


@unhurried
@given(SEEDS)
def test_a_fresh_variant_is_a_sound_exemplar(seed: int) -> None:
    augment = Augment(embed=1.0, garbled=1.0, rates=(0.1,), no_pauses=0.5)
    made = augment(LINE, HARMLESS, random.Random(seed))
    assert all(0 <= a < b <= len(made.text) for a, b in made.spans)
    assert (made.phrase, made.kind) == (LINE.phrase, LINE.kind)
    assert made == augment(LINE, HARMLESS, random.Random(seed))  # seeded


def test_nothing_asked_nothing_changed() -> None:
    same = Augment(embed=0, garbled=0, no_pauses=0)
    assert same(LINE, HARMLESS, random.Random(3)) is LINE


def test_a_turn_grows_no_longer_than_allowed() -> None:
    augment = Augment(embed=1.0, garbled=0, no_pauses=0, longest=30)
    made = [augment(LINE, HARMLESS, random.Random(seed)).text for seed in range(60)]
    assert max(map(len, made)) <= 30
    assert any(text != LINE.text for text in made)


def test_the_common_characters_are_common() -> None:
    counts = character_counts()
    assert len(counts) == 3500
    assert counts["的"] > counts["赔"] > 0


def test_one_line_in_eight_is_held_back_and_calls_stay_whole() -> None:
    lines = [Exemplar(text=f"第{n}句", phrase=None) for n in range(2000)]
    assert 0.1 < sum(map(held_back, lines)) / len(lines) < 0.15
    for call in range(40):
        turns = [Exemplar(text=f"第{n}句", phrase=None, call=f"c{call}") for n in range(8)]
        assert len({held_back(turn) for turn in turns}) == 1
    assert held_back(Exemplar(text="甲", phrase=None)) == held_back(Exemplar(text="甲", phrase="9.1.01", spans=((0, 1),)))
