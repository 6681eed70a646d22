"""A matcher without weights that follows a store's lexicon versions, and calls whose lines it judges.

In: settings and a store. Out: a CurrentMatcher whose encoder is a fake. The one decision: the shipped lexicon is the real one, so versions are what
users save; the exemplars are six lines.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from phrasecheck.current import CurrentMatcher
from phrasecheck.lexicon import Exemplar, Lexicon, load_lexicon
from phrasecheck.matching.matcher import Matcher, Parts
from phrasecheck.matching.reading import Encoder
from phrasecheck.matching.semantic import embed, neighbours, own_lines
from phrasecheck.pipeline import result
from phrasecheck.settings import Settings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.store import Store
from phrasecheck.types import Call, CallResult, Role, Speaker, SpeakerDecision, Transcript, Utterance
from tests.matching.fakes import WEIGHTS, FakeEncoder

KNOWN = tuple(load_lexicon().phrases)
RUDE = {"问谁去": "9.1.14", "告去": "9.1.10"}
EXEMPLARS = [
    Exemplar(text="你问我，我问谁去", phrase="9.1.14", spans=((0, 8),), kind="reworded", voice="t"),
    Exemplar(text="有意见，告去", phrase="9.1.10", spans=((0, 6),), kind="verbatim", voice="t"),
    Exemplar(text="您好，请问有什么可以帮您", phrase=None, kind="ordinary", voice="t"),
    Exemplar(text="我帮您查一下保单，请稍等", phrase=None, kind="ordinary", voice="t"),
    Exemplar(text="车牌号麻烦您报一下", phrase=None, kind="ordinary", voice="t"),
    Exemplar(text="您的代步车明天上午到", phrase=None, kind="ordinary", voice="t"),
]


def build(settings: Settings, lexicon: Lexicon | None, encoders: Sequence[Encoder] | None) -> Matcher:
    """As build.build_matcher, without weights."""
    lexicon = lexicon or load_lexicon(settings.lexicons)
    made = tuple(encoders) if encoders is not None else (FakeEncoder(RUDE, KNOWN),)
    lines = [*EXEMPLARS, *own_lines(lexicon, made[0].phrases)]
    near = neighbours(lexicon, lines, np.asarray(embed(made[0], lines)))
    return Matcher(Parts(lexicon=lexicon, encoders=made, neighbours=near, qualifiers=(), weights=WEIGHTS), settings.matching)


def current(settings: Settings, store: Store) -> CurrentMatcher:
    """It follows the store."""
    return CurrentMatcher(settings, store, build)


def transcript(*lines: str | tuple[Speaker, str], gap_s: float = 3.0) -> Transcript:
    """A call: plain lines are the agent's, four seconds each with `gap_s` between them."""
    said = [line if isinstance(line, tuple) else (Speaker.AGENT, line) for line in lines]
    spoken = [
        Utterance(id=f"u{i}", start=i * (4 + gap_s), end=i * (4 + gap_s) + 4, channel=speaker, text=text, speaker=speaker, role=Role.SURVEY)
        for i, (speaker, text) in enumerate(said)
    ]
    return Transcript(utterances=tuple(spoken), speakers=SpeakerDecision(agent_channel="agent", reason="试", confidence=1.0))


def judged(matcher: Matcher, settings: Settings, spoken: Transcript, call_id: str = "c") -> CallResult:
    """What this matcher makes of it."""
    call = Call(id=call_id, source=f"{call_id}.wav", sha256="0" * 64, seconds=60.0, role=Role.SURVEY, channels=("agent",))
    return result(call, spoken, matcher, settings, {"asr": "fake", **matcher.models})


def stored(store: Store, matcher: Matcher, settings: Settings, spoken: Transcript, **known: str) -> str:
    """The call with its result in the store; its id."""
    new = NewCall(source="call.wav", role=Role.SURVEY, **known)  # type: ignore[arg-type]
    row = store.calls.accept(BytesIO(b"RIFF" + spoken.utterances[0].text.encode()), new)
    claim = store.calls.claim()
    assert claim is not None
    store.results.finish(claim, judged(matcher, settings, spoken, row.id))
    return row.id
