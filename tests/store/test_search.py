"""What a search compares."""

import pytest

from phrasecheck.store.search import sounds


@pytest.mark.parametrize(
    ("text", "same"),
    [("系统", "西统"), ("告去", "搞去"), ("繁體，字！", "繁体字"), ("ＯＫ", "ok"), ("您四儿的", "您是儿的")],
)
def test_what_sounds_alike_is_the_same(text: str, same: str) -> None:
    assert sounds(text) == sounds(same)


def test_syllables_stand_between_spaces() -> None:
    assert sounds("西安") not in sounds("县里")
    assert sounds("，。！") == sounds("") == ""
    assert sounds("保单") in sounds("您的保单号是多少")
