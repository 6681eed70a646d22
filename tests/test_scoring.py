"""Points by hand: every rule of docs/scoring.md as a case."""

from dataclasses import replace
from pathlib import Path

import pytest

from phrasecheck.errors import InputError
from phrasecheck.scoring import CLEARED, CUSTOMER, DOUBTFUL, REPEATED, UNSURE, findings, judged, score
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import Finding, Hit, HitState, Role, Scorecard, Severity, Speaker, Utterance
from tests.report.samples import call_result, hit, lexicon, said, transcript

DEFAULTS = ScoreSettings()
RUDE = "有意见告去。"


def cards(talk: list[Utterance], hits: list[Hit], settings: ScoreSettings = DEFAULTS, role: Role = Role.SURVEY) -> tuple[Scorecard, ...]:
    spoken = transcript(*talk)
    return score(findings(hits, spoken, lexicon(), settings, role), spoken, settings, role)


def rude(*starts: float) -> tuple[list[Utterance], list[Hit]]:
    """The same severe phrase at each of these seconds."""
    talk = [said(n, RUDE, start=start) for n, start in enumerate(starts)]
    return talk, [hit(utterance, "9.1.10", "有意见告去") for utterance in talk]


def test_the_example_of_the_docs() -> None:
    talk = [said(1, RUDE), said(2, RUDE, start=18.0), said(3, "要就要不要就算了。"), said(4, "你快点想好了没有。")]
    hits = [
        hit(talk[0], "9.1.10", "有意见告去"),
        hit(talk[1], "9.1.10", "有意见告去"),
        hit(talk[2], "9.2.04", "要就要不要就算了"),
        hit(talk[3], "9.1.08", "快点想好了没有", state=HitState.DOUBTFUL),
    ]
    (card,) = cards(talk, hits)
    assert card.points == 70
    assert card.explanation.startswith("100 − 20（9.1.10 严重）− 10（9.2.04 较重，非本岗位条款）= 70")
    assert card.explanation in Path("docs/scoring.md").read_text(encoding="utf-8")


def test_a_clean_call_keeps_all_points() -> None:
    (card,) = cards([said(0, "您好。"), said(1, "请问？", Speaker.CUSTOMER)], [])
    assert (card.points, card.explanation, card.failed, card.utterances, card.seconds) == (100, "没有扣分，得 100 分", False, 1, 5.0)


@pytest.mark.parametrize(
    ("starts", "counted"),
    [
        ((0.0, 10.0), [True, False]),  # the window's edge still is one breath
        ((0.0, 10.1), [True, True]),
        ((0.0, 8.0, 16.0), [True, False, True]),  # measured from the one that counted: no free ride
    ],
)
def test_one_breath_by_time(starts: tuple[float, ...], counted: list[bool]) -> None:
    talk, hits = rude(*starts)
    made = findings(hits, transcript(*talk), lexicon(), DEFAULTS)
    assert [finding.counted for finding in made] == counted
    assert {finding.reason for finding in made if not finding.counted} <= {REPEATED}
    assert all(finding.points == 20 for finding in made)


def test_one_breath_by_turns_where_no_times_are_known() -> None:
    talk = [said(0, RUDE), said(1, "你怎么这样？", Speaker.CUSTOMER), said(2, RUDE), said(3, "您好。"), said(4, RUDE)]
    hits = [hit(talk[n], "9.1.10", "有意见告去", timed=False) for n in (0, 2, 4)]
    assert [finding.counted for finding in findings(hits, transcript(*talk), lexicon(), DEFAULTS)] == [True, False, True]


def test_another_phrase_or_another_role_is_another_breath() -> None:
    one, other = said(0, "你问我我问谁有意见告去。"), said(1, RUDE, role=Role.SALES, start=3.0)
    hits = [hit(one, "9.1.10", "有意见告去"), hit(one, "9.1.14", "你问我我问谁"), hit(other, "9.1.10", "有意见告去")]
    assert [(card.role, card.points) for card in cards([one, other], hits)] == [(Role.SURVEY, 70), (Role.SALES, 80)]


@pytest.mark.parametrize(
    ("speaker", "state", "reason"),
    [
        (Speaker.AGENT, HitState.DOUBTFUL, DOUBTFUL),
        (Speaker.UNSURE, HitState.HIT, UNSURE),
        (Speaker.UNSURE, HitState.DOUBTFUL, UNSURE),
        (Speaker.CUSTOMER, HitState.HIT, CUSTOMER),
    ],
)
def test_what_counts_for_nothing_is_kept_with_its_reason(speaker: Speaker, state: HitState, reason: str) -> None:
    talk = [said(0, "您好。"), said(1, RUDE, speaker)]
    (card,) = cards(talk, [hit(talk[1], "9.1.10", "有意见告去", state=state)])
    assert (card.points, [(f.counted, f.reason) for f in card.findings]) == (100, [(False, reason)])
    assert f"未计分：{reason} 1 处" in card.explanation


def test_a_doubtful_one_does_not_hide_the_sure_one_after_it() -> None:
    talk, hits = rude(0.0, 5.0)
    (card,) = cards(talk, [replace(hits[0], state=HitState.DOUBTFUL), hits[1]])
    assert (card.points, [f.counted for f in card.findings]) == (80, [False, True])


def test_a_phrase_of_another_section_is_marked_and_may_weigh_less() -> None:
    talk = [said(0, "要就要不要就算了。")]
    hits = [hit(talk[0], "9.2.04", "要就要不要就算了")]
    (card,) = cards(talk, hits, ScoreSettings(other_section_factor=0.25))
    assert (card.points, card.findings[0].own_section) == (97.5, False)
    assert card.explanation == "100 − 2.5（9.2.04 较重，非本岗位条款）= 97.5"


def test_never_below_nothing() -> None:
    (card,) = cards(*rude(*(20.0 * n for n in range(6))))
    assert card.points == 0
    assert card.explanation.endswith("= −20，不足 0 分按 0 分计")


@pytest.mark.parametrize(("fatal_points", "points"), [(0.0, 0.0), (60.0, 60.0), (95.0, 80.0)])
def test_a_fatal_phrase_fails_the_card_and_never_helps_it(fatal_points: float, points: float) -> None:
    talk = [said(0, "我就这态度，不满意到别处去。")]
    (card,) = cards(talk, [hit(talk[0], "9.1.13", "我就这态度")], ScoreSettings(fatal_points=fatal_points))
    assert (card.points, card.failed) == (points, True)
    assert card.explanation == f"100 − 20（9.1.13 严重）= 80；9.1.13 一票否决，得 {points:g} 分"


def test_a_doubtful_fatal_phrase_does_not_fail() -> None:
    talk = [said(0, "我就这态度，不满意到别处去。")]
    (card,) = cards(talk, [hit(talk[0], "9.1.13", "我就这态度", state=HitState.DOUBTFUL)])
    assert (card.points, card.failed) == (100, False)


def test_one_card_a_role_in_the_order_they_take_over() -> None:
    talk = [said(0, "前台。", role=Role.SALES), said(1, "查勘。"), said(2, "还是前台。", role=Role.SALES), said(3, "无岗位。", role=None)]
    made = cards(talk, [], role=Role.INTERNAL)
    assert [(card.role, card.utterances, card.seconds) for card in made] == [
        (Role.SALES, 2, 10.0),
        (Role.SURVEY, 1, 5.0),
        (Role.INTERNAL, 1, 5.0),
    ]


def test_nobody_known_as_the_agent_gets_no_points_for_nothing() -> None:
    talk = [said(0, RUDE, Speaker.UNSURE)]
    assert cards(talk, [hit(talk[0], "9.1.10", "有意见告去")]) == ()


def test_a_finding_without_words_counts_too() -> None:
    silence = Finding(role=Role.SURVEY, phrase_id="静音", points=3, severity=Severity.MINOR, reason="静音 40 秒", at_s=12.0)
    (card,) = score([silence], transcript(), DEFAULTS, Role.SURVEY)
    assert (card.points, card.explanation, card.utterances) == (97, "100 − 3（静音 一般）= 97", 0)


def test_findings_come_in_the_order_of_the_call() -> None:
    result = call_result()
    made = findings(reversed(result.hits), result.transcript, lexicon(), DEFAULTS, Role.SURVEY)
    assert [f.utterance_id for f in made] == ["u2", "u2", "u3", "u5", "u6", "u7"]
    assert [f.at_s for f in made] == [h.start_s for h in result.hits]


def test_what_cannot_be_scored_is_said() -> None:
    talk, hits = rude(0.0)
    with pytest.raises(InputError, match=r"没有条款 9\.9\.99"):
        cards(talk, [replace(hits[0], phrase_id="9.9.99")])
    with pytest.raises(InputError, match="不在转写里"):
        cards(talk, [replace(hits[0], utterance_id="u9")])
    with pytest.raises(InputError, match="缺少「严重」，现有：一般"):
        cards(talk, hits, ScoreSettings(deductions={Severity.MINOR: 5}))


# --- after the verdicts -----------------------------------------------------------------------------------------------------------


def test_what_people_said_of_the_sample_call() -> None:
    made = call_result()  # 你问我 10, 有意见 20, again in one breath, 要就要 10, 快点 (doubtful) 5, 有意见 (speaker unsure) 20
    cases: tuple[tuple[dict[tuple[str | None, str], bool], float], ...] = (
        ({}, 60),
        ({("u2", "9.1.14"): False}, 70),
        ({("u2", "9.1.10"): False}, 60),  # the one said again costs instead
        ({("u2", "9.1.10"): False, ("u3", "9.1.10"): False}, 80),
        ({("u6", "9.1.08"): True}, 55),
        ({("u7", "9.1.10"): True}, 40),
        ({("u3", "9.1.10"): True}, 60),  # still the same breath
        ({(h.utterance_id, h.phrase_id): False for h in made.hits}, 100),
    )
    for verdicts, points in cases:
        (card,) = judged(made.scorecards, verdicts, DEFAULTS)
        assert card.points == points, verdicts
        assert len(card.findings) == 6  # nothing disappears


def test_a_cleared_fatal_hit_fails_no_more_and_a_confirmed_one_does() -> None:
    talk = [said(0, "我就这态度，不满意到别处去。")]
    for state, verdict, failed in ((HitState.HIT, False, False), (HitState.DOUBTFUL, True, True)):
        (card,) = judged(cards(talk, [hit(talk[0], "9.1.13", "我就这态度", state=state)]), {("u0", "9.1.13"): verdict}, DEFAULTS)
        assert (card.failed, card.points) == (failed, 0 if failed else 100)


def test_the_sum_tells_what_was_judged() -> None:
    talk = [said(0, RUDE)]
    (card,) = judged(cards(talk, [hit(talk[0], "9.1.10", "有意见告去")]), {("u0", "9.1.10"): False}, DEFAULTS)
    assert card.explanation == f"没有扣分，得 100 分（另有 1 处未计分：{CLEARED} 1 处）"


def test_without_verdicts_a_card_stays_what_it_was() -> None:
    made = call_result()
    assert [card.points for card in judged(made.scorecards, {}, DEFAULTS)] == [card.points for card in made.scorecards]
    assert [f.counted for card in judged(made.scorecards, {}, DEFAULTS) for f in card.findings] == [
        f.counted for card in made.scorecards for f in card.findings
    ]


def test_a_finding_without_words_is_judged_by_nobody() -> None:
    silence = Finding(role=Role.SURVEY, phrase_id="静音", points=3, severity=Severity.MINOR, reason="静音 40 秒", at_s=12.0)
    made = score([silence], transcript(), DEFAULTS, Role.SURVEY)
    assert judged(made, {}, DEFAULTS) == made
