"""A made-up month whose figures are known beforehand: 600 calls, 20 agents in 5 teams, nine roles, every kind of judged hit.

In: nothing. Out: a Plan of what is planted, the CallResults that say so, and a store that holds them with their reviews. The one decision:
what is planted follows from the number of the call by the rules of `planted` alone, so tests can add the plan up by themselves in a few
plain lines, without a line of what they test.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO

from phrasecheck.lexicon import Lexicon, load_lexicon
from phrasecheck.scoring import findings, score
from phrasecheck.settings import ScoreSettings
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.calls import NewCall
from phrasecheck.store.states import CallState, Permission, RejectReason, ReviewState, Verb
from phrasecheck.store.store import Store
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, UserRow, UtteranceRow
from phrasecheck.types import Call, CallResult, Hit, HitState, Method, Provenance, Role, Speaker, SpeakerDecision, Transcript, Utterance

CALLS, AGENTS, TEAMS = 600, 20, 5
STATES = {
    "none": ReviewState.NEW,
    "confirm": ReviewState.CONFIRMED,
    "reject": ReviewState.REJECTED,
    "appeal": ReviewState.APPEALED,
    "upheld": ReviewState.UPHELD,
    "dismissed": ReviewState.DISMISSED,
}
ROLES = tuple(Role)
FIRST = datetime(2026, 10, 1, 1, tzinfo=UTC)  # nine in the morning in China
OWN = {  # a phrase of each role's own section (reception has none but the general one)
    Role.RECEPTION: "9.1.06",
    Role.SALES: "9.2.04",
    Role.UNDERWRITING: "9.3.05",
    Role.CLAIMS_REPORT: "9.4.03",
    Role.SURVEY: "9.5.10",
    Role.LOSS_ASSESSMENT: "9.6.03",
    Role.DOCUMENTS: "9.7.02",
    Role.COMPLAINTS: "9.8.02",
    Role.INTERNAL: "9.9.02",
}
COURTEOUS = "给您添麻烦了，我帮您查一下。"  # 致歉 and 主动帮忙
ASKED = "那我这个事情到底什么时候能办好啊？我的电话是13812345678。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One hit. `verdict`: none, confirm, reject, appeal, upheld, dismissed."""

    phrase: str
    at: float
    doubtful: bool = False
    verdict: str = "none"
    repeated: bool = False  # in one breath with the one before

    @property
    def counts(self) -> bool:
        """Whether it is a violation, by the rules of the house."""
        judged = self.verdict in ("confirm", "appeal", "dismissed")
        return not self.repeated and self.verdict not in ("reject", "upheld") and (judged or not self.doubtful)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One call of the month."""

    number: int
    agent: str
    team: str
    role: Role
    said_at: datetime
    plants: tuple[Plant, ...]
    courteous: bool

    @property
    def counted(self) -> list[Plant]:
        """The violations."""
        return [plant for plant in self.plants if plant.counts]


def planted(number: int, role: Role) -> Iterator[Plant]:
    """What is said in call `number`. Agent A20 says nothing wrong; A01 is caught often."""
    agent = number % AGENTS
    if agent == 19:
        return
    if number % 5 == 0:
        yield Plant(phrase=OWN[role], at=20, verdict="confirm" if number % 10 == 0 else "none")
    if number % 21 == 0:
        yield Plant(phrase="9.1.10", at=50, verdict="confirm")  # severe and fatal
    if number % 11 == 0:
        yield Plant(phrase="9.1.14", at=80, verdict="reject")
    if number % 13 == 0:
        yield Plant(phrase="9.1.01", at=110, doubtful=True)
    if number % 17 == 0:
        yield Plant(phrase="9.1.04", at=140, verdict="appeal")
    if number % 19 == 0:
        yield Plant(phrase="9.1.11", at=170, doubtful=True, verdict="confirm")
    if number % 23 == 0:
        yield Plant(phrase="9.1.03", at=200)
        yield Plant(phrase="9.1.03", at=206, repeated=True)
    if number % 29 == 0:
        yield Plant(phrase="9.1.09", at=240, verdict="upheld")
    if number % 31 == 0:
        yield Plant(phrase="9.1.16", at=270, verdict="dismissed")


@cache
def plan() -> tuple[Planned, ...]:
    """The month: agent `number % 20`, four agents a team, an agent's role by his number, every tenth call of reception."""
    return tuple(_planned(number) for number in range(CALLS))


def _planned(number: int) -> Planned:
    agent = number % AGENTS
    role = Role.RECEPTION if (number // AGENTS) % 10 == 9 else ROLES[agent % 9]
    return Planned(
        number=number,
        agent=f"A{agent + 1:02d}",
        team=f"{'甲乙丙丁戊'[agent // 4]}组",
        role=role,
        said_at=FIRST + timedelta(days=number % 31, minutes=number),
        plants=tuple(planted(number, role)),
        courteous=number % 3 == 0,
    )


@cache
def lexicon() -> Lexicon:
    """The shipped one."""
    return load_lexicon()


def quote(phrase: str) -> str:
    """How the made-up agents say a phrase: word for word."""
    return lexicon().phrases[phrase].spoken[0].rstrip("。？！?!.")


def result(call: Planned) -> CallResult:
    """The call as a checked one."""
    talk = list(_talk(call))
    by_time = {utterance.start: utterance for utterance in talk}
    hits = tuple(_hit(by_time[plant.at], plant) for plant in call.plants)
    spoken = Transcript(utterances=tuple(talk), speakers=SpeakerDecision(agent_channel="left", reason="左声道先问候", confidence=0.95))
    cards = score(findings(hits, spoken, lexicon(), ScoreSettings(), call.role), spoken, ScoreSettings(), call.role)
    local = call.said_at + timedelta(hours=8)
    return CallResult(
        call=Call(
            id=f"call-{call.number:03d}",
            source=f"call-{call.number:03d}.wav",
            sha256=f"{call.number:064x}",
            seconds=300.0,
            role=call.role,
            channels=("left", "right"),
            agent=call.agent,
            team=call.team,
            metadata={"time": f"{local:%Y-%m-%d %H:%M}"},
        ),
        transcript=spoken,
        hits=hits,
        scorecards=cards,
        provenance=Provenance(
            software="phrasecheck 0.1.0", lexicon=lexicon().name, lexicon_sha256=lexicon().sha256, models={"asr": "base"}, settings={}
        ),
    )


def _talk(call: Planned) -> Iterator[Utterance]:
    lines = [(0.0, Speaker.AGENT, "您好，这里是人寿财险，请讲。"), (8.0, Speaker.CUSTOMER, "我想问一下我的车险。")]
    for plant in call.plants:
        lines.append((plant.at - 4, Speaker.CUSTOMER, ASKED))
        lines.append((plant.at, Speaker.AGENT, f"这个嘛，{quote(plant.phrase)}，就这样。"))
    if call.courteous:
        lines.append((290.0, Speaker.AGENT, COURTEOUS))
    for number, (start, speaker, text) in enumerate(sorted(lines)):
        side = "left" if speaker is Speaker.AGENT else "right"
        yield Utterance(id=f"u{number}", start=start, end=start + 3.5, channel=side, text=text, speaker=speaker, role=call.role)


def _hit(utterance: Utterance, plant: Plant) -> Hit:
    said = quote(plant.phrase)
    start = utterance.text.index(said)
    return Hit(
        utterance_id=utterance.id,
        phrase_id=plant.phrase,
        score=0.4 if plant.doubtful else 0.9,
        state=HitState.DOUBTFUL if plant.doubtful else HitState.HIT,
        start=start,
        end=start + len(said),
        quote=said,
        methods=(Method.EXACT,),
        reason="与条款字面一致",
        start_s=plant.at,
        end_s=plant.at + 3,
    )


def pour(store: Store, calls: Sequence[Planned]) -> None:
    """The calls with their results and verdicts as rows, all at once: through the verbs it takes a minute."""
    with store.database.write() as session:
        for call in calls:
            session.add(_call_row(call))
        session.flush()
        for call in calls:
            made = result(call)
            row = ResultRow(call_id=made.call.id, version="1", current=True, lexicon=made.provenance.lexicon, body={}, made_at=call.said_at)
            row.points, row.seconds, row.unsure = made.scorecards[0].points, 300.0, False
            row.roles = " ".join(card.role for card in made.scorecards)
            session.add(row)
            session.flush()
            session.add_all(_hit_rows(call, made, row.id))
            session.add_all(
                UtteranceRow(call_id=made.call.id, utterance_id=u.id, speaker=u.speaker.value, start_s=u.start, text=u.text, pinyin="")
                for u in made.transcript.utterances
            )


def _call_row(call: Planned) -> CallRow:
    name = f"call-{call.number:03d}"
    row = CallRow(
        id=name, source=f"{name}.wav", sha256=f"{call.number:064x}", recording=name, role=call.role, agent=call.agent, team=call.team
    )
    row.said_at = row.uploaded_at = call.said_at
    row.state, row.extra = CallState.DONE, {}
    return row


def _hit_rows(call: Planned, made: CallResult, result_id: int) -> Iterator[HitRow]:
    for plant, hit in zip(call.plants, made.hits, strict=True):
        row = HitRow(call_id=made.call.id, result_id=result_id, utterance_id=hit.utterance_id, phrase_id=hit.phrase_id, quote=hit.quote)
        row.section, row.at_s, row.score, row.doubtful = hit.phrase_id[:3], hit.start_s, hit.score, plant.doubtful
        row.role, row.state = call.role, STATES[plant.verdict]
        yield row


def fill(store: Store, calls: Sequence[Planned]) -> None:
    """The calls with their results and verdicts, by the store's own verbs."""
    inspector, lead = person(store, "inspector", Permission.INSPECTOR), person(store, "lead", Permission.LEAD)
    agents = {name: person(store, f"agent-{name}", Permission.AGENT, name) for name in {call.agent for call in calls}}
    for call in calls:
        new = NewCall(source=f"call-{call.number:03d}.wav", role=call.role, agent=call.agent, team=call.team, said_at=call.said_at)
        store.calls.accept(BytesIO(b"RIFF%06d" % call.number), new)
        claim = store.calls.claim()
        assert claim is not None
        store.results.finish(claim, result(call))
        _judge(store, claim.call.id, call, inspector, lead, agents[call.agent])


def person(store: Store, name: str, permission: Permission, agent: str | None = None) -> UserRow:
    """An account."""
    return store.accounts.invite(NewUser(name=name, permission=permission, agent=agent), "test")[0]


def _judge(store: Store, call_id: str, call: Planned, inspector: UserRow, lead: UserRow, agent: UserRow) -> None:
    if not call.plants:
        return
    by_place = {(hit.phrase_id, hit.at_s): hit.id for hit in store.results.hits(call_id)}
    for plant in call.plants:
        hit = by_place[plant.phrase, plant.at]
        if plant.verdict in ("confirm", "reject"):
            reason = RejectReason.TONE if plant.verdict == "reject" else None
            store.reviews.add(hit, Verb(plant.verdict), inspector, reason=reason)
        elif plant.verdict in ("appeal", "upheld", "dismissed"):
            store.reviews.add(hit, Verb.APPEAL, agent, comment="请复核")
            if plant.verdict != "appeal":
                store.reviews.add(hit, Verb.UPHOLD if plant.verdict == "upheld" else Verb.DISMISS, lead)
