"""The geometry of the time line."""

from dataclasses import replace

import pytest

from phrasecheck.report.timeline import NEAR, PIN, timeline
from phrasecheck.report.view import hit_views
from phrasecheck.types import Hit, SpeakerDecision, Utterance
from tests.report.samples import call_result, checked, hit, lexicon, said, transcript


def test_two_channels_are_two_lanes_the_agents_first() -> None:
    result = call_result()
    line = timeline(result, ())
    assert line.lanes[0].label == ("客服（左声道）", "Agent (left channel)")
    assert line.lanes[1].label == ("客户（右声道）", "Customer (right channel)")
    assert [len(lane.bars) for lane in line.lanes] == [6, 2]
    other = replace(result.transcript, speakers=SpeakerDecision(agent_channel="right", reason="", confidence=1))
    assert timeline(replace(result, transcript=other), ()).lanes[0].label[0] == "客服（右声道）"
    nobody = replace(result.transcript, speakers=SpeakerDecision(agent_channel=None, reason="", confidence=0))
    assert timeline(replace(result, transcript=nobody), ()).lanes[0].label[0] == "左声道"


def test_one_channel_is_a_lane_a_speaker() -> None:
    result = call_result()
    line = timeline(replace(result, call=replace(result.call, channels=("mono",))), ())
    assert [(lane.label[0], len(lane.bars)) for lane in line.lanes] == [("客服", 5), ("客户", 2), ("说话人未确定", 1)]


def test_places_are_percents_of_the_recording() -> None:
    result = call_result(seconds=80)
    views = hit_views(result, lexicon())
    line = timeline(result, views)
    first = line.lanes[0].bars[0]
    assert (first.x, first.width) == (0.0, 6.25)
    assert [pin.x for pin in line.pins] == [pytest.approx(100 * view.start / 80, abs=0.001) for view in views]
    assert [(tick.label, tick.x) for tick in line.ticks[:3]] == [("00:00", 0.0), ("00:10", 12.5), ("00:20", 25.0)]


def test_pins_that_are_near_climb() -> None:
    talk: list[Utterance] = [said(n, "有意见告去。", start=100.0 + n) for n in range(4)]
    hits: tuple[Hit, ...] = tuple(hit(u, "9.1.10", "有意见告去") for u in talk)
    result = checked("c", "c.wav", 200, transcript(*talk), hits)
    line = timeline(result, hit_views(result, lexicon()))
    assert [pin.y for pin in line.pins] == [PIN * 2.5, PIN * 1.5, PIN * 0.5, PIN * 0.5]
    assert line.pins[1].x - line.pins[0].x < NEAR
    assert all(pin.y < line.lanes[0].y for pin in line.pins)
    assert line.lanes[-1].y < line.height


@pytest.mark.parametrize(("seconds", "step"), [(30, "00:05"), (113, "00:15"), (600, "02:00"), (7200, "15:00"), (90_000, "60:00")])
def test_ticks_are_few_and_round(seconds: float, step: str) -> None:
    assert timeline(call_result(seconds=seconds), ()).ticks[1].label in (step, "00:10")


def test_an_empty_call_and_one_longer_than_it_says() -> None:
    empty = checked("c", "c.wav", 0, transcript(), ())
    assert (timeline(empty, ()).seconds, len(timeline(empty, ()).lanes)) == (1.0, 2)
    late = checked("c", "c.wav", 3, transcript(said(1, "您好")), ())
    assert timeline(late, ()).seconds == 15.0
