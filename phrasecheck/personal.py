"""Personal data in what was said: which characters of a text are a number of somebody's own.

In: a text. Out: Found spans. The one decision: what is found is a long run of digits and letters, whatever its check digits say, because one misheard
digit must not show the other seventeen; check digits only help to name the kind. Amounts, dates, times, clause numbers and short numbers are read first
and left alone.

A run is read sign by sign: 0-9, 零 to 九, 幺 洞 拐 两, «四个八», letters, and, between two sure digits, the words that a recogniser writes for them
(是 for 四). Pauses and fillers do not end it. Numbers: GB 11643 (ID cards, by python-stdnum), ISO/IEC 7812 (bank cards, Luhn), GB 16735 (VIN), GA 36 (plates).
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from phrasecheck.types import Personal

USUAL = frozenset(Personal) - {Personal.NAME, Personal.ADDRESS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`text[start:end]` is personal data of this kind."""

    kind: Personal
    start: int
    end: int


def find(text: str, kinds: Collection[Personal] = USUAL) -> list[Found]:
    """What is personal in a text, in order, without overlaps."""
    taken: list[Found] = []
    text = _plain(text)
    for search in (_plates, _runs, _names, _addresses):
        for found in search(text):
            if found.kind in kinds and not any(t.start < found.end and found.start < t.end for t in taken):
                taken.append(found)
    return sorted(taken, key=lambda found: found.start)


def _plain(text: str) -> str:
    """Full-width digits and letters as the usual ones; the length stays."""
    return "".join(plain if len(plain := unicodedata.normalize("NFKC", char)) == 1 else char for char in text)


# --- reading ------------------------------------------------------------------------------------------------------------------------

_SPOKEN = {
    "0": "零〇○洞",
    "1": "一幺壹",
    "2": "二两貳贰兩",
    "3": "三叁參",
    "4": "四肆",
    "5": "五伍",
    "6": "六陆陸",
    "7": "七柒拐",
    "8": "八捌",
    "9": "九玖勾",
}
_HEARD = {
    "0": "林铃灵邻",
    "1": "妖腰要依衣医",
    "2": "而儿",
    "3": "山伞散",
    "4": "是事死似式",
    "5": "吴无午舞武",
    "6": "流刘留路",
    "7": "期其起气奇",
    "8": "吧巴爸",
    "9": "就久酒旧",
}
_DIGITS = {char: digit for digit, chars in _SPOKEN.items() for char in chars} | {d: d for d in "0123456789"}
_NEARLY = {char: digit for digit, chars in _HEARD.items() for char in chars}
_D = f"[{''.join(_DIGITS)}]"
_UNIT = "[十百千万亿拾佰仟萬]"
_MONEY = "(?:元|块|毛|角|折|%|公里|千米|平米)"
_MEASURE = "(?:度|米|年|个|月|天|日|号|点|时|小时|分|秒|次|辆|台|人|岁|位|笔|倍|遍|成|期|条|章|节|款|项|座|楼)"
_TOKEN = re.compile(
    rf"(?P<many>[二两三四五六七八2-8]个(?P<same>{_D})(?!{_UNIT}))"
    r"|(?P<apart>(?<!\d)(?:19|20)\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}日?(?!\d)"  # a date
    r"|(?<!\d)\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?!\d)"  # a time
    r"|(?<!\d)\d{1,3}(?:[,，]\d{3}){1,2}(?:\.\d+)?\s*[元块万]"  # 12,000元
    r"|(?<![\d.])(?!1\d\d\.\d{4}\.\d{4}(?!\d))\d{1,9}(?:\.\d+)+(?!\d)"  # 9.4.02, 1234567.89, but no 138.0000.0000
    rf"|(?<!{_D}){_D}{{1,9}}(?:{_MONEY}|{_UNIT})|(?<!{_D})(?<!{_D}[\s,，\-]){_D}{{1,5}}{_MEASURE}"  # 1234567元, 50万, 三年
    rf"|{_D}?{_UNIT}(?:[零〇]?{_D}{_UNIT}?)*"  # 两千三百五
    r"|一(?=[下样般些直定共起旦切致边半会遍]))"
    rf"|(?P<digit>{_D})|(?P<letter>[A-Za-z]|艾克斯|埃克斯|叉)|(?P<nearly>[{''.join(_NEARLY)}])"
    r"|(?P<pause>[\s,，、。.\-—–_·…]|[嗯呃额哦喔噢啊呀唉哎诶欸]|那个|这个|然后|就是|后面|接着|横?杠|空格|是|对)"
)
_QUICK = re.compile(_D)


@dataclass(frozen=True, slots=True)
class _Sign:
    """One digit or letter as it was said; `gap`: after a pause."""

    value: str
    start: int
    end: int
    sure: bool = True
    gap: bool = False
    written: bool = False  # as 5, not as 五


def _read(text: str) -> Iterator[list[_Sign]]:
    """The runs of digits and letters in a text."""
    run: list[_Sign] = []
    gap, at = False, 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        kind = token.lastgroup if token else None
        end = token.end() if token else at + 1
        if token and kind == "nearly":
            kind = "sign" if _between_digits(text, at, run, gap) else "pause" if text[at] == "是" else None
        match kind:
            case "many" | "same":
                run += [_Sign(_DIGITS[text[end - 1]], at, end, gap=gap)] * int(_DIGITS[text[at]])
            case "digit" | "letter" | "sign":
                value = _DIGITS.get(text[at]) or _NEARLY.get(text[at]) or ("X" if end - at > 1 or text[at] == "叉" else text[at].upper())
                run.append(_Sign(value, at, end, kind != "sign", gap, text[at] in "0123456789"))
            case "pause":
                pass
            case _:
                yield run
                run = []
        gap, at = kind == "pause", end
    yield run


def _between_digits(text: str, at: int, run: list[_Sign], gap: bool) -> bool:
    """Is a word that sounds like a digit spoken right between two sure ones?"""
    return not gap and bool(run) and run[-1].sure and text[at + 1 : at + 2] in _DIGITS and text[at + 1 : at + 2] != ""


# --- long numbers -------------------------------------------------------------------------------------------------------------------

_CUES = {
    Personal.ID_CARD: "身份证|证件",
    Personal.MOBILE: "手机",
    Personal.BANK_CARD: "银行卡|卡号|账号|账户|帐号",
    Personal.VIN: "车架|大架|识别代?码|车辆识别",
    Personal.POLICY: "保单|报案号|赔案|立案|案件号|案号|投保单",
    Personal.PLATE: "车牌|牌照|车号",
    Personal.LANDLINE: "电话|联系方式|座机",
    Personal.NUMBER: "号码|微信|QQ",
}
_CUE = re.compile("|".join(f"(?P<{kind}>{words})" for kind, words in _CUES.items()), re.IGNORECASE)
_CUE_REACH = 14  # characters before a number in which a word may say what it is
_PUBLIC = re.compile(r"(?:95\d{3})+|(?:[48]00\d{7})+")  # hotlines of companies


def _runs(text: str) -> Iterator[Found]:
    if len(_QUICK.findall(text)) < 4:
        return
    for run in _read(text):
        signs = _private(_trimmed(run))
        if signs and (kind := _kind(signs, _cue(text, signs[0].start))):
            signs = _alone(signs, kind)
            yield Found(kind=kind, start=signs[0].start, end=signs[-1].end)


def _trimmed(run: list[_Sign]) -> list[_Sign]:
    """Without what cannot belong to it at either end: a word that only sounds like a digit."""
    sure = [place for place, sign in enumerate(run) if sign.sure]
    return run[sure[0] : sure[-1] + 1] if sure else []


def _private(signs: list[_Sign]) -> list[_Sign]:
    """Without the hotline that is said first: «九五五一九，四零幺二…»."""
    first = next((place for place, sign in enumerate(signs) if place and sign.gap), len(signs))
    return signs[first:] if _PUBLIC.fullmatch("".join(sign.value for sign in signs[:first])) else signs


def _cue(text: str, before: int) -> Personal | None:
    """What the nearest word before says that the number is."""
    said = [match.lastgroup for match in _CUE.finditer(text, max(0, before - _CUE_REACH), before)]
    return Personal(said[-1]) if said and said[-1] else None


def _kind(signs: list[_Sign], cue: Personal | None) -> Personal | None:
    value = "".join(sign.value for sign in signs)
    digits = sum(map(str.isdigit, value))
    unsure = sum(not sign.sure for sign in signs)
    if cue is Personal.PLATE and 5 <= len(value) <= 9 and digits >= 3:
        return Personal.PLATE
    if digits < 6 or unsure * 3 > len(signs) or _PUBLIC.fullmatch(value) or _is_list(signs) or _is_day(value, cue):
        return None
    for whole in (value, value[:-1], value[1:]):  # a stray sign at an end does not hide what it is
        for kind, fits in _KINDS:
            if fits(whole, cue):
                return kind
    return (cue or Personal.NUMBER) if digits >= _least(signs, cue) else None


def _alone(signs: list[_Sign], kind: Personal) -> list[_Sign]:
    """Without a last sign that only follows the number: «…四五，三年»."""
    fits = dict(_KINDS).get(kind, _never)
    value = "".join(sign.value for sign in signs)
    return signs[:-1] if signs[-1].gap and not fits(value, None) and fits(value[:-1], None) else signs


def _never(value: str, cue: Personal | None) -> bool:
    return False


def _least(signs: list[_Sign], cue: Personal | None) -> int:
    """How many digits make a number personal of which nothing else is known: several short ones one after another, 500, 800, may be prices; but prices are
    not said digit by digit."""
    if cue is not None:
        return 6 if cue is Personal.POLICY else 7
    parts = [part for part in _parts(signs) if not part.isalpha()]
    one_by_one = len(parts) == 1 or any(len(part) == 1 for part in parts) or not any(sign.written for sign in signs)
    return 7 if one_by_one else 11


def _parts(signs: list[_Sign]) -> list[str]:
    """The run as it was divided by pauses."""
    parts: list[str] = []
    for sign in signs:
        if parts and not sign.gap:
            parts[-1] += sign.value
        else:
            parts.append(sign.value)
    return parts


def _is_list(signs: list[_Sign]) -> bool:
    """Years, or even steps: 1 2 3 4 5 6 7; 100, 200, 300; also said in one breath."""
    parts = _parts(signs)
    if len(parts) == 1 and len(parts[0]) < 11:
        parts = list(parts[0])
    if len(parts) < 2 or not all(part.isdigit() and len(part) <= 6 for part in parts):
        return False
    if all(re.fullmatch(r"(?:19|20)\d\d", part) for part in parts):
        return True
    steps = {int(b) - int(a) for a, b in pairwise(parts)}
    return len(parts) > 2 and len(steps) == 1 and steps != {0}


def _is_day(value: str, cue: Personal | None) -> bool:
    return cue is None and len(value) == 8 and value[:2] in ("19", "20") and _is_date(value)


def _is_date(value: str) -> bool:
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        return False
    return True


def _fits_id_card(value: str, cue: Personal | None) -> bool:
    from stdnum.cn import ric

    whole = len(value) == 18 and value[:17].isdigit()  # ric.is_valid fails on districts it does not know
    born = whole and value[6:8] in ("19", "20") and _is_date(value[6:14])
    return born or (whole and ric.calc_check_digit(value) == value[17]) or (cue is Personal.ID_CARD and 14 <= len(value) <= 19)


def _fits_mobile(value: str, cue: Personal | None) -> bool:
    return bool(re.fullmatch(r"(?:(?:00)?86)?(?:1[3-9]\d{9})+", value)) or (
        cue is Personal.MOBILE and bool(re.fullmatch(r"1\d{7,11}", value))
    )


def _fits_bank_card(value: str, cue: Personal | None) -> bool:
    from stdnum import luhn

    long = value.isdigit() and 15 <= len(value) <= 19
    return long and (cue is Personal.BANK_CARD or (value[0] in "3456" and luhn.is_valid(value)))


def _fits_vin(value: str, cue: Personal | None) -> bool:
    mixed = bool(re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", value)) and sum(map(str.isalpha, value)) >= 3
    return (mixed and value[-4:].isdigit()) or (cue is Personal.VIN and 10 <= len(value) <= 19)


def _fits_policy(value: str, cue: Personal | None) -> bool:
    return bool(re.fullmatch(r"[A-Z]{2,6}\d{10,24}", value)) or (cue is Personal.POLICY and len(value) >= 6)


def _fits_landline(value: str, cue: Personal | None) -> bool:
    return bool(re.fullmatch(r"0[1-9]\d{8,10}", value)) or (cue is Personal.LANDLINE and bool(re.fullmatch(r"[2-8]\d{6,7}", value)))


_KINDS: tuple[tuple[Personal, Callable[[str, Personal | None], bool]], ...] = (
    (Personal.ID_CARD, _fits_id_card),
    (Personal.MOBILE, _fits_mobile),
    (Personal.BANK_CARD, _fits_bank_card),
    (Personal.VIN, _fits_vin),
    (Personal.POLICY, _fits_policy),
    (Personal.LANDLINE, _fits_landline),
)

# --- plates, names, addresses -------------------------------------------------------------------------------------------------------

_PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]|[这折哲者](?=[A-Za-z])"  # the last: 浙, as heard
_LETTER = "[A-Za-z]|艾弗|艾福|艾奇|艾尔|艾姆|艾斯|埃斯|达不溜|艾克斯|[诶欸毕必币碧西地弟滴伊鸡基杰开凯恩屁皮批踢提优维歪外贼叉]"  # as they are called
_APART = r"(?:[\s·•.,，、。\-—]|[嗯呃额啊哦个的]|然后|那个)*"
_PLATE = re.compile(
    rf"(?:{_PROVINCE})(?:江|苏|海|京)?{_APART}(?:{_LETTER})(?P<rest>"
    rf"{_APART}(?:{_LETTER}){_APART}{_D}(?:{_APART}{_D}){{4}}"  # new energy: D12345, also 12345D
    rf"|{_APART}{_D}(?:{_APART}{_D}){{4}}(?:{_APART}[DFdf]|{_APART}[A-Za-z](?![A-Za-z]))"
    rf"|{_APART}(?:{_D}|{_LETTER})(?:{_APART}(?:{_D}|{_LETTER})){{3}}(?:{_APART}(?:{_D}|{_LETTER}){_D}?|[学警挂港澳领使试临超]))"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖"
    "石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤温庞樊兰殷施洪翟安颜倪牛芦俞章鲁葛柳阮包"
)
_NAME = re.compile(
    rf"(?:[我名]?叫|名字是|姓名是?)(?P<called>[{_SURNAMES}][一-鿿]{{1,2}})(?=$|[\s，。,.！!？?、；;的吗吧])"
    rf"|姓(?P<surname>[{_SURNAMES}])(?!名)|(?P<mr>[{_SURNAMES}])(?=先生|女士|小姐|师傅|阿姨)"
)
_COUNT = rf"(?:\d+|(?:{_D}|[十百千])+)"
_ADDRESS = re.compile(
    rf"(?<=[路街巷弄道村区苑园坊里厦庄寓城府庭院])(?:{_APART}{_COUNT}(?:号楼|号院|号|弄|幢|栋|座|单元|楼|层|室))+(?:{_COUNT}室?)?"
)


def _plates(text: str) -> Iterator[Found]:
    for match in _PLATE.finditer(text):
        if len(_QUICK.findall(match["rest"])) >= 3:
            yield Found(kind=Personal.PLATE, start=match.start(), end=match.end())


def _names(text: str) -> Iterator[Found]:
    for match in _NAME.finditer(text):
        start, end = match.span(match.lastgroup or 0)
        yield Found(kind=Personal.NAME, start=start, end=end)


def _addresses(text: str) -> Iterator[Found]:
    for match in _ADDRESS.finditer(text):
        yield Found(kind=Personal.ADDRESS, start=match.start(), end=match.end())
