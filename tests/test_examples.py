"""The shipped recording and its script: what `make demo` and the end-to-end tests rest upon."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from phrasecheck.audio import decode
from phrasecheck.lexicon import Lexicon, load_lexicon
from phrasecheck.normalize import normalize
from phrasecheck.settings import SpeechSettings
from phrasecheck.types import Role, Samples

EXAMPLES = Path(__file__).parents[1] / "examples"
RECORDING = EXAMPLES / "demo-call.flac"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((EXAMPLES / "demo-call.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def turns(script: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = script["turns"]
    return found


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return load_lexicon()


@pytest.fixture(scope="module")
def sides() -> dict[str, Samples]:
    return {channel.name: channel.samples[:] for channel in decode(RECORDING).channels}


def loudness(samples: Samples, turn: dict[str, Any]) -> float:
    """Mean power from the start to the end of a turn."""
    stretch = samples[round(turn["start"] * 16_000) : round(turn["end"] * 16_000)]
    return float((stretch**2).mean())


def test_a_two_minute_stereo_telephone_call_small_enough_to_ship() -> None:
    import av

    with av.open(str(RECORDING)) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.layout.name) == (8_000, "stereo")
        assert 100 <= (container.duration or 0) / av.time_base <= 140
    assert RECORDING.stat().st_size < 2_000_000


def test_the_script_speaks_of_phrases_that_exist(script: dict[str, Any], turns: list[dict[str, Any]], lexicon: Lexicon) -> None:
    named = {phrase for turn in turns for key in ("violations", "also", "near") for phrase in turn.get(key, [])}
    assert named <= set(lexicon.phrases)
    assert Role(script["role"]) is Role.CLAIMS_REPORT


def test_five_different_violations_two_of_them_word_for_word(turns: list[dict[str, Any]], lexicon: Lexicon) -> None:
    planted = [(turn, lexicon.phrases[phrase]) for turn in turns for phrase in turn.get("violations", [])]
    assert len(planted) == 5
    assert len({phrase.id for _, phrase in planted}) == 5
    verbatim = [phrase.id for turn, phrase in planted if normalize(turn["text"]).text == normalize(phrase.text).text]
    assert verbatim == ["9.4.05", "9.8.03"]


def test_near_misses_and_a_customer_who_uses_the_words(turns: list[dict[str, Any]], lexicon: Lexicon) -> None:
    assert sum("near" in turn for turn in turns) >= 4
    assert not [turn for turn in turns if turn["speaker"] == "customer" and turn.keys() & {"violations", "near"}]
    customer = "".join(normalize(turn["text"]).text for turn in turns if turn["speaker"] == "customer")
    assert normalize(lexicon.phrases["9.1.01"].text).text in customer


def test_turns_follow_one_another_with_one_overlap(turns: list[dict[str, Any]]) -> None:
    assert all(turn["start"] < turn["end"] for turn in turns)
    gaps = [late["start"] - early["end"] for early, late in pairwise(turns)]
    assert sum(gap < 0 for gap in gaps) == 1
    assert all(0.29 <= gap <= 1.01 for gap in gaps if gap >= 0)


def test_each_speaker_is_on_the_side_that_the_script_says(turns: list[dict[str, Any]], sides: dict[str, Samples]) -> None:
    for turn in turns:
        left, right = (loudness(sides[side], turn) for side in ("left", "right"))
        own, other = (left, right) if turn["speaker"] == "agent" else (right, left)
        assert own > 4 * other, turn["text"]  # where one breaks into the other's turn both are heard


def test_agent_left_customer_right_over_a_noisy_narrow_line(
    script: dict[str, Any], turns: list[dict[str, Any]], sides: dict[str, Samples]
) -> None:
    assert script["channels"] == {"left": "agent", "right": "customer"}
    minute = sides["left"][: 2**20]  # a length for which the Fourier transform is quick
    power = np.abs(np.fft.rfft(minute)) ** 2
    hertz = np.fft.rfftfreq(len(minute), 1 / 16_000)
    assert power[(hertz < 150) | (hertz > 3500)].sum() < 0.01 * power.sum()
    second = turns[1]  # the customer speaks, the agent's side carries the line's noise alone
    snr_db = 10 * np.log10(loudness(sides["right"], second) / loudness(sides["left"], second))
    assert 25 <= snr_db <= 31


@pytest.mark.model
def test_the_vad_hears_every_turn_of_both_sides(turns: list[dict[str, Any]], sides: dict[str, Samples]) -> None:
    from phrasecheck.engines.vad import FRAME, SileroVad

    vad, threshold = SileroVad(), SpeechSettings().threshold
    heard = {name: vad.probabilities(samples) > threshold for name, samples in sides.items()}
    for turn in turns:
        first, last = (round(turn[edge] * 16_000 / FRAME) for edge in ("start", "end"))
        assert heard["left" if turn["speaker"] == "agent" else "right"][first:last].mean() > 0.5, turn["text"]


def test_the_readme_says_how_to_make_it_again() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all((EXAMPLES / name).is_file() for name in re.findall(r"`(?:python examples/)?([\w-]+\.(?:flac|yaml|py))`", text))
    assert "make_demo_call.py" in text
