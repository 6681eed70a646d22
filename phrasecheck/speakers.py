"""Who spoke, and in which role.

In: Utterances without speakers, the channels, the role of the call, what the user said of the agent's channel, and for a single channel the voices in
it. Out: a Transcript whose speakers are decided, with the reason in Chinese and how sure it is. The one decision: a table of cues (CUES) decides by
what is said which channel, or which voice, is the agent's; each cue counts only so often, so that a talkative side does not win by length.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp

from phrasecheck.diarise import Voices
from phrasecheck.normalize import normalize
from phrasecheck.types import Role, Speaker, SpeakerDecision, Transcript, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Something staff say (weight above 0) or customers say (below 0). `pattern` is looked for in normalised text and counts at most `most`
    times; `first` restricts it to so many utterances from the start of the channel (0 = anywhere)."""

    name: str
    weight: float
    pattern: re.Pattern[str]
    most: int = 3
    first: int = 0


def _cue(name: str, weight: float, pattern: str, most: int = 3, first: int = 0) -> Cue:
    return Cue(name=name, weight=weight, pattern=re.compile(pattern), most=most, first=first)


COMPANY = r"保险|财险|人保|人寿|平安|太保|太平洋|阳光|大地|国寿|中华联合|[车产]险公司|分公司|支公司"
TITLE = r"客服|坐席|座席|前台|专员|查[勘看堪]员|定[损孙]员|理赔员|核保|业务员|经理|单证|投诉[部组科]|柜台"
# Heard text is full of misspellings; the patterns keep to words that Whisper base gets right more often than not.
CUES: tuple[Cue, ...] = (
    _cue("开头问候「您好」", 1.0, r"[您你]好|早上好|下午好|上午好", most=1, first=2),
    _cue("报公司名", 1.5, COMPANY, most=1, first=2),
    _cue("自报姓名或工号", 2.0, rf"工号|我姓|我是.{{0,8}}(?:{TITLE})|(?:{TITLE}).{{0,4}}为您|很高兴为", most=1, first=4),
    _cue("服务用语「为您服务」「有什么可以帮您」", 2.5, r"[为给]您服务|可以帮[您你助]|帮您的|需要帮助|能帮[您你]", most=2),
    _cue("请客户配合", 1.0, r"请您|请问|麻烦您|您稍等|请稍[等后候]|稍等一下|您方便|请提供|请报|跟您核对|核对一下|确认一下"),
    _cue("替客户办理", 1.0, r"帮您|给您|为您|替您|跟您|我这边|我们这边|我[帮给]你[查登看问转]|系统里|登记[一好]|记录[一好]"),
    _cue("说明手续", 0.7, r"需要您|您需要|您的(?:保单|车牌|案子|案件|资料)|工作日|联系您|给您回|回访|上传|定损单|查[勘看]员会|定损员会"),
    _cue("致歉或致谢", 0.8, r"抱歉|不好意思|对不起|感谢您|谢谢您|感谢来电|添麻烦|祝您|请放心|您放心|理解您|您别[急着]"),
    _cue("称呼客户", 0.8, r"[先女]生您|先生|女士"),
    _cue("用敬称「您」", 0.4, r"您", most=5),
    _cue("提问", 0.4, r"吗$|呢$|什么时[间候]|哪个?[里儿路]|多少|贵姓|怎么称呼|几个人", most=4),
    _cue("讲自己的车和事故", -1.5, r"我的?车|我那个?车|我们家|我家|我老[公婆]|我爸|我妈|撞了|追尾了|刮了|蹭了|被人|我买的|我投的|我交了"),
    _cue("向公司要说法", -1.5, r"你们(?:公司|保险|怎么|到底|那个|这|就|不|说|什么|也|还|查|定|理)|我要投诉|凭什么不|什么时候能|怎么还没"),
    _cue("咨询", -1.0, r"我想(?:问|咨询|查|了解)|问一下你|请教|我[要来]报案|我要报[个一]?案|帮我[查看问催]"),
    _cue("只是应答", -0.3, r"^(?:嗯+|哦+|对+|好的?|行|是的?|知道了|谢谢|啊)$", most=4),
)
FIRST_TO_SPEAK = 1.0  # whoever picks up at a hotline is staff; at an outgoing call it is the customer, hence no more than this
SURE_ALONE = 1.4  # where no voices can be told apart one utterance needs this many points to be given to either side
VOICES = ("先开口的声音", "后开口的声音")  # stand for channels when one channel holds two voices
SURE_AGENT = 0.8  # with less confidence in which voice is the agent's everything is left unsure
SURE_TURN = 0.8  # probability that it is one voice or the other from which a turn is given to it
HANDOVER = re.compile(r"转接|[帮给为把]您(?:的?电话)?转|换.{0,6}(?:同事|专员)(?:跟|和|来|接)")
HANDOVER_S = 120.0  # a self-introduction later than this after a handover is not the new colleague's
# How staff of each role introduce themselves; looked for only after a handover.
INTRODUCTIONS: tuple[tuple[Role, re.Pattern[str]], ...] = tuple(
    (role, re.compile(rf"(?:我是|这里是|这边是|[您你]好).{{0,12}}?(?:{titles})"))
    for role, titles in (
        (Role.SURVEY, r"查[勘看堪](?:员|部|岗)|现场查[勘看]"),
        (Role.LOSS_ASSESSMENT, r"定[损孙](?:员|部|岗|中心)|核[损价](?:员|部|岗)"),
        (Role.DOCUMENTS, r"单证(?:员|部|岗|收集)?|资料收集|理赔内勤"),
        (Role.COMPLAINTS, r"投诉(?:部|组|科|处理|专员|岗)|客诉|消费者权益"),
        (Role.UNDERWRITING, r"核保|承保|出单"),
        (Role.SALES, r"销售|业务员|续保专员|客户经理|电销"),
        (Role.CLAIMS_REPORT, r"报案(?:中心|专线|台|组)|接报案"),
    )
)


def assign(
    utterances: Sequence[Utterance], channels: Sequence[str], role: Role | None, agent_channel: str = "auto", voices: Voices | None = None
) -> Transcript:
    """Give every utterance its speaker, and the agent's their role (None: not known, unless one introduces himself).

    `channels` are the names of the recording's channels, `agent_channel` is one of them or 'auto'. A given channel that the recording does
    not have is not an error, since a folder may hold both kinds: the decision is then made as for 'auto', and the reason says so. With `voices`
    (of the one channel there is) utterances in which both speak are cut, and all are numbered again.
    """
    if len(channels) < 2:
        spoken, decision = _in_one_channel(utterances, channels, voices)
    else:
        decision = _decide(utterances, channels, agent_channel)
        spoken = [
            replace(utterance, speaker=Speaker.AGENT if utterance.channel == decision.agent_channel else Speaker.CUSTOMER)
            for utterance in utterances
        ]
    if agent_channel not in ("auto", *channels):
        decision = replace(decision, reason=f"指定的{_title(agent_channel)}在这个录音里没有，改为自动判断。{decision.reason}")
    roles = Roles(role)
    return Transcript(utterances=tuple(replace(utterance, role=roles.of(utterance)) for utterance in spoken), speakers=decision)


def _decide(utterances: Sequence[Utterance], channels: Sequence[str], asked: str) -> SpeakerDecision:
    if asked in channels:
        return SpeakerDecision(agent_channel=asked, reason=f"按指定，{_title(asked)}是坐席。", confidence=1.0)
    return _by_what_is_said(utterances, channels)


def _in_one_channel(
    utterances: Sequence[Utterance], channels: Sequence[str], voices: Voices | None
) -> tuple[list[Utterance], SpeakerDecision]:
    """Utterances with their speakers, by the voices where there are two, by what is plain in the words where not."""
    if voices is None or not voices.two:
        heard = "" if voices is None else "按声音只听出一个人（或两人的声音太像），"
        why = f"单声道录音：{heard}只把话里有明显特征的句子归给坐席或客户，其余标为说话人未确定。"
        pieces = utterances if voices is None else _numbered(voices.sentences())
        return [replace(each, speaker=alone(each)) for each in pieces], SpeakerDecision(agent_channel=None, reason=why, confidence=0.0)
    by_voice = voices.turns()
    said = _by_what_is_said([replace(turn, channel=VOICES[chance >= 0.5]) for turn, chance in by_voice], VOICES)
    mine = [(turn, chance if said.agent_channel == VOICES[1] else 1 - chance) for turn, chance in by_voice]
    confidence = round(said.confidence * sum(max(chance, 1 - chance) for _, chance in mine) / len(mine), 3)
    if confidence < SURE_AGENT:
        why = f"单声道录音：按声音听出两个人，但拿不准哪一个是坐席，全部标为说话人未确定，待人工复核。{said.reason}"
        return _numbered([turn for turn, _ in mine]), SpeakerDecision(agent_channel=None, reason=why, confidence=confidence)
    spoken = _numbered([replace(turn, speaker=_whose(chance)) for turn, chance in mine])
    unsure = sum(turn.speaker is Speaker.UNSURE for turn in spoken)
    rest = f"另有 {unsure} 句听不准是谁说的，标为说话人未确定。" if unsure else ""
    why = f"单声道录音：按声音和轮流说话的次序分出两个人。{said.reason}{rest}"
    return spoken, SpeakerDecision(agent_channel=channels[0], reason=why, confidence=confidence)


def _whose(agent: float) -> Speaker:
    """By the probability that it is the agent."""
    if max(agent, 1 - agent) < SURE_TURN:
        return Speaker.UNSURE
    return Speaker.AGENT if agent > 0.5 else Speaker.CUSTOMER


def _numbered(turns: Sequence[Utterance]) -> list[Utterance]:
    return [replace(turn, id=f"u{number:04d}") for number, turn in enumerate(turns, 1)]


def _by_what_is_said(utterances: Sequence[Utterance], channels: Sequence[str]) -> SpeakerDecision:
    opener = min(utterances, key=lambda utterance: utterance.start).channel if utterances else None
    table: dict[str, list[tuple[str, float]]] = {}
    for channel in channels:
        table[channel] = _points([utterance for utterance in utterances if utterance.channel == channel])
        if channel == opener:
            table[channel].append(("最先开口", FIRST_TO_SPEAK))
    totals = {channel: sum(points for _, points in found) for channel, found in table.items()}
    best, second = sorted(totals, key=lambda channel: -totals[channel])[:2]
    cues = [name for name, points in sorted(table[best], key=lambda found: -found[1]) if points > 0][:3]
    said = f"（{'；'.join(cues)}）" if cues else "（没有明显特征）"
    reason = f"自动判断{_title(best)}是坐席{said}：得分 {totals[best]:.1f}，{_title(second)} {totals[second]:.1f}。"
    return SpeakerDecision(agent_channel=best, reason=reason, confidence=round(1 / (1 + exp(totals[second] - totals[best])), 3))


def _points(said: Sequence[Utterance]) -> list[tuple[str, float]]:
    """The cues found in one side's utterances, each with its points."""
    texts = [normalize(utterance.text).text for utterance in sorted(said, key=lambda utterance: utterance.start)]
    counts = [(cue, sum(bool(cue.pattern.search(text)) for text in (texts[: cue.first] if cue.first else texts))) for cue in CUES]
    return [(cue.name, cue.weight * min(count, cue.most)) for cue, count in counts if count]


def alone(utterance: Utterance) -> Speaker:
    """Whose utterance it is by its words alone, where they leave no doubt."""
    points = sum(points for _, points in _points([utterance]))
    if abs(points) < SURE_ALONE:
        return Speaker.UNSURE
    return Speaker.AGENT if points > 0 else Speaker.CUSTOMER


class Roles:
    """In which role the agent's side speaks, utterance by utterance in the order they were said: it changes only when one hands over and another
    introduces himself soon after. `now` is the role up to here."""

    def __init__(self, role: Role | None) -> None:
        self.now = role
        self._handed_over: float | None = None

    def of(self, utterance: Utterance) -> Role | None:
        """The role of the next utterance; None where it is not certain to be the agent's, and where nobody stated it."""
        if utterance.speaker is not Speaker.AGENT:
            return None
        text = normalize(utterance.text).text
        if self._handed_over is not None and utterance.start - self._handed_over <= HANDOVER_S and (new := _introduced(text)):
            self.now, self._handed_over = new, None
        elif HANDOVER.search(text):
            self._handed_over = utterance.end
        return self.now


def _introduced(text: str) -> Role | None:
    return next((role for role, pattern in INTRODUCTIONS if pattern.search(text)), None)


def _title(channel: str) -> str:
    return {"left": "左声道", "right": "右声道", "mono": "单声道"}.get(channel, channel if channel in VOICES else f"{channel} 声道")
