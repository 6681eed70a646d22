"""python -m bench.silence [MINUTES]: an hour in which nobody speaks, through the whole road of `phrasecheck check`.

One stereo telephone recording (8 kHz mu-law) a kind of sound (tests/nonspeech.py), the agent on the left. A row a kind: minutes over both channels, what
the VAD let through to the recogniser, utterances in the result, hits. Every utterance is an invention; the table ends with their texts.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.data import table
from phrasecheck.pipeline import Request, check_call, load_engines
from phrasecheck.settings import load_settings
from phrasecheck.transcribe import Heard, Progress, Recogniser
from phrasecheck.types import CallResult, HitState, Samples
from tests.nonspeech import KINDS, RATE, take
from tests.sounds import write

TAKES = 4  # a side and kind, one after the other: another tune, another loudness


class Counting:
    """A recogniser that remembers how much it was asked to hear."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.name = recogniser.name
        self._recogniser = recogniser
        self.clips = 0
        self.seconds = 0.0

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        """What the recogniser inside says."""
        self.clips += len(clips)
        self.seconds += sum(map(len, clips)) / 16_000
        return self._recogniser.recognise(clips, progress)


def counts(minutes: float, counting: Counting, result: CallResult) -> list[float]:
    """One line of the table, less its name."""
    hits = [sum(hit.state is state for hit in result.hits) for state in HitState]
    return [minutes, counting.clips, counting.seconds, len(result.transcript.utterances), *hits]


def main() -> None:
    """Print the table and whatever was invented."""
    minutes = float(sys.argv[1] if len(sys.argv) > 1 else 60) / len(KINDS)
    settings = load_settings()
    engines = load_engines(settings)
    found: dict[str, list[float]] = {}
    said = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            sides = np.stack(
                [np.concatenate([take(kind, minutes * 30 / TAKES, side * TAKES + number) for number in range(TAKES)]) for side in (0, 1)]
            )
            path = write(Path(folder) / "silence.wav", sides, RATE, "pcm_mulaw")
            counting = Counting(engines.recogniser)
            result = check_call(Request(path=path, agent_channel="left"), replace(engines, recogniser=counting), settings)
            found[kind] = counts(minutes, counting, result)
            said += [f"{kind}, {u.channel} {u.start:.1f} s, confidence {u.confidence:.2f}: {u.text}" for u in result.transcript.utterances]
    found["**all**"] = list(np.sum(list(found.values()), axis=0))
    head = ["kind", "minutes", "segments", "seconds let through", "utterances", "hits", "doubtful hits"]
    print(table(head, [[kind, *(f"{number:.3g}" for number in numbers)] for kind, numbers in found.items()]))
    print("\n" + "\n".join(said or ["No text was invented."]))


if __name__ == "__main__":
    main()
