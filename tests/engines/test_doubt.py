"""Text that nobody said, and text that somebody did."""

import pytest

from phrasecheck.engines.doubt import agree, is_invention, sign
from phrasecheck.engines.hotwords import Prompt, prompt
from phrasecheck.settings import AsrSettings

PROMPT = prompt(AsrSettings())
OTHER = Prompt(frame="以下是普通话的句子", words=("报案", "查勘", "定损", "定损单", "理赔", "中国太平洋财产保险公司"))


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
    ("one", "other", "same"),
    [
        ("您包一下车牌后，我一样能查到。", "您報一下車牌號我一樣能查到", True),
        ("嗯", "嗯嗯", True),
        ("呃呃呐呐呃", "嗚嗚", False),
        ("车牌号、投诉", "鞋子", False),
        ("您好", "", False),
    ],
)
def test_two_hearings_of_speech_agree(one: str, other: str, same: bool) -> None:
    assert agree(one, other) is same


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


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("以下是普通话的句子。", OTHER),
        ("以下普通话", OTHER),
        ("我们今天说一说以下是普通话的句子，大家听一听，再跟着我念一遍", OTHER),
        ("报案、查勘、定损、定损单、理赔", OTHER),
        ("理赔、报案", OTHER),
        ("定损单", OTHER),  # nothing but a hot word: it was said when it is heard without the prompt too
        ("轮员、定损", OTHER),
        ("误以报案、查勘、定捧。", OTHER),
        (PROMPT.text, PROMPT),
        ("好的" + PROMPT.text, PROMPT),
        *(("、".join(PROMPT.words[start : start + 3]), PROMPT) for start in (0, 4, len(PROMPT.words) - 3)),
    ],
)
def test_the_prompt_coming_back_is_noticed(text: str, given: Prompt) -> None:
    assert sign(text, 60.0, given) == "重复了提示语"  # long enough for all of it to be said


@pytest.mark.parametrize("text", ["您的定损单已经出来了", "报案的时候怎么说的", "好的，我这边先给您报案", "是的", ""])
def test_talk_with_hot_words_in_it_is_no_echo(text: str) -> None:
    assert sign(text, 4.0, OTHER) is None


def test_without_a_prompt_there_is_no_echo() -> None:
    assert sign("以下是普通话的句子", 4.0, Prompt()) is None
