"""What a search compares."""

import pytest

from phrasecheck.store.search import asked, sounds


@pytest.mark.parametrize(
    ("text", "same"),
    [("系统", "西统"), ("告去", "搞去"), ("繁體，字！", "繁体字"), ("ＯＫ", "ok"), ("您四儿的", "您是儿的")],
)
def test_what_sounds_alike_is_the_same(text: str, same: str) -> None:
    assert sounds(text) == sounds(same)
    assert asked(text) == asked(same)


@pytest.mark.parametrize("query", ["保单", "您的", "号是多少", "您", "少", "的保单号是"])
def test_a_part_of_what_was_said_is_found_in_it(query: str) -> None:
    assert asked(query) in sounds("您的保单号是多少")


@pytest.mark.parametrize(
    ("query", "text"), [("西安", "县里"), ("保多", "您的保单号是多少"), ("号多", "您的保单号是多少"), ("西安", "安西")]
)
def test_half_a_syllable_or_other_neighbours_are_not(query: str, text: str) -> None:
    assert asked(query) not in sounds(text)


def test_what_has_no_sound() -> None:
    assert sounds("，。！") == sounds("") == asked("%_") == ""
