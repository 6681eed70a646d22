"""Text that nobody said, and text that somebody did."""

import pytest

from phrasecheck.engines.doubt import is_invention, sign
from phrasecheck.settings import AsrSettings

PROMPT = AsrSettings().prompt


@pytest.mark.parametrize(
    "text",
    [
        "字幕由Amara.org社区提供",
        "請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目",
        "谢谢观看",
        "感谢观看，我们下期再见。",
        "中文字幕志愿者 李宗盛",
        "优优独播剧场——YoYo Television Series Exclusive",
    ],
)
def test_known_inventions_are_known_in_any_spelling(text: str) -> None:
    assert is_invention(text)


@pytest.mark.parametrize(
    "text",
    ["谢谢您的来电，再见", "再见", "谢谢", "好的好的", "请您看完条款再订阅续保提醒", "我看一下字幕上写的什么", "麻烦校对一下", "完了完了"],
)
def test_what_people_say_is_none(text: str) -> None:
    assert not is_invention(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("好的好的好的好的好的好的", 4.0),
        ("我们" * 60, 24.0),
        ("啊啊啊啊啊啊啊啊啊啊", 3.0),
        ("您的保单已经查到了请您稍等我马上为您处理", 0.8),
    ],
)
def test_runaway_text_is_doubted(text: str, seconds: float) -> None:
    assert sign(text, seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("好好好", 0.5),
        ("嗯嗯嗯嗯，对对对对", 1.2),
        ("您好，请问有什么可以帮您？", 2.0),
        ("一三五八八八八八八八二", 3.0),
        ("不知道不知道，别问我", 1.5),
        ("", 1.0),
    ],
)
def test_honest_text_is_not(text: str, seconds: float) -> None:
    assert sign(text, seconds, PROMPT) is None


@pytest.mark.parametrize("text", ["以下是普通话的句子。", "以下普通话", PROMPT, "好的" + PROMPT])
def test_the_prompt_coming_back_is_noticed(text: str) -> None:
    seconds = 15.0  # long enough for all of it to be said
    assert sign(text, seconds, "以下是普通话的句子，车险客服通话。" if PROMPT not in text else PROMPT)
    assert sign(text, seconds, "") is None


def test_words_of_the_trade_are_no_echo() -> None:
    assert sign("交强险的保单", 2.0, "您好，车险客服。报案、查勘、定损、理赔、保单、交强险、出险、修理厂。") is None
