"""The sound of the moments that an agent's report shows.

In: the moments, and a way to open a call's recording. Out: data URIs by moment. The one decision: only an agent's own report carries sound:
a voice is a name, and the other reports name nobody.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from phrasecheck.audio import RATE, decode
from phrasecheck.errors import AudioError, NotFoundError
from phrasecheck.feedback.reports import AgentReport, Shown
from phrasecheck.report.clips import MARGIN_S, data_uri, mixed
from phrasecheck.settings import AudioSettings

SPOKEN_S = 6.0  # from where a hit begins; how long it was is not kept beside the call

Opened = Callable[[str], AbstractContextManager[Path]]


def clips(report: AgentReport, opened: Opened, settings: AudioSettings, number: int) -> dict[str, str]:
    """Of the first `number` moments; a call whose recording is gone has none."""
    wanted = [shown for block in report.phrases for shown in block.shown if shown.costly.moment.at_s is not None][:number]
    by_call: dict[str, list[Shown]] = {}
    for shown in wanted:
        by_call.setdefault(shown.costly.call.id, []).append(shown)
    made: dict[str, str] = {}
    for call_id, own in by_call.items():
        try:
            with opened(call_id) as path:
                made |= _of_call(path, own, settings)
        except (NotFoundError, AudioError):
            continue
    return made


def _of_call(path: Path, own: list[Shown], settings: AudioSettings) -> dict[str, str]:
    call = mixed(decode(path, settings))
    made = {}
    for shown in own:
        start = max((shown.costly.moment.at_s or 0.0) - MARGIN_S, 0.0)
        stretch = call[int(start * RATE) : int((start + MARGIN_S + SPOKEN_S) * RATE)]
        if len(stretch):
            made[shown.costly.moment.key] = data_uri([stretch])
    return made
