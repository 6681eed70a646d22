"""Clips come back in their order, words joined and timed."""

from threading import Barrier
from typing import Any

import numpy as np
import pytest

from phrasecheck.engines import hearing
from phrasecheck.engines.hearing import audible, in_batches, tidy
from phrasecheck.settings import AsrSettings
from phrasecheck.transcribe import Heard
from phrasecheck.types import Samples, Word

GB = 1_000_000_000


def words(*texts: str) -> list[Word]:
    return [Word(text=text, start=float(at), end=at + 1.0, probability=0.5) for at, text in enumerate(texts)]


def test_words_are_simplified_and_keep_their_times() -> None:
    tidied = tidy(words(" 您", "好", "，", "請", "問", "？", " "))
    assert [word.text for word in tidied] == ["您", "好，", "请", "问？"]
    assert [word.start for word in tidied] == [0.0, 1.0, 3.0, 4.0]


def test_broken_bytes_and_blanks_leave_no_words() -> None:
    assert tidy(words("", " ", "")) == []
    assert [word.text for word in tidy(words("。", "好"))] == ["。", "好"]


@pytest.mark.parametrize(
    ("asked", "cores", "free", "size"),
    [
        ({"batch_size": 5}, 64, 0, 5),  # as set, whatever the machine
        ({}, 2, None, 4),
        ({}, 64, 64 * GB, 3),  # sixty-four batches at once share what is free
        ({"threads": 1}, 64, GB, 3),
        ({}, 2, GB, 1),
        ({}, 2, 0, 1),
        ({"device": "cuda"}, 2, None, 32),
    ],
)
def test_batches_fit_the_machine(monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], cores: int, free: int | None, size: int) -> None:
    monkeypatch.setattr(hearing, "cores", lambda: cores)
    monkeypatch.setattr(hearing, "free_memory", lambda: free)
    monkeypatch.setattr(hearing, "CLIP_SHARE", 1.0)
    assert hearing.batch_size(AsrSettings(**asked), weights=150_000_000) == size


def test_clips_of_like_length_go_together_and_come_back_in_order() -> None:
    batches: list[list[int]] = []
    told: list[tuple[float, float]] = []

    def hear(clips: list[Samples]) -> list[Heard]:
        batches.append([len(clip) // 16_000 for clip in clips])
        return [Heard(text=str(len(clip) // 16_000)) for clip in clips]

    clips = [np.zeros(seconds * 16_000, np.float32) for seconds in (2, 9, 1, 8, 3)]
    heard = in_batches(clips, 2, hear, lambda done, total: told.append((done, total)))
    assert [each.text for each in heard] == ["2", "9", "1", "8", "3"]
    assert batches == [[9, 8], [3, 2], [1]]
    assert told == [(17.0, 23.0), (22.0, 23.0), (23.0, 23.0)]
    assert in_batches([], 2, hear, None) == []


def test_batches_heard_at_once_come_back_in_order_too() -> None:
    together = Barrier(2, timeout=10)

    def hear(clips: list[Samples]) -> list[Heard]:
        together.wait()  # breaks unless two batches are heard at the same time
        return [Heard(text=str(len(clip))) for clip in clips]

    heard = in_batches([np.zeros(size, np.float32) for size in (2, 9, 1, 8)], 1, hear, None, at_once=2)
    assert [each.text for each in heard] == ["2", "9", "1", "8"]


@pytest.mark.parametrize(("asked", "at_once"), [({}, 6), ({"threads": 3}, 3), ({"device": "cuda"}, 1)])
def test_every_processor_hears_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], at_once: int) -> None:
    monkeypatch.setattr(hearing, "cores", lambda: 6)
    assert hearing.workers(AsrSettings(**asked)) == at_once


@pytest.mark.parametrize(("peak", "heard"), [(0.0, False), (0.0005, False), (0.002, True)])
def test_only_what_can_be_heard_is_audible(peak: float, heard: bool) -> None:
    assert audible(np.full(100, peak, np.float32)) is heard
    assert not audible(np.zeros(0, np.float32))
