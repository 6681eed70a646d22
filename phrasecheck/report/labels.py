"""What things are called for the people who read a report: one table, Chinese first, English beside it.

In: the value of one of our enums, or the key of a label. Out: its name. Nothing else in the reports spells a label.
"""

from collections.abc import Mapping

from phrasecheck.types import HitState, Method, Role, Severity, Speaker

Pair = tuple[str, str]  # Chinese, English

ENUMS: Mapping[str, Pair] = {
    Role.RECEPTION: ("前台接待", "Reception"),
    Role.SALES: ("销售", "Sales"),
    Role.UNDERWRITING: ("承保", "Underwriting"),
    Role.CLAIMS_REPORT: ("接报案", "Claims report"),
    Role.SURVEY: ("查勘", "Survey"),
    Role.LOSS_ASSESSMENT: ("定损", "Loss assessment"),
    Role.DOCUMENTS: ("单证收集", "Documents"),
    Role.COMPLAINTS: ("投诉处理", "Complaints"),
    Role.INTERNAL: ("内部服务", "Internal service"),
    Speaker.AGENT: ("客服", "Agent"),
    Speaker.CUSTOMER: ("客户", "Customer"),
    Speaker.UNSURE: ("说话人未确定", "Speaker unsure"),
    Severity.MINOR: ("一般", "Minor"),
    Severity.MAJOR: ("较重", "Major"),
    Severity.SEVERE: ("严重", "Severe"),
    Method.EXACT: ("字面一致", "Same wording"),
    Method.FUZZY: ("字面相近", "Similar wording"),
    Method.PHONETIC: ("读音相近", "Similar sound"),
    Method.SEMANTIC: ("意思相近", "Similar meaning"),
    Method.ACOUSTIC: ("声音核对", "Checked by sound"),
    HitState.HIT: ("命中", "Hit"),
    HitState.DOUBTFUL: ("存疑", "Doubtful"),
}

CHANNELS: Mapping[str, Pair] = {"left": ("左声道", "Left channel"), "right": ("右声道", "Right channel"), "mono": ("单声道", "Mono")}

PAGE: Mapping[str, Pair] = {
    "title": ("服务禁语检查报告", "Forbidden phrase report"),
    "length": ("时长", "Length"),
    "call_role": ("岗位", "Role"),
    "agent_name": ("坐席", "Agent"),
    "team": ("班组", "Team"),
    "agent_channel": ("客服声道", "Agent's channel"),
    "certainty": ("把握", "certainty"),
    "not_decided": ("未能确定", "not decided"),
    "lexicon": ("词库", "Lexicon"),
    "models": ("模型", "Models"),
    "software": ("软件", "Software"),
    "recording": ("录音指纹", "Recording (SHA-256)"),
    "warnings": ("注意", "Note"),
    "points": ("分", "points"),
    "failed": ("一票否决", "Failed: fatal phrase"),
    "utterances": ("句", "utterances"),
    "spoken": ("讲话", "spoken"),
    "hits_counted": ("处扣分", "counted"),
    "hits_uncounted": ("处未计分", "not counted"),
    "no_card": ("没有一句话能确定是客服说的，所以没有计分。", "Nobody is known to be the agent, so there are no points."),
    "timeline": ("时间线", "Time line"),
    "space": ("空格", "Space"),
    "keys": ("播放 / 暂停", "play / pause"),
    "keys_hits": ("下一处 / 上一处", "next / previous hit"),
    "found": ("命中与存疑", "Hits and doubtful"),
    "none_found": ("没有发现禁语。", "No forbidden phrase was found."),
    "conversation": ("对话", "Conversation"),
    "no_speech": ("没有听到讲话。", "No speech was heard."),
    "clause": ("条款原文", "Clause"),
    "not_in_lexicon": ("所用词库里没有这一条", "not in the lexicon given"),
    "why": ("为什么不能说", "Why not"),
    "instead": ("可以这样说", "Say instead"),
    "reason": ("判断依据", "Reason"),
    "methods": ("方法", "Methods"),
    "scoring": ("计分", "Scoring"),
    "also": ("也像", "Also like"),
    "score": ("可能性", "probability"),
    "other_section": ("非本岗位条款", "other role's clause"),
    "not_counted": ("不计分", "Not counted"),
    "evidence": ("逐项证据", "Evidence"),
    "play": ("播放这一段", "Play this stretch"),
    "download": ("下载片段", "Download clip"),
    "in_context": ("看上下文", "In context"),
    "doubt": ("可能不是原话", "perhaps never said"),
    "low_words": ("浅色字：识别把握低", "Lighter words: heard with little certainty"),
    "no_audio": ("本报告未附录音。", "This report carries no audio."),
    "only_clips": ("录音较长，只附了各处片段。", "A long recording: only the clips are embedded."),
}

WORDS: Mapping[str, Pair] = {**ENUMS, **PAGE}


def pair(key: str) -> Pair:
    """Both names of a label or of an enum's value. Raises KeyError for what has none, so that a slip in a template shows in a test."""
    return WORDS[key]


def chinese(key: str) -> str:
    """The Chinese name of a label or of an enum's value."""
    return pair(key)[0]


def channel(name: str) -> Pair:
    """Both names of a channel; one beyond the second goes by its number, any other by its own name."""
    if name in CHANNELS:
        return CHANNELS[name]
    if name.startswith("ch") and name[2:].isdigit():
        return f"第 {name[2:]} 声道", f"Channel {name[2:]}"
    return name, name


def clock(seconds: float | None) -> str:
    """Seconds as mm:ss (minutes go on past 59); an em dash where no time is known."""
    if seconds is None:
        return "—"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def amount(value: float) -> str:
    """Points without needless zeros: 97.5, 80."""
    return f"{round(value, 2):g}"


def percent(value: float) -> str:
    """A probability as whole percents."""
    return f"{value:.0%}"
