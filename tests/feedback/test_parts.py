"""The small parts: intervals against printed tables, periods and weeks, courtesy, better sentences, telling moments, weights."""

from datetime import UTC, date, datetime
from statistics import fmean

import pytest

from phrasecheck.errors import InputError
from phrasecheck.feedback import interval
from phrasecheck.feedback.better import better, sentences
from phrasecheck.feedback.cards import cards
from phrasecheck.feedback.courtesy import heard, load_cues, noticed
from phrasecheck.feedback.facts import CallFacts, Material, Moment, Spoken, Standing, Wanted
from phrasecheck.feedback.make import Maker, coaching_pack, team_report
from phrasecheck.feedback.period import Period, period
from phrasecheck.feedback.preview import preview
from phrasecheck.feedback.selftest import judge, questions
from phrasecheck.feedback.words import telling
from phrasecheck.matching.matcher import Matcher, Parts
from phrasecheck.settings import MatchSettings, ScoreSettings
from phrasecheck.types import Role, Severity, Speaker
from tests import month
from tests.feedback import known
from tests.feedback.conftest import OCTOBER
from tests.matching.fakes import WEIGHTS

# --- intervals --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],  # Newcombe 1998, table I
)
def test_wilson(part: int, whole: int, low: float, high: float) -> None:
    found = interval.share(part, whole)
    assert found is not None
    assert [found.low, found.high] == pytest.approx([low, high], abs=5e-5)


@pytest.mark.parametrize(("freedom", "t"), [(4, 2.776), (5, 2.571), (9, 2.262), (29, 2.045), (1000, 1.962)])  # any table of Student's
def test_student(freedom: float, t: float) -> None:
    assert interval.quantile(freedom) == pytest.approx(t, abs=2e-3)


def test_a_mean_without_ground_has_no_interval() -> None:
    assert interval.mean([100, 90, 80, 70], 100) is None  # four calls
    assert interval.mean([100] * 50, 100) is None  # no width is no certainty
    found = interval.mean([100, 90, 80, 70, 60], 100)
    assert found is not None
    assert [found.value, found.low, found.high] == pytest.approx([80, 80 - 2.776 * 7.0711, 99.63], abs=0.02)


def test_a_difference_by_welch() -> None:
    one, other = [90, 95, 100, 85, 90], [70, 80, 60, 75, 65]
    found = interval.difference(one, other)
    assert found is not None
    assert found.value == pytest.approx(22)
    assert found.low == pytest.approx(22 - 2.3646 * 4.3012, abs=0.25)  # 6.6 degrees of freedom lie between 6 and 7
    assert interval.difference(one[:4], other) is None


# --- periods ----------------------------------------------------------------------------------------------------------------------


def test_weeks_begin_on_monday_and_all_are_there() -> None:
    assert OCTOBER.weeks == (date(2026, 9, 28), date(2026, 10, 5), date(2026, 10, 12), date(2026, 10, 19), date(2026, 10, 26))
    assert Period(first=date(2026, 10, 5), last=date(2026, 10, 11)).weeks == (date(2026, 10, 5),)
    assert Period(first=date(2026, 10, 11), last=date(2026, 10, 12)).weeks == (date(2026, 10, 5), date(2026, 10, 12))


def test_a_day_is_a_day_in_china() -> None:
    assert OCTOBER.since == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert OCTOBER.until == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert OCTOBER.day(datetime(2026, 10, 4, 16, tzinfo=UTC)) == date(2026, 10, 5)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, (date(2026, 10, 1), date(2026, 10, 31))),
        (None, date(2026, 9, 20), (date(2026, 9, 1), date(2026, 9, 20))),
        (date(2026, 11, 1), None, (date(2026, 11, 1), date(2026, 11, 5))),
    ],
)
def test_what_is_left_out_of_a_period(first: date | None, last: date | None, expected: tuple[date, date]) -> None:
    made = period(first, last, date(2026, 11, 5), 8)
    assert (made.first, made.last) == expected


def test_a_period_backwards_is_refused() -> None:
    with pytest.raises(InputError, match="不晚于"):
        period(date(2026, 10, 2), date(2026, 10, 1), date(2026, 11, 1), 8)


# --- courtesy and better sentences --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("给您添麻烦了，我帮您查一下。", {"致歉", "主动帮忙"}),
        ("您别着急，慢慢说。", {"体谅"}),
        ("谢谢您的提醒，我今天下班前给您回电。", {"道谢", "给出答复的时间"}),
        ("我换个说法给您讲一遍。", {"讲清楚"}),
        ("您好，请问您贵姓？", set()),
        ("麻烦。", set()),
        ("那是您的事，别找我。", set()),
        ("谢谢，再见。", set()),
    ],
)
def test_courtesy_is_heard(text: str, kinds: set[str]) -> None:
    assert {cue.name for cue in heard(text, load_cues())} == kinds
    for cue in load_cues():
        if cue.name in kinds:
            assert any(word in text for word in cue.words), f"the database would not find {cue.name}"


def test_courtesy_around_a_hit_is_none_and_the_customers_is_not_counted() -> None:
    def said(number: str, speaker: Speaker) -> Spoken:
        return Spoken(call_id="c", id=number, start_s=0, speaker=speaker, text="不好意思，我帮您查。")

    lines = [said("u1", Speaker.AGENT), said("u2", Speaker.AGENT), said("u3", Speaker.CUSTOMER)]
    assert {c.name: c.count for c in noticed(lines, {("c", "u2")}, load_cues())} == {"致歉": 1, "主动帮忙": 1}


def test_the_better_sentence_fits_the_role() -> None:
    lexicon = month.lexicon()
    beside = {better(lexicon.phrases["9.1.04"], role) for role in Role}
    assert len(beside) == 4
    assert better(lexicon.phrases["9.4.03"], Role.SURVEY) == lexicon.phrases["9.4.03"].instead
    assert {phrase for phrase, _ in sentences()} <= set(lexicon.phrases)


def test_a_companys_own_sentence_has_the_last_word() -> None:
    from dataclasses import replace

    own = replace(month.lexicon().phrases["9.1.04"], instead="本公司统一说法。")
    assert better(own, Role.SURVEY) == "本公司统一说法。"


def test_better_sentences_would_not_be_flagged_word_for_word() -> None:
    matcher = exact()
    for (_, role), sentence in sentences().items():
        assert judge(sentence, role, matcher, month.lexicon()).flags == (), sentence


def exact() -> Matcher:
    return Matcher(Parts(lexicon=month.lexicon(), encoders=(), neighbours=None, qualifiers=(), weights=WEIGHTS), MatchSettings())


# --- cards and weights --------------------------------------------------------------------------------------------------------------


def material(*moments: Moment, roles: tuple[Role, ...] = (Role.SURVEY,)) -> Material:
    call = CallFacts(
        id="c", source="c.wav", agent="A", team="甲", role=Role.SURVEY, roles=roles, said_at=datetime(2026, 10, 5, tzinfo=UTC), lexicon="x"
    )
    return Material(period=OCTOBER, calls=(call,), moments=moments)


def moment(
    phrase: str, at: float | None = 10.0, *, standing: Standing = Standing.COUNTED, key: str = "1", role: Role = Role.SURVEY
) -> Moment:
    return Moment(
        key=key, call_id="c", utterance_id=f"u{key}", phrase_id=phrase, quote="x", at_s=at, score=0.9, role=role, standing=standing
    )


def test_a_repeat_counts_again_when_the_first_was_cleared() -> None:
    first, again = moment("9.1.14", 10, standing=Standing.CLEARED, key="1"), moment("9.1.14", 15, key="2")
    (card,) = cards(material(first, again), month.lexicon(), ScoreSettings())
    assert (card.points, [c.moment.key for c in card.counted]) == (90, ["2"])


def test_a_phrase_that_is_gone_costs_nothing() -> None:
    (card,) = cards(material(moment("old.1")), month.lexicon(), ScoreSettings())
    assert (card.points, card.counted, len(card.others)) == (100, (), 1)


def test_a_call_without_a_known_agent_has_a_card_only_when_a_person_confirmed() -> None:
    lexicon = month.lexicon()
    assert cards(material(moment("9.1.14", standing=Standing.OPEN), roles=()), lexicon, ScoreSettings()) == []
    (card,) = cards(material(moment("9.1.14", standing=Standing.CONFIRMED), roles=()), lexicon, ScoreSettings())
    assert card.points == 90


@pytest.mark.parametrize(
    ("settings", "points"),
    [
        ({}, 60),  # 10 and 10 and 20
        ({"role_deductions": {Role.SURVEY: {Severity.MAJOR: 15}}}, 50),
        ({"caps": {Severity.MAJOR: 12}}, 68),
        ({"fatal": ("9.1.14",), "fatal_points": 30}, 30),
        ({"other_section_factor": 0.5}, 60),  # all are everybody's
    ],
)
def test_weights(settings: dict[str, object], points: float) -> None:
    three = material(moment("9.1.14", 10, key="1"), moment("9.1.01", 40, key="2"), moment("9.1.16", 70, key="3"))
    (card,) = cards(three, month.lexicon(), ScoreSettings.model_validate(settings))
    assert card.points == points


def test_a_preview_moves_only_what_the_weights_move(with_: Maker) -> None:
    whole = with_.source.material(Wanted(period=OCTOBER))
    same = preview(whole, with_.lexicon, ScoreSettings(), ScoreSettings())
    assert same.whole is not None
    assert same.whole.before == same.whole.after == pytest.approx(known.mean(list(month.plan())))
    other = preview(whole, with_.lexicon, ScoreSettings(), ScoreSettings(fatal=(), deductions=dict.fromkeys(Severity, 1.0)))
    assert other.whole is not None
    assert other.whole.after == pytest.approx(fmean(100 - len(call.counted) for call in month.plan()))
    assert (other.whole.failed_before, other.whole.failed_after) == (sum(map(known.fatal, month.plan())), 0)
    assert {change.name for change in other.teams} == {"甲组", "乙组", "丙组", "丁组", "戊组"}


# --- moments, the pack, the self-test -----------------------------------------------------------------------------------------------


def test_telling_moments_are_grave_and_not_all_alike(with_: Maker) -> None:
    report = team_report(with_, "甲组", OCTOBER)
    chosen = telling(report.found, 5)
    assert len({costly.moment.phrase_id for costly in chosen}) == 5
    assert chosen[0].moment.phrase_id == "9.1.10"
    assert [c.moment.key for c in telling(report.found[:2], 5)] == [
        c.moment.key for c in sorted(report.found[:2], key=lambda c: -c.finding.points)
    ]


def test_the_pack_has_confirmed_examples_first_and_no_personal_data(with_: Maker) -> None:
    pack = coaching_pack(with_, Wanted(period=OCTOBER), "全部")
    assert {item.phrase.id: item.found for item in pack.phrases} == known.phrases(list(month.plan()))
    assert [item.phrase.id for item in pack.phrases] == [i for i in with_.lexicon.phrases if i in known.phrases(list(month.plan()))]
    examples = [shown for item in pack.phrases for shown in item.examples]
    assert all("13812345678" not in (shown.before or "") for shown in examples)
    confirmed = {item.phrase.id: item.examples[0].costly.moment.standing for item in pack.phrases}
    assert confirmed["9.1.10"] is Standing.CONFIRMED
    assert confirmed["9.1.04"] is Standing.APPEALED


def test_questions_tell_nothing_by_their_order_and_answers_are_judged(with_: Maker) -> None:
    pack = coaching_pack(with_, Wanted(period=OCTOBER), "全部")
    asked = questions(pack, with_.lexicon)
    assert asked == questions(pack, with_.lexicon)
    assert asked[0].phrase_id == "9.1.06"  # said most often
    places = [question.answers.index(better(with_.lexicon.phrases[question.phrase_id], question.role)) for question in asked]
    assert len(set(places)) > 1
    judged = judge("有意见你告去", Role.COMPLAINTS, exact(), with_.lexicon)
    assert [(flag.phrase_id, flag.quote) for flag in judged.flags] == [("9.1.10", "有意见你告去")]
    assert judged.courtesies == ()
