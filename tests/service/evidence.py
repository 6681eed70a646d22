"""A checked call for the pages: the sample result over a recording that can be heard.

In: an office. Out: the id of a call that is done. The one decision: the sound is a tone each second of which is told apart by its pitch,
so silence and channels can be heard in a test.
"""

from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np

from phrasecheck.report.json import from_json, to_json
from phrasecheck.store.calls import NewCall
from phrasecheck.store.store import Store
from phrasecheck.types import CallResult, Role, Speaker
from tests.report.samples import call_result, checked, said, transcript
from tests.sounds import tone, wav

SECONDS, RATE = 80, 8000
PHONE = "13812345678"


@cache
def recording() -> bytes:
    """80 s, two channels: the agent's 440 Hz on the left, the customer's 220 Hz on the right."""
    return wav(np.stack([tone(SECONDS, hertz, RATE, 0.4) for hertz in (440, 220)]), RATE)


def sample() -> CallResult:
    """The sample call, in which the customer also says his number (10 to 15 s)."""
    made = call_result()
    number = said(1, f"我的电话是{PHONE}。", Speaker.CUSTOMER, None)
    talk = tuple(number if u.id == "u1" else u for u in made.transcript.utterances)
    made = checked("call-1", "call-1.wav", float(SECONDS), transcript(*talk), made.hits)
    return from_json(to_json(made))


def done(store: Store, result: CallResult | None = None, **known: Any) -> str:
    """The id of a call that is checked."""
    new = NewCall(source="2026-11-02 客户.wav", role=Role.SURVEY, agent="A1", team="一组")
    call = store.calls.accept(BytesIO(recording()), replace(new, **known))
    claim = store.calls.claim()
    assert claim is not None
    store.results.finish(claim, result or sample())
    return call.id
