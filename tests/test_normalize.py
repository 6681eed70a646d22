"""Comparable text, its way back to the original, fillers, clauses and word edges."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phrasecheck.matching.windows import LONGEST_RUN, windows
from phrasecheck.normalize import FILLERS, PAUSES, clauses, normalize, simplify, unfinished, without_fillers, word_edges

# What a recogniser, a chat window or a spreadsheet may hand over, and a little of everything else.
SPOKEN = st.text(alphabet="您你我不知道急什么告诉额啊嗯條款寫著嗎ＡＢ９５１９95519，。！？、 “”😀①㎡ﬁéx-\n", max_size=60)
ANYTHING = st.one_of(SPOKEN, st.text(max_size=40))
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first text loads the dictionaries


@pytest.mark.parametrize(
    ("text", "comparable"),
    [
        ("不知道，不清楚。", "不知道不清楚"),
        ("條款上不是寫著嗎", "条款上不是写着吗"),  # Traditional
        ("ＡＢ１２３", "ab123"),  # full-width
        ("浙Ａ·Ｂ１２３ Ｃ", "浙ab123c"),
        ("急😀什👨‍👩‍👧么", "急什么"),  # emoji, also those of several code points
        ("①２③", "123"),
        ("5㎡", "5m2"),  # one character becomes two
        ("e\u0301te", "ete"),  # a combining mark is no letter
        ("“你”、‘我’（他）——…", "你我他"),
        ("", ""),
        (" \n\t，。", ""),
    ],
)
def test_comparable_text(text: str, comparable: str) -> None:
    assert normalize(text).text == comparable


@unhurried
@given(ANYTHING)
def test_every_character_knows_where_it_came_from(text: str) -> None:
    made = normalize(text)
    assert made.original == text
    assert len(made.offsets) == len(made.text)
    assert list(made.offsets) == sorted(made.offsets)
    assert all(0 <= offset < len(text) for offset in made.offsets)


@unhurried
@given(ANYTHING, st.data())
def test_a_stretch_quotes_the_original(text: str, data: st.DataObject) -> None:
    """Normalising what is quoted holds the stretch again: nothing is lost on the way back."""
    made = normalize(text)
    if not made.text:
        return
    start = data.draw(st.integers(0, len(made.text) - 1))
    end = data.draw(st.integers(start + 1, len(made.text)))
    a, b = made.span(start, end)
    assert 0 <= a < b <= len(text)
    if text.isascii():  # elsewhere a character's Simplified form may depend on its neighbours
        assert made.text[start:end] in normalize(text[a:b]).text


def test_a_stretch_ends_where_its_last_character_ends() -> None:
    text = "他说「條款上，不是寫著嗎」😀"
    made = normalize(text)
    start = made.text.index("条款")
    a, b = made.span(start, start + 8)
    assert text[a:b] == "條款上，不是寫著嗎"


@pytest.mark.parametrize(("start", "end"), [(0, 0), (2, 1)])
def test_an_empty_stretch_is_an_error(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="empty span"):
        normalize("不知道").span(start, end)


@unhurried
@given(ANYTHING)
def test_simplifying_keeps_lengths(text: str) -> None:
    assert len(simplify(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "simplified"),
    [
        ("沒有辦法", "没有办法"),
        ("著什麼急，自己看著填", "着什么急，自己看着填"),
        ("顯著的著作", "显著的著作"),
        ("显著的著作", "显著的著作"),
        ("plain ascii", "plain ascii"),
    ],
)
def test_simplified(text: str, simplified: str) -> None:
    assert simplify(text) == simplified


@pytest.mark.parametrize(
    ("text", "left", "quote"),
    [
        ("不、嗯、不知道", "不不知道", "不、嗯、不知道"),
        ("嗯嗯，呃。", "", ""),
        ("条款上啊，不是写着吗", "条款上不是写着吗", "条款上啊，不是写着吗"),
    ],
)
def test_fillers_go_and_offsets_stay(text: str, left: str, quote: str) -> None:
    made = without_fillers(normalize(text))
    assert made.text == left
    if left:
        assert text[slice(*made.span(0, len(made.text)))] == quote


@unhurried
@given(ANYTHING)
def test_no_filler_is_left(text: str) -> None:
    made = without_fillers(normalize(text))
    assert not FILLERS & set(made.text)
    assert made.offsets == tuple(o for c, o in zip(normalize(text).text, normalize(text).offsets, strict=True) if c not in FILLERS)


@pytest.mark.parametrize(
    ("text", "left"), [("你自己看。", "你自己看"), ("你，自己看！？…", "你，自己看"), ("你自己看", "你自己看"), ("。。", ""), ("", "")]
)
def test_punctuation_at_the_end_goes(text: str, left: str) -> None:
    assert unfinished(text) == left


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("您好，请讲。", ["您好", "请讲"]),
        ("您好 请讲", ["您好", "请讲"]),
        ("，，您好！？", ["您好"]),
        ("好。”“行", ["好", "”“行"]),  # closing marks alone are no clause
        ("😀", []),
        ("“”", []),
        ("", []),
    ],
)
def test_clauses(text: str, parts: list[str]) -> None:
    assert [text[a:b] for a, b in clauses(text)] == parts


def test_a_long_clause_is_cut_into_even_parts_at_word_edges() -> None:
    text = "我们这边已经帮您把资料全部提交上去了后面由理赔中心的同事和您联系"
    parts = clauses(text)
    assert len(parts) == 2
    assert {a for a, _ in parts} <= set(word_edges(text))
    assert all(12 <= b - a <= 20 for a, b in parts)


def test_one_endless_word_is_one_clause() -> None:
    """A policy number has no word edge to cut at; no empty part may come of it."""
    for text in ("A" * 40, "9" * 60, "单号" + "9" * 70):
        assert all(b > a for a, b in clauses(text))
        assert "".join(text[a:b] for a, b in clauses(text)) == text


@unhurried
@given(ANYTHING, st.integers(4, 30))
def test_clauses_hold_every_word_once(text: str, longest: int) -> None:
    parts = clauses(text, longest)
    assert all(a < b for a, b in parts)
    assert all(one[1] <= other[0] for one, other in pairwise(parts))
    covered = {i for a, b in parts for i in range(a, b)}
    assert {i for i, char in enumerate(text) if char.isalnum() and char not in PAUSES} <= covered


@unhurried
@given(ANYTHING)
def test_word_edges_go_from_end_to_end(text: str) -> None:
    edges = word_edges(text)
    assert edges[0] == 0
    assert edges[-1] == len(text)
    assert edges == sorted(set(edges))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一，二，三，四", ["一，二，三，四", "一", "一，二", "一，二，三", "二", "二，三", "二，三，四", "三", "三，四", "四"]),
        ("您好。", ["您好"]),  # the whole is not said twice
        ("您好，请讲", ["您好，请讲", "您好", "请讲"]),
        ("。。", []),
        ("😀", []),
    ],
)
def test_windows(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in windows(text)] == expected


@unhurried
@given(ANYTHING)
def test_windows_begin_with_the_whole_and_never_repeat(text: str) -> None:
    cut, parts = windows(text), clauses(text)
    assert len(cut) == len(set(cut))
    if not parts:
        assert cut == []
        return
    assert cut[0] == (parts[0][0], parts[-1][1])
    assert set(parts) <= set(cut)
    starts, ends = [a for a, _ in parts], [b for _, b in parts]
    assert all(ends.index(b) - starts.index(a) < LONGEST_RUN for a, b in cut[1:])
