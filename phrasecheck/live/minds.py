"""What hears calls in progress, loaded once for all lines.

In: Settings. Out: Ears. The one decision: it is a recogniser of its own, so that a company may give it
fewer beams or less padding than `check` has, or a thread count that leaves the rest of the machine alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phrasecheck.live.segmenter import Hearing
from phrasecheck.matching.acoustic import Listener
from phrasecheck.settings import Settings

if TYPE_CHECKING:
    from phrasecheck.transcribe import Recogniser


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """A recogniser, and ears for speech."""

    recogniser: "Recogniser"
    hearing: Callable[[], Hearing]
    at_once: int = 1  # batches that the recogniser hears at the same time

    @property
    def listener(self) -> Listener | None:
        """The recogniser, if it can be asked about a text."""
        return self.recogniser if isinstance(self.recogniser, Listener) else None


def load_ears(settings: Settings) -> Ears:
    """Raises ModelError, InputError."""
    from phrasecheck.engines.hearing import workers
    from phrasecheck.engines.registry import load_recogniser
    from phrasecheck.engines.vad import SileroVad

    live = settings.live
    asr = settings.asr.model_copy(update={"beam_size": live.beam_size, "window_pad_s": live.window_pad_s, "batch_size": 16})
    recogniser = load_recogniser(settings.model_copy(update={"asr": asr}))
    return Ears(recogniser=recogniser, hearing=SileroVad().stream, at_once=workers(asr))
