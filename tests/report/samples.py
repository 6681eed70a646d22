"""A tiny lexicon and a small call by hand, for the tests of scoring and of the reports."""

from collections.abc import Mapping

from phrasecheck.lexicon import Lexicon, Phrase, Section
from phrasecheck.marks import parse_clauses
from phrasecheck.scoring import findings, score
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import (
    Call,
    CallResult,
    Hit,
    HitState,
    Match,
    Method,
    Provenance,
    Role,
    Severity,
    Speaker,
    SpeakerDecision,
    Transcript,
    Utterance,
    Word,
)

SECTIONS = {
    "9.1": Section(id="9.1", title="通用禁语", roles=tuple(Role)),
    "9.2": Section(id="9.2", title="销售服务禁语", roles=(Role.SALES,)),
}


def phrase(phrase_id: str, text: str, severity: Severity, *, fatal: bool = False) -> Phrase:
    """One lexicon entry; its section is the first two numbers of its id."""
    section = phrase_id.rpartition(".")[0]
    return Phrase(
        id=phrase_id,
        section=section,
        text=text,
        severity=severity,
        severity_reason="例",
        why=f"「{text}」伤人",
        instead="我马上帮您处理。",
        roles=SECTIONS[section].roles,
        clauses=tuple(parse_clauses(text)),
        fatal=fatal,
    )


def lexicon(phrases: Mapping[str, Phrase] | None = None) -> Lexicon:
    """Five phrases, one of them of the sales section and one fatal."""
    own = [
        phrase("9.1.08", "你想好了没有,快点。", Severity.MINOR),
        phrase("9.1.10", "有意见,告去。", Severity.SEVERE),
        phrase("9.1.13", "我就这态度,不满意到别处去。", Severity.SEVERE, fatal=True),
        phrase("9.1.14", "你问我,我问谁。", Severity.MAJOR),
        phrase("9.2.04", "要就要,不要就算了。", Severity.MAJOR),
    ]
    return Lexicon(
        id="sample", version="1", title="样例词库", sha256="a" * 64, sections=SECTIONS, phrases=phrases or {p.id: p for p in own}
    )


def said(
    number: int, text: str, speaker: Speaker = Speaker.AGENT, role: Role | None = Role.SURVEY, *, start: float | None = None
) -> Utterance:
    """Utterance `u<number>`: five seconds each from ten times its number on; a word a character, the last one heard badly."""
    begin = number * 10.0 if start is None else start
    step = 5.0 / max(len(text), 1)
    words = tuple(
        Word(text=c, start=round(begin + i * step, 3), end=round(begin + (i + 1) * step, 3), probability=0.2 if i == len(text) - 1 else 0.9)
        for i, c in enumerate(text)
    )
    channel = "right" if speaker is Speaker.CUSTOMER else "left"
    return Utterance(
        id=f"u{number}", start=begin, end=begin + 5, channel=channel, text=text, speaker=speaker, role=role, words=words, confidence=0.8
    )


def hit(utterance: Utterance, phrase_id: str, quote: str, *, state: HitState = HitState.HIT, timed: bool = True) -> Hit:
    """A hit on `quote` in the utterance, with its times by its characters."""
    start = utterance.text.index(quote)
    end = start + len(quote)
    match = Match(phrase_id=phrase_id, method=Method.EXACT, start=start, end=end, score=0.98, reason=f"与条款 {phrase_id} 字面一致")
    return Hit(
        utterance_id=utterance.id,
        phrase_id=phrase_id,
        score=0.9 if state is HitState.HIT else 0.3,
        state=state,
        start=start,
        end=end,
        quote=quote,
        methods=(Method.EXACT, Method.SEMANTIC),
        reason=f"「{quote}」与条款 {phrase_id} 字面一致",
        evidence=(match,),
        also=("9.1.14",),
        start_s=utterance.words[start].start if timed else None,
        end_s=utterance.words[end - 1].end if timed else None,
    )


def transcript(*utterances: Utterance) -> Transcript:
    """The utterances as a call whose agent is known to be on the left."""
    speakers = SpeakerDecision(agent_channel="left", reason="左声道先问候并自报工号", confidence=0.97)
    return Transcript(utterances=utterances, speakers=speakers)


def call_result(name: str = "call-1", source: str = "录音/call-1.wav", seconds: float = 80.0) -> CallResult:
    """A survey call: two hits, one repeat, one doubtful, one by an unsure speaker."""
    talk = (
        said(0, "您好，人寿财险查勘，请问您在哪里？"),
        said(1, "我在高架上，你们什么时候到啊？", Speaker.CUSTOMER, None),
        said(2, "你问我我问谁，有意见告去。"),
        said(3, "告去就告去，有意见告去。", start=26.0),
        said(4, "你这什么<b>态度</b>？", Speaker.CUSTOMER, None),
        said(5, "要就要不要就算了。"),
        said(6, "你快点想好了没有。"),
        said(7, "有意见告去。", Speaker.UNSURE, None),
    )
    hits = (
        hit(talk[2], "9.1.14", "你问我我问谁"),
        hit(talk[2], "9.1.10", "有意见告去"),
        hit(talk[3], "9.1.10", "有意见告去"),
        hit(talk[5], "9.2.04", "要就要不要就算了"),
        hit(talk[6], "9.1.08", "快点想好了没有", state=HitState.DOUBTFUL),
        hit(talk[7], "9.1.10", "有意见告去"),
    )
    return checked(name, source, seconds, transcript(*talk), hits)


def checked(name: str, source: str, seconds: float, spoken: Transcript, hits: tuple[Hit, ...]) -> CallResult:
    """A whole result, scored with the default settings."""
    settings = ScoreSettings()
    book = lexicon()
    call = Call(
        id=name,
        source=source,
        sha256="b" * 64,
        seconds=seconds,
        role=Role.SURVEY,
        channels=("left", "right"),
        agent="1024",
        metadata={"机构": "杭州"},
        warnings=("右声道音量偏低",),
    )
    provenance = Provenance(
        software="phrasecheck 0.1.0",
        lexicon=book.name,
        lexicon_sha256=book.sha256,
        models={"asr": "whisper-base", "encoder": "ours-1"},
        settings={"scoring": settings.model_dump(mode="json")},
    )
    cards = score(findings(hits, spoken, book, settings, Role.SURVEY), spoken, settings, Role.SURVEY)
    return CallResult(call=call, transcript=spoken, hits=hits, scorecards=cards, provenance=provenance)
