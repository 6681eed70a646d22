"""Who is the agent, in which role, and how that was decided."""

import pytest

from phrasecheck.diarise import Stretch, Voices
from phrasecheck.speakers import assign
from phrasecheck.types import Role, Speaker, Transcript, Utterance

SIDES = ("left", "right")


def said(*lines: tuple[str, str]) -> list[Utterance]:
    """(channel, text) in turn, five seconds each."""
    return [
        Utterance(id=f"u{number:04d}", start=5.0 * number, end=5.0 * number + 4, channel=channel, text=text)
        for number, (channel, text) in enumerate(lines)
    ]


def mirrored(lines: list[Utterance]) -> list[tuple[str, str]]:
    return [("right" if line.channel == "left" else "left", line.text) for line in lines]


CALLS = {
    "hotline": said(
        ("left", "您好，车险客服中心，工号二零八，很高兴为您服务。"),
        ("right", "喂，我的车在地库被人蹭了，你们什么时候能来人？"),
        ("left", "您别着急，请问您的车牌号码是多少？"),
        ("right", "等一下我看看。"),
        ("left", "好的，我帮您登记，麻烦您稍等。"),
    ),
    "outgoing, the customer speaks first": said(
        ("right", "喂，哪位？"),
        ("left", "您好，我是负责您案子的查勘员小周，麻烦问一下您现在在现场吗？"),
        ("right", "在的在的，我都等半天了。"),
        ("left", "不好意思，我大概一刻钟到您那里。"),
    ),
    "rude staff": said(
        ("left", "喂，财险，说。"),
        ("right", "我想问一下我那个案子怎么还没赔下来。"),
        ("left", "你自己不会看短信吗，单证没交齐。"),
        ("right", "你们怎么这个态度，我要投诉。"),
        ("left", "随便你。"),
    ),
    "misheard": said(
        ("left", "您好人寿才显请问有什么可以帮你"),
        ("right", "我要报岸我的车撞了"),
        ("left", "请您说一下车排号吗"),
    ),
}


@pytest.mark.parametrize("name", list(CALLS))
def test_the_agents_side_is_found_whichever_it_is(name: str) -> None:
    for agent, lines in (("left", CALLS[name]), ("right", said(*mirrored(CALLS[name])))):
        made = assign(lines, SIDES, Role.CLAIMS_REPORT, "auto")
        assert made.speakers.agent_channel == agent
        assert 0.5 < made.speakers.confidence <= 1
        assert "得分" in made.speakers.reason
        for utterance in made.utterances:
            mine = utterance.channel == agent
            assert utterance.speaker is (Speaker.AGENT if mine else Speaker.CUSTOMER)
            assert utterance.role is (Role.CLAIMS_REPORT if mine else None)


def test_plain_calls_are_decided_surely_and_bare_ones_are_not() -> None:
    assert assign(CALLS["hotline"], SIDES, Role.RECEPTION).speakers.confidence > 0.95
    bare = assign(said(("right", "喂"), ("left", "喂")), SIDES, Role.RECEPTION).speakers
    assert bare.agent_channel == "right"  # spoke first
    assert bare.confidence < 0.8


def test_a_given_channel_is_not_questioned() -> None:
    decision = assign(CALLS["hotline"], SIDES, Role.RECEPTION, "right").speakers
    assert (decision.agent_channel, decision.confidence) == ("right", 1.0)
    assert "按指定" in decision.reason


def test_nobody_spoke() -> None:
    made = assign([], SIDES, Role.RECEPTION, "auto")
    assert made.utterances == ()
    assert made.speakers.confidence == 0.5


def test_mono_gives_only_what_is_plain() -> None:
    lines = said(
        ("mono", "您好，车险客服，工号二零八，请问有什么可以帮您？"),
        ("mono", "我的车被人追尾了，你们什么时候来人"),
        ("mono", "嗯，在哪里"),
    )
    made = assign(lines, ("mono",), Role.SURVEY, "left")
    assert [u.speaker for u in made.utterances] == [Speaker.AGENT, Speaker.CUSTOMER, Speaker.UNSURE]
    assert [u.role for u in made.utterances] == [Role.SURVEY, None, None]
    assert made.speakers.agent_channel is None
    assert made.speakers.confidence == 0.0
    assert "指定的左声道在这个录音里没有" in made.speakers.reason
    assert "单声道" in made.speakers.reason


def voices(*lines: tuple[str, float], apart: float = 20.0) -> Voices:
    """Stretches of four seconds (text, log-odds of the second voice), three to an utterance."""
    stretches = [
        Stretch(
            said=Utterance(id=f"u{i // 3}", start=4.0 * i, end=4.0 * i + 4, channel="mono", text=text),
            whole=f"u{i // 3}",
            start=4.0 * i,
            end=4.0 * i + 4,
        )
        for i, (text, _) in enumerate(lines)
    ]
    return Voices(stretches=tuple(stretches), odds=tuple(odds for _, odds in lines), apart=apart)


def of_mono(heard: Voices, agent_channel: str = "auto") -> Transcript:
    return assign([], ("mono",), Role.SURVEY, agent_channel, heard)


SURE = 5.0
MONO = (
    ("您好，车险客服，", -SURE),
    ("工号二零八，请问有什么可以帮您？", -SURE),
    ("我的车被人追尾了。", SURE),
    ("你们什么时候来人？", SURE),
    ("您别着急，我给您登记。", -SURE),
    ("嗯。", SURE),
)


@pytest.mark.parametrize("sign", [1, -1])
def test_mono_by_voice(sign: int) -> None:
    lines = MONO if sign == 1 else (("喂？", -SURE), *((text, -odds) for text, odds in MONO), ("行。", -SURE))
    made = of_mono(voices(*lines))
    agents = [utterance.text for utterance in made.utterances if utterance.speaker is Speaker.AGENT]
    assert "".join(agents) == "".join(text for text, odds in MONO if odds < 0)
    assert Speaker.UNSURE not in {utterance.speaker for utterance in made.utterances}
    assert {utterance.role for utterance in made.utterances if utterance.speaker is Speaker.AGENT} == {Role.SURVEY}
    assert [utterance.id for utterance in made.utterances] == [f"u{i:04d}" for i in range(1, len(made.utterances) + 1)]
    assert made.speakers.agent_channel == "mono"
    assert made.speakers.confidence > 0.9
    assert "单声道录音：按声音" in made.speakers.reason
    assert ("先开口的声音是坐席" in made.speakers.reason) is (sign == 1)
    assert "服务用语" in made.speakers.reason


def test_mono_leaves_a_turn_unsure_that_is_between_the_voices() -> None:
    made = of_mono(voices(*MONO[:5], ("随便你。", 0.2), *MONO[5:]), "left")
    (unsure,) = [utterance for utterance in made.utterances if utterance.speaker is Speaker.UNSURE]
    assert unsure.text == "随便你。"
    assert unsure.role is None
    assert "1 句听不准是谁说的" in made.speakers.reason
    assert "指定的左声道在这个录音里没有" in made.speakers.reason


def test_mono_without_signs_of_an_agent_is_all_unsure() -> None:
    made = of_mono(voices(("喂？", SURE), ("说。", -SURE), ("算了。", SURE), ("没空。", -SURE)))
    assert {utterance.speaker for utterance in made.utterances} == {Speaker.UNSURE}
    assert made.speakers.agent_channel is None
    assert made.speakers.confidence < 0.8
    assert "拿不准哪一个是坐席" in made.speakers.reason


def test_mono_with_one_voice_goes_by_what_is_plain() -> None:
    made = of_mono(voices(*MONO, apart=1.0))
    assert [utterance.text for utterance in made.utterances] == [text for text, _ in MONO]
    assert [utterance.speaker for utterance in made.utterances][1:3] == [Speaker.AGENT, Speaker.CUSTOMER]
    assert made.utterances[-1].speaker is Speaker.UNSURE
    assert made.speakers.agent_channel is None
    assert "只听出一个人" in made.speakers.reason


def test_four_channels() -> None:
    lines = said(("ch3", "您好，车险客服，很高兴为您服务"), ("ch1", "我要报案"))
    assert assign(lines, ("ch1", "ch2", "ch3", "ch4"), Role.RECEPTION).speakers.agent_channel == "ch3"


def roles(made: Transcript) -> list[Role | None]:
    return [utterance.role for utterance in made.utterances]


def test_a_role_that_nobody_stated_is_not_made_up() -> None:
    made = assign(CALLS["hotline"], SIDES, None)
    assert set(roles(made)) == {None}


def test_a_handover_to_a_colleague_who_introduces_himself_changes_the_role() -> None:
    made = assign(
        said(
            ("left", "好的，案子给您登记好了，我给您转接查勘员。"),
            ("right", "行。"),
            ("left", "喂您好，我是查勘员小赵，您在哪里？"),
            ("left", "我马上过去。"),
        ),
        SIDES,
        Role.CLAIMS_REPORT,
        "left",
    )
    assert roles(made) == [Role.CLAIMS_REPORT, None, Role.SURVEY, Role.SURVEY]


@pytest.mark.parametrize(
    "lines",
    [
        [("left", "理赔款三天内转到您的账户。"), ("left", "您好，我是查勘员小赵。")],
        [("left", "稍后查勘员会联系您。"), ("left", "这边是定损单，您看一下。")],
        [("left", "我给您转接查勘员。"), ("left", "查勘员电话占线，您稍等。")],
        [("right", "给我转接查勘员。"), ("left", "您好，我是查勘员小赵。")],
    ],
)
def test_without_handover_and_introduction_the_role_stays(lines: list[tuple[str, str]]) -> None:
    made = assign(said(*lines), SIDES, Role.CLAIMS_REPORT, "left")
    assert set(roles(made)) <= {Role.CLAIMS_REPORT, None}
