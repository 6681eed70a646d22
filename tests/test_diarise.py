"""Two voices in one channel, made of tones: the voice is the pitch."""

import itertools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phrasecheck.diarise import RARELY, SWITCH, Voices, chances, listen
from phrasecheck.types import Channel, Samples, Utterance, Word
from tests.sounds import noise, tone

RATE = 16_000
LOW, HIGH = 200.0, 400.0
Floats = npt.NDArray[np.float32]


class Pitch:
    """Hears the pitch of a clip, with the uncertainty of a short look, and a second thing that says nothing about the voice."""

    name = "pitch"

    def views(self, clips: Iterable[Samples]) -> tuple[Floats, Floats]:
        rng = np.random.default_rng(3)
        rows = []
        for clip in clips:
            crossings = np.count_nonzero(np.diff(np.signbit(clip))) / 2 / (len(clip) / RATE)
            rows.append(np.r_[np.log(max(crossings, 1.0) / 300), rng.normal(0, 0.1 / np.sqrt(len(clip) / RATE), 20)])
        views = np.array(rows, np.float32)
        return views, rng.normal(size=(len(views), 5)).astype(np.float32)


def call(*turns: tuple[str, float], gap: float = 0.5, words_off: float = 0.0) -> tuple[list[Utterance], Channel]:
    """One utterance that holds all the turns (text, pitch): four characters a second, a quarter of a second of silence behind a comma."""
    sound: list[Samples] = [np.zeros(round(gap * RATE), np.float32)]
    words: list[Word] = []
    at = gap
    for text, hertz in turns:
        for char in text:
            if char in "，。":
                words[-1] = Word(text=words[-1].text + char, start=words[-1].start, end=words[-1].end, probability=1.0)
                sound.append(np.zeros(round(0.25 * RATE), np.float32))
                at += 0.25
            else:
                words.append(Word(text=char, start=at + words_off, end=at + 0.25 + words_off, probability=1.0))
                sound.append(tone(0.25, hertz, RATE))
                at += 0.25
        sound.append(np.zeros(round(gap * RATE), np.float32))
        at += gap
    samples = np.concatenate(sound) + noise(1.0, RATE, 1e-4)[0]
    whole = Utterance(id="u0001", start=0.0, end=at, channel="mono", text="".join(word.text for word in words), words=tuple(words))
    return [whole], Channel(name="mono", samples=samples.astype(np.float32))


TALK = [
    ("您好请问有什么可以帮您，请讲。", LOW),
    ("我的车昨天晚上给人家撞了，", HIGH),
    ("您先别着急人没事吧。", LOW),
    ("没事。", HIGH),
    ("那就好麻烦您报一下车牌，", LOW),
    ("等一下我看看行驶证在哪里，好像在车上。", HIGH),
    ("不着急，您慢慢找。", LOW),
    ("找到了，号码是五八三。", HIGH),
    ("记下了，查勘员一刻钟以后到，请您保持电话畅通。", LOW),
    ("好的，谢谢，再见。", HIGH),
]


def test_every_turn_is_its_speakers() -> None:
    utterances, channel = call(*TALK)
    voices = listen(utterances, channel, Pitch())
    assert voices.two
    turns = voices.turns()
    assert [turn.text for turn, _ in turns] == [text for text, _ in TALK]
    assert [chance > 0.9 for _, chance in turns] == [hertz == HIGH for _, hertz in TALK]  # who begins is the first voice
    assert all("".join(word.text for word in turn.words) == turn.text for turn, _ in turns)


def test_turns_share_the_pause_between_them() -> None:
    utterances, channel = call(*TALK, gap=0.6)
    turns = [turn for turn, _ in listen(utterances, channel, Pitch()).turns()]
    assert turns[0].start == utterances[0].start
    assert turns[-1].end == utterances[-1].end
    for early, late in itertools.pairwise(turns):
        assert early.end == late.start
        assert early.words[-1].end < early.end < late.words[0].start


@pytest.mark.parametrize("off", [-0.1, 0.1])
def test_word_times_may_be_somewhat_wrong(off: float) -> None:
    utterances, channel = call(*[(text.strip("，。"), hertz) for text, hertz in TALK], words_off=off)
    turns = [turn for turn, _ in listen(utterances, channel, Pitch()).turns()]
    assert [turn.text for turn in turns] == [text.strip("，。") for text, _ in TALK]


def test_a_part_of_what_was_said_has_no_other_hearings() -> None:
    """They are of the whole, and may hold the other's words."""
    (whole,), channel = call(*TALK)
    cut = listen([replace(whole, alternatives=("您好，你们怎么不早说",))], channel, Pitch())
    assert not any(turn.alternatives for turn in [*(turn for turn, _ in cut.turns()), *cut.sentences()])
    (short,), channel = call(("您好请讲", LOW))
    ((alone, _),) = listen([replace(short, alternatives=("您好请进",))], channel, Pitch()).turns()
    assert alone.alternatives == ("您好请进",)


def test_one_person_is_not_two() -> None:
    voices = listen(*call(*[(text, LOW) for text, _ in TALK]), Pitch())
    assert not voices.two
    assert "".join(each.text for each in voices.sentences()) == "".join(text for text, _ in TALK)
    assert len(voices.sentences()) == len(TALK)  # cut where it is somebody else's turn, if there were somebody else


def test_little_speech_says_nothing() -> None:
    voices = listen(*call(("您好。", LOW), ("喂。", HIGH)), Pitch())
    assert voices.apart == 0.0
    assert not voices.two
    assert listen([], Channel(name="mono", samples=np.zeros(0, np.float32)), Pitch()) == Voices(stretches=(), odds=(), apart=0.0)


def test_without_words_an_utterance_stays_whole() -> None:
    lines = [
        Utterance(id=f"u{i}", start=3.0 * i, end=3.0 * i + 3, channel="mono", text="嗯" * i) for i in range(10)
    ]  # a recogniser that gives no times
    sound = np.concatenate([tone(3, LOW if i % 2 else HIGH, RATE) for i in range(10)])
    voices = listen(lines, Channel(name="mono", samples=sound), Pitch())
    assert [turn.text for turn, _ in voices.turns()] == [line.text for line in lines]
    assert [chance > 0.5 for _, chance in voices.turns()] == [bool(i % 2) for i in range(10)]


@pytest.mark.parametrize("sound", [np.zeros(30 * RATE, np.float32), noise(30, RATE), tone(30, LOW, RATE)])
def test_sound_without_voices_is_no_trouble(sound: Samples) -> None:
    words = tuple(Word(text="字，", start=float(i), end=i + 1.0, probability=0.5) for i in range(30))
    line = Utterance(id="u0001", start=0.0, end=30.0, channel="mono", text="字，" * 30, words=words)
    voices = listen([line], Channel(name="mono", samples=sound), Pitch())
    assert "".join(turn.text for turn, _ in voices.turns()) == line.text


def test_a_stretch_that_says_little_goes_with_its_neighbours() -> None:
    sure, unsure = 5.0, 0.0
    assert (chances([sure, unsure, sure], [RARELY] * 3) > 0.9).all()
    assert (chances([-sure, unsure, -sure], [RARELY] * 3) < 0.1).all()
    assert chances([-sure, unsure, sure], [SWITCH] * 3)[1] == pytest.approx(0.5)
    assert chances([-sure, 2.0, -sure], [RARELY] * 3)[1] < 0.5 < chances([-sure, 2.0, -sure], [0.5] * 3)[1]


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(0.01, 0.5)), min_size=1, max_size=30))
def test_chances_are_probabilities_and_the_voices_may_change_names(steps: list[tuple[float, float]]) -> None:
    odds, switches = np.array(steps).T
    second = chances(odds, switches)
    assert ((second >= 0) & (second <= 1)).all()
    assert np.allclose(second, 1 - chances(-odds, switches))
