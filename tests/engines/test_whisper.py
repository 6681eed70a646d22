"""Times and text of words, the choice between two attempts, and the real model on what is speech and what is not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rapidfuzz.distance import Levenshtein

from phrasecheck.audio import decode
from phrasecheck.engines import whisper
from phrasecheck.engines.hearing import DOUBTED
from phrasecheck.engines.hotwords import Prompt
from phrasecheck.engines.registry import resolve
from phrasecheck.engines.vad import SileroVad
from phrasecheck.engines.whisper import Whisper
from phrasecheck.errors import ModelError
from phrasecheck.normalize import normalize
from phrasecheck.settings import AsrSettings, Settings
from phrasecheck.transcribe import Heard, transcribe
from phrasecheck.types import Samples, Utterance
from tests.engines.test_vad import DEMO, dtmf, ring_back
from tests.sounds import noise, tone


def test_a_token_begins_where_the_path_first_reaches_it() -> None:
    path = [(0, 0), (0, 5), (1, 6), (1, 9), (3, 20), (4, 30)]  # token 2 was skipped, the end is token 4
    assert whisper._begins(path, 4) == pytest.approx([0.0, 0.12, 0.12, 0.4, 0.6])
    assert whisper._begins([], 2) == [0.0, 0.0, 0.0]


def test_windows_are_whole_seconds_with_about_as_much_silence_as_is_set() -> None:
    assert [whisper._whole_seconds(clip, 3.0) for clip in (0.3, 0.5, 0.6, 2.0, 2.4, 2.6)] == [3, 4, 4, 5, 5, 6]
    assert [whisper._whole_seconds(clip, 1.0) for clip in (2.0, 2.1, 2.9)] == [3, 4, 4]  # never less than a second


def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="CTranslate2"):
        Whisper(tmp_path, AsrSettings())


# --- with the real weights -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    return Whisper(resolve("base", Settings().cache_dir), AsrSettings())


@pytest.fixture(scope="module")
def call(base: Whisper) -> list[Utterance]:
    if not DEMO.exists():
        pytest.skip("needs the shipped recording")
    return transcribe(decode(DEMO), SileroVad(), base, Settings())


NOT_SPEECH: dict[str, Samples] = {
    "silence": np.zeros(16_000 * 5, np.float32),
    "a moment of silence": np.zeros(8_000, np.float32),
    "line noise": noise(8, loudness=0.005),
    "loud noise": noise(20, loudness=0.1),
    "tone": tone(3),
    "mains hum": tone(3, 50) + noise(3, loudness=0.003),
    "ring-back": ring_back()[: 16_000 * 15],
    "keys": dtmf(),
}


@pytest.mark.model
@pytest.mark.parametrize("name", list(NOT_SPEECH))
def test_no_text_is_invented_even_without_a_vad(base: Whisper, name: str) -> None:
    (heard,) = base.recognise([NOT_SPEECH[name]])
    assert heard == Heard(text="", no_speech=heard.no_speech)
    assert heard.no_speech > 0.5


@pytest.mark.model
def test_no_clips_and_a_clip_that_is_too_long(base: Whisper) -> None:
    assert base.recognise([]) == []
    with pytest.raises(ValueError, match="31"):
        base.recognise([tone(31)])


@pytest.mark.model
def test_progress_counts_the_speech_done(base: Whisper) -> None:
    told: list[tuple[float, float]] = []
    base.recognise([noise(1.0)] * 3 + [noise(2.0)] * 9, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (21.0, 21.0)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


class Scripted(Whisper):
    """The real tokenizer, but what is decoded is told: one list of takes an attempt."""

    def __init__(self, base: Whisper, *attempts: Sequence[tuple[str, float]], no_speech: float = 0.1) -> None:
        self.__dict__.update(base.__dict__)
        self.attempts = list(attempts)
        self.no_speech = no_speech
        self.prompts: list[Prompt | None] = []

    def _decode(self, encoded: Any, clips: list[Samples], led_by: Prompt | None, **options: Any) -> list[Any]:
        self.prompts.append(led_by)
        return [
            whisper._Take(tokens=self._tokenizer.encode(text), prompt=led_by, logprob=logprob, no_speech=self.no_speech)
            for text, logprob in self.attempts.pop(0)
        ]


@pytest.mark.model
def test_an_echo_of_the_prompt_is_heard_again_without_it(base: Whisper) -> None:
    scripted = Scripted(base, [(base._prompt.text, -0.1), ("您好请讲", -0.3)], [("好的再见", -0.8)])
    heard = scripted.recognise([tone(5), tone(2)])
    assert [h.text for h in heard] == ["好的再见", "您好请讲"]
    assert scripted.prompts == [base._prompt, None]
    assert heard[0].doubt is None


@pytest.mark.model
def test_a_hot_word_that_was_said_is_kept(base: Whisper) -> None:
    scripted = Scripted(base, [("定损单、理赔款。", -0.3), ("交强险。", -0.3)], [("定孙单李赔款", -0.2), ("啊啊啊", -0.2)])
    said, unsaid = scripted.recognise([tone(5), tone(2)])
    assert (said.text, said.doubt) == ("定损单、理赔款。", None)
    assert unsaid.text == "啊啊啊"


@pytest.mark.model
def test_what_still_runs_away_is_kept_but_not_trusted(base: Whisper) -> None:
    (heard,) = Scripted(base, [("好的" * 12, -0.1)], [("好的" * 11, -0.2)]).recognise([tone(4)])
    assert heard.text == "好的" * 12
    assert heard.doubt is not None
    assert heard.confidence <= DOUBTED


@pytest.mark.model
@pytest.mark.parametrize(("again", "heard"), [("嗚嗚", ""), ("您好請講", "您好请讲")])
def test_where_perhaps_nobody_spoke_the_same_words_must_come_twice(base: Whisper, again: str, heard: str) -> None:
    scripted = Scripted(base, [("您好请讲", -0.5)], [(again, -0.6)], no_speech=0.9)
    assert [h.text for h in scripted.recognise([tone(2)])] == [heard]


@pytest.mark.model
def test_other_beams_are_told_where_they_say_something_else(base: Whisper) -> None:
    others = ["您好请讲。", "您好請講話", "您好请讲话", "", "您好请进"]
    take = whisper._Take(
        tokens=base._tokenizer.encode("您好请讲"),
        prompt=None,
        logprob=-0.3,
        no_speech=0.1,
        others=[base._tokenizer.encode(o) for o in others],
    )
    assert base._alternatives("您好请讲", take) == ("您好请讲话", "您好请进")


@pytest.mark.model
def test_an_invention_is_dropped(base: Whisper) -> None:
    (heard,) = Scripted(base, [("字幕由Amara.org社區提供", -0.2)]).recognise([tone(4)])
    assert heard.text == ""


@pytest.mark.model
def test_each_side_of_the_shipped_call_is_heard(call: list[Utterance]) -> None:
    script = yaml.safe_load((DEMO.parent / "demo-call.yaml").read_text(encoding="utf-8"))
    for channel, speaker in script["channels"].items():
        spoken = normalize("".join(turn["text"] for turn in script["turns"] if turn["speaker"] == speaker)).text
        heard = normalize("".join(utterance.text for utterance in call if utterance.channel == channel)).text
        assert Levenshtein.distance(heard, spoken) / len(spoken) < 0.35  # characters wrong; measured: docs/architecture.md


@pytest.mark.model
def test_words_join_to_the_text_and_their_times_run_forward(call: list[Utterance]) -> None:
    for utterance in call:
        assert "".join(word.text for word in utterance.words) == utterance.text
        times = [time for word in utterance.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert utterance.start <= times[0] and times[-1] <= utterance.end
        assert all(0 <= word.probability <= 1 for word in utterance.words)
        assert 0 < utterance.confidence <= 1


@pytest.mark.model
def test_a_clip_sounds_the_same_alone_and_in_company(base: Whisper) -> None:
    """The window of a batch is that of its longest clip; what the others say must hardly change."""
    if not DEMO.exists():
        pytest.skip("needs the shipped recording")
    left = decode(DEMO).channels[0].samples
    clip = left[int(0.5 * 16_000) : int(6.9 * 16_000)]
    alone, company = base.recognise([clip])[0], base.recognise([clip, noise(12.0)])[0]
    assert Levenshtein.normalized_similarity(alone.text, company.text) > 0.8
