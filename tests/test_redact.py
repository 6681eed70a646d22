"""Personal data in what was said: a table of cases, and properties over numbers said in every way (hypothesis)."""

import random
import re
from dataclasses import replace
from itertools import pairwise

import cn2an
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric

from phrasecheck.personal import USUAL, find
from phrasecheck.redact import BLACK, blacken, found_in, hidden, redact, silenced, stretches, stretches_of
from phrasecheck.types import (
    Call,
    CallResult,
    Hit,
    HitState,
    Method,
    Personal,
    Provenance,
    Role,
    Speaker,
    SpeakerDecision,
    Transcript,
    Utterance,
    Word,
)

HIDDEN = [
    ("我的手机是一三八零五七一二三四五", "我的手机是「手机号」"),
    ("幺三八，零五七幺，嗯，二三四五", "「手机号」"),
    ("13805712345", "「手机号」"),
    ("+86 138 0571 2345", "+「手机号」"),
    ("138.0571.2345", "「手机号」"),
    ("１３８０５７１２３４５", "「手机号」"),
    ("您记一下138 0571 2345号", "您记一下「手机号」号"),
    ("一三八，四个八，零零幺二", "「手机号」"),
    ("一 三 八 洞 五 拐 幺 两 三 四 五", "「手机号」"),
    ("一三八零五七是二三就五", "「手机号」"),  # 四 and 九, as heard
    ("一三八零五七一二三四五一共三千", "「手机号」一共三千"),
    ("一三八零五七一二三四五，三年", "「手机号」，三年"),
    ("三三零二,零四,二零二六,后面呢", "「号码」,后面呢"),
    ("九五五一九，我的电话一三八零五七一二三四五", "九五五一九，我的电话「手机号」"),
    ("138057123", "「号码」"),  # two digits misheard away
    ("身份证三三零一零二一九八五零三零七一二三叉", "身份证「身份证号」"),
    ("330102198503071234", "「身份证号」"),  # its check digit is wrong: hidden all the same
    ("卡号6222 0200 0000 0000 008", "卡号「银行卡号」"),
    ("4111 1111 1111 1111", "「银行卡号」"),
    ("浙A12345", "「车牌号」"),
    ("浙毕一二三四五", "「车牌号」"),
    ("浙 A D 一 二 三 四 五", "「车牌号」"),
    ("浙A12345D", "「车牌号」"),
    ("这A八八三二幺", "「车牌号」"),  # 浙, as heard
    ("京诶，一，二，三，四，五", "「车牌号」"),
    ("闽D，5，Y，0，8，4，黑色的奥德赛", "「车牌号」，黑色的奥德赛"),
    ("浙A1234警", "「车牌号」"),
    ("车牌号A8B345", "车牌号「车牌号」"),
    ("车架号LSVAU2180N2183294", "车架号「车架号」"),
    ("LSVAU2180N2183294", "「车架号」"),
    ("PDAA202333010000012345", "「保单号」"),
    ("保单号是一零五零八零零三", "保单号是「保单号」"),
    ("报案号是，嗯，九零幺二三四", "报案号是，嗯，「保单号」"),
    ("零五七一，八八三二一二三四", "「电话号码」"),
    ("0571-88321234", "「电话号码」"),
    ("座机八八三二一二三四", "座机「电话号码」"),
    ("微信号码 12345679", "微信号码 「号码」"),
]
SHOWN = [
    "九五五一八，九五五一八",
    "您好人寿财险九五五一九，四零幺二号为您服务",
    "二零二三、二零二四年",
    "4008095518",
    "一共12345.67元",
    "车价1234567元",
    "12,000元",
    "保额两百万，三者险",
    "三千五百八十块",
    "全险一共三千二，玻璃险八百",
    "300、500、1000",
    "10，20，30，40，50，60",
    "一二三四五六七",
    "2023-11-05 14:30:22",
    "二零二三年十一月五号下午三点二十",
    "20231105",
    "2022、2023、2024年",
    "第9.4.02条",
    "九点四点零二",
    "工号三零六",
    "分机8001",
    "车牌的后三位是五八三",
    "尾号6789",
    "您一三五七有空，二四六也行",
    "一二一路和五四广场",
    "是不是就是这么一回事",
    "",
]


@pytest.mark.parametrize(("said", "left"), HIDDEN)
def test_what_is_personal_is_hidden(said: str, left: str) -> None:
    assert redact(said) == left


@pytest.mark.parametrize("said", SHOWN)
def test_what_is_not_personal_stays(said: str) -> None:
    assert redact(said) == said


def test_names_and_house_numbers_are_hidden_when_wanted() -> None:
    said = "我叫王大明，住在文三路四百七十八号三单元五零二室，姓李的李女士"
    assert redact(said) == said
    assert redact(said, frozenset(Personal)) == "我叫「姓名」，住在文三路「住址」，姓「姓名」的「姓名」女士"


def test_black_boxes_keep_every_offset() -> None:
    said = "我的车牌是浙A12345，电话13805712345，谢谢"
    black = blacken(said)
    assert len(black) == len(said)
    assert black == f"我的车牌是{BLACK * 7}，电话{BLACK * 11}，谢谢"


# --- properties -------------------------------------------------------------------------------------------------------------------

WAYS = {
    "0": "0零〇洞",
    "1": "1一幺",
    "2": "2二两",
    "3": "3三",
    "4": "4四",
    "5": "5五",
    "6": "6六",
    "7": "7七拐",
    "8": "8八",
    "9": "9九",
    "X": "Xx叉",
}
PAUSES = ["", "", "", "", " ", "，", "，嗯，", "、", " 呃 ", "-"]
BEFORE = ["", "我的号码是", "您好，", "您记一下，", "三年前，"]
AFTER = ["", "。", "，对", "谢谢", "，好的", "吧"]


def said_aloud(number: str, chance: random.Random) -> str:
    """A number as somebody may say it and a recogniser may write it."""
    return "".join(chance.choice(WAYS.get(sign, sign)) + chance.choice(PAUSES) for sign in number[:-1]) + chance.choice(WAYS[number[-1]])


def id_card(chance: random.Random) -> str:
    body = f"330102{chance.randint(1950, 2009)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}{chance.randint(0, 999):03}"
    return body + ric.calc_check_digit(body + "0")


def bank_card(chance: random.Random) -> str:
    body = f"6222{chance.randint(0, 10**14 - 1):014}"
    return body + luhn.calc_check_digit(body)


def mobile(chance: random.Random) -> str:
    return f"1{chance.randint(3, 9)}{chance.randint(0, 10**9 - 1):09}"


NUMBERS = {Personal.ID_CARD: id_card, Personal.BANK_CARD: bank_card, Personal.MOBILE: mobile}


@settings(deadline=None)
@given(st.sampled_from(sorted(NUMBERS)), st.integers(0, 2**32))
def test_a_number_is_found_however_it_is_said(kind: Personal, seed: int) -> None:
    chance = random.Random(seed)
    number = NUMBERS[kind](chance)
    before, said, after = chance.choice(BEFORE), said_aloud(number, chance), chance.choice(AFTER)
    found = find(f"{before}{said}{after}")
    assert [(f.kind, f.start, f.end) for f in found] == [(kind, len(before), len(before) + len(said))]


@settings(deadline=None)
@given(st.sampled_from(sorted(NUMBERS)), st.integers(0, 2**32))
def test_one_misheard_digit_shows_nothing(kind: Personal, seed: int) -> None:
    chance = random.Random(seed)
    number = NUMBERS[kind](chance)
    place = chance.randrange(2, len(number) - 1)
    said = number[:place] + str((int(number[place]) + chance.randint(1, 9)) % 10) + number[place + 1 :]
    assert not re.search(r"\d", redact(f"您看{said}对吗"))


@settings(deadline=None)
@given(st.integers(1, 10**9), st.sampled_from(["元", "块", "元钱"]), st.sampled_from(["保费是", "一共", "", "赔您"]))
def test_amounts_stay(amount: int, unit: str, before: str) -> None:
    for said in (str(amount) if amount < 10**9 else "5", cn2an.an2cn(amount), f"{amount % 10**6}.5"):
        assert redact(f"{before}{said}{unit}，可以吗") == f"{before}{said}{unit}，可以吗"


@settings(deadline=None)
@given(st.dates())
def test_dates_stay(day: object) -> None:
    said = f"{day:%Y-%m-%d} {day:%Y}年{day:%m}月{day:%d}日 {day:%Y/%m/%d}"
    if "1900" < said[:4] < "2099":
        assert redact(said) == said


@settings(deadline=None)
@given(st.text(alphabet="零一二三四五六七八九幺十百千万两个，。 ABC浙京123456789元年号我的是诶就嗯", max_size=60))
def test_any_text_comes_back_as_long_as_it_was(text: str) -> None:
    black = blacken(text)
    assert len(black) == len(text)
    assert all(b in (BLACK, t) for b, t in zip(black, text, strict=True))
    spans = [(f.start, f.end) for f in find(text)]
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


# --- calls ------------------------------------------------------------------------------------------------------------------------


def spoken(id: str, text: str, start: float, speaker: Speaker = Speaker.CUSTOMER) -> Utterance:
    """Each character is a word of a fifth of a second."""
    words = tuple(Word(text=c, start=start + 0.2 * i, end=start + 0.2 * (i + 1), probability=1) for i, c in enumerate(text))
    channel = "left" if speaker is Speaker.AGENT else "right"
    return Utterance(id=id, start=start, end=start + 0.2 * len(text), channel=channel, text=text, speaker=speaker, words=words)


IN_PARTS = [
    spoken("u1", "号码是一三八", 0),
    spoken("u2", "嗯，一三八", 1.5, Speaker.AGENT),
    spoken("u3", "零五七一", 2.5),
    spoken("u4", "二三四五对吧", 4),
    spoken("u5", "一共三百八", 8, Speaker.AGENT),
]


def test_a_number_read_in_parts_is_found_in_all_of_them() -> None:
    found = found_in(IN_PARTS)
    assert {id: [(f.kind, f.start, f.end) for f in items] for id, items in found.items()} == {
        "u1": [(Personal.MOBILE, 3, 6)],
        "u3": [(Personal.MOBILE, 0, 4)],
        "u4": [(Personal.MOBILE, 0, 4)],
    }
    late = [spoken("u1", "号码是一三八", 0), spoken("u2", "五七一", 30)]
    assert found_in(late) == {}, "a minute later it is another number"


def test_the_stretches_of_sound_have_a_margin_and_do_not_overlap() -> None:
    utterance = spoken("u1", "电话13805712345好", 10)
    assert stretches(utterance) == [pytest.approx((10.4 - 0.15, 12.6 + 0.15))]
    assert stretches(spoken("u2", "没有号码", 3)) == []
    times = stretches_of(IN_PARTS)
    assert times == {"right": [pytest.approx((0.45, 1.35)), pytest.approx((2.35, 3.45)), pytest.approx((3.85, 4.95))]}


def test_an_utterance_without_times_of_words_is_silenced_whole() -> None:
    utterance = Utterance(id="u1", start=2, end=5, channel="left", text="13805712345")
    assert stretches(utterance, margin_s=0) == [(2, 5)]


def test_silence_is_put_into_a_copy() -> None:
    samples = np.ones(16_000 * 3, dtype=np.float32)
    quiet = silenced(samples, [(1, 2), (2.5, 9)])
    assert samples.all()
    assert quiet[:16_000].all()
    assert not quiet[16_000:32_000].any()
    assert quiet[32_000:40_000].all()
    assert not quiet[40_000:].any()


def test_a_result_is_hidden_without_moving_anything() -> None:
    said = replace(spoken("u1", "你自己不会查吗13805712345", 0, Speaker.AGENT), alternatives=("你自己不会查吗138057123四五",))
    hit = Hit(
        utterance_id="u1",
        phrase_id="9.1.01",
        score=0.9,
        state=HitState.HIT,
        start=0,
        end=len(said.text),
        quote=said.text,
        methods=(Method.EXACT,),
        reason=f"与「{said.text}」相同",
    )
    result = CallResult(
        call=Call(id="c", source="c.wav", sha256="", seconds=9, role=Role.RECEPTION, channels=("left",)),
        transcript=Transcript(utterances=(said,), speakers=SpeakerDecision(agent_channel="left", reason="", confidence=1)),
        hits=(hit,),
        scorecards=(),
        provenance=Provenance(software="", lexicon="", lexicon_sha256="", models={}, settings={}),
    )
    seen = hidden(result, USUAL)
    (utterance,), (shown,) = seen.transcript.utterances, seen.hits
    assert utterance.alternatives == ()
    assert utterance.text == shown.quote == "你自己不会查吗" + BLACK * 11
    assert "".join(word.text for word in utterance.words) == utterance.text
    assert [word.start for word in utterance.words] == [word.start for word in said.words]
    assert "1" not in shown.reason
    assert (shown.start, shown.end) == (hit.start, hit.end)
