"""Reports, schedules, weights and the self-test behind the desk's doors: who gets what, and that it is the very report."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from phrasecheck import handout
from phrasecheck.engines.lease import Lease
from phrasecheck.feedback.reports import Kind
from phrasecheck.lexicon import load_lexicon
from phrasecheck.matching.matcher import Matcher, Parts
from phrasecheck.service.app import create_app
from phrasecheck.service.chores import sweep
from phrasecheck.settings import FeedbackSettings, MatchSettings, Settings
from phrasecheck.store.lexicons import blank
from phrasecheck.store.states import Permission
from phrasecheck.store.store import open_store
from tests import month
from tests.matching.fakes import WEIGHTS
from tests.service.desks import PAGE, Office
from tests.stores import Clock

ASKED = {"first": "2026-10-01", "last": "2026-10-31"}


@pytest.fixture
def office(settings: Settings, tmp_path: Path) -> Iterator[Office]:
    """With the calls of the first two agents of each team, and a matcher that knows exact words alone."""
    settings = settings.model_copy(update={"feedback": FeedbackSettings(folder=str(tmp_path / "made"))})
    store = open_store(settings.store, Clock())  # the second of November
    month.pour(store, [call for call in month.plan() if call.number % 4 < 2])
    app = create_app(settings, store)
    object.__setattr__(app.state.desk, "matcher", Lease(_exact))
    yield Office(app, store)
    store.close()


def _exact() -> Matcher:
    parts = Parts(lexicon=load_lexicon(), encoders=(), neighbours=None, qualifiers=(), weights=WEIGHTS)
    return Matcher(parts, MatchSettings())


def test_the_page_offers_what_the_visitor_may_ask_for(office: Office) -> None:
    page = office.client(Permission.LEAD).get("/feedback", headers=PAGE)
    assert page.status_code == 200
    for words in ("A01", "甲组", 'value="survey"', "定期报告", "试算计分权重", 'value="coaching"'):
        assert words in page.text
    own = office.client(Permission.AGENT, agent="A01").get("/feedback", headers=PAGE).text
    assert 'value="team"' not in own
    assert "A05" not in own
    supervisor = office.client(Permission.SUPERVISOR, team="甲组").get("/feedback", headers=PAGE).text
    assert "A01" in supervisor
    assert "乙组" not in supervisor


@pytest.mark.parametrize(
    ("permission", "place", "asked", "status"),
    [
        (Permission.LEAD, {}, {"kind": "agent", "name": "A01"}, 200),
        (Permission.AGENT, {"agent": "A01"}, {"kind": "agent"}, 200),
        (Permission.AGENT, {"agent": "A01"}, {"kind": "agent", "name": "A02"}, 409),
        (Permission.AGENT, {"agent": "A01"}, {"kind": "director"}, 409),
        (Permission.AGENT, {}, {"kind": "agent"}, 409),
        (Permission.TRAINER, {"team": "甲组"}, {"kind": "team"}, 200),
        (Permission.TRAINER, {"team": "甲组"}, {"kind": "team", "name": "乙组"}, 409),
        (Permission.TRAINER, {}, {"kind": "role", "name": "survey"}, 409),
        (Permission.LEAD, {}, {"kind": "agent"}, 422),
        (Permission.LEAD, {}, {"kind": "role", "name": "清洁"}, 422),
        (Permission.LEAD, {}, {"kind": "director", "first": "昨天"}, 422),
        (Permission.LEAD, {}, {"kind": "director", "format": "doc"}, 422),
    ],
)
def test_who_gets_which_report(office: Office, permission: Permission, place: dict[str, str], asked: dict[str, str], status: int) -> None:
    answer = office.client(permission, **place).get("/feedback/file", params={**ASKED, **asked})
    assert answer.status_code == status
    assert ("script" in answer.text) is False


def test_a_teams_people_find_nothing_of_other_teams(office: Office) -> None:
    trainer = office.client(Permission.TRAINER, team="甲组")
    other = trainer.get("/feedback/file", params={**ASKED, "kind": "agent", "name": "A05"})
    assert "本期没有通话" in other.text
    assert "A05" in other.text
    whole = trainer.get("/feedback/file", params={**ASKED, "kind": "director"}).text
    assert ">60<" in whole.replace(" ", "")  # two agents of thirty calls each, not the 300 of all teams


@pytest.mark.parametrize(("form", "start"), [("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("xlsx", b"PK")])
def test_the_file_is_the_report(office: Office, form: str, start: bytes) -> None:
    answer = office.client().get("/feedback/file", params={**ASKED, "kind": "agent", "name": "A01", "format": form})
    assert answer.content.startswith(start)
    assert f"2026-10-31.{form}" in answer.headers["content-disposition"]
    (entry,) = [e for e in office.store.audit.entries() if e.action == "report.read"]
    assert entry.details["name"] == "A01"


def test_personal_data_stays_out(office: Office) -> None:
    text = office.client().get("/feedback/file", params={**ASKED, "kind": "agent", "name": "A01"}).text
    assert "13812345678" not in text
    assert "那我这个事情到底什么时候能办好啊" in text


def test_weights_are_tried_and_nothing_is_changed(office: Office) -> None:
    page = office.client().get("/feedback/weights", params={**ASKED, "major": "20", "fatal_points": "50"}, headers=PAGE).text
    assert "较重扣 20 分" in page
    assert "前台接待" in page
    assert office.app.state.desk.settings.scoring.fatal_points == 0


def test_a_schedule_makes_its_report_once(office: Office) -> None:
    lead = office.client()
    sent = lead.post("/feedback/schedules", data={"kind": "role", "name": "查勘", "every": "month", "formats": "html,xlsx"})
    assert sent.status_code == 303
    (row,) = office.store.schedules.active()
    assert (row.kind, row.name, row.formats) == ("role", "survey", "html,xlsx")
    settings = office.app.state.desk.settings
    made = handout.make_due(office.store, month.lexicon(), settings)
    assert sorted(path.suffix for path in made) == [".html", ".xlsx"]
    assert handout.make_due(office.store, month.lexicon(), settings) == []
    assert office.store.schedules.active()[0].made_to == date(2026, 10, 31)
    assert made[0].name in lead.get("/feedback", headers=PAGE).text
    assert lead.get(f"/feedback/made/{made[0].name}").status_code == 200
    assert lead.get("/feedback/made/..%2Fmonth.db").status_code == 404
    assert lead.post(f"/feedback/schedules/{row.id}/end").status_code == 303
    assert office.store.schedules.active() == []


def test_a_report_that_fails_is_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.client().post("/feedback/schedules", data={"kind": "director", "every": "week"})
    settings = office.app.state.desk.settings

    def broken(*_: object) -> None:
        raise RuntimeError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(handout, "write", broken)
        with pytest.raises(RuntimeError, match="disk full"):
            handout.make_due(office.store, month.lexicon(), settings)
    assert office.store.schedules.active()[0].made_to is None
    assert len(handout.make_due(office.store, month.lexicon(), settings)) == 3


def test_the_server_makes_them_by_itself(office: Office) -> None:
    office.client().post("/feedback/schedules", data={"kind": "director", "every": "month", "formats": "xlsx"})
    sweep(office.app.state.desk)
    assert office.store.schedules.active()[0].made_to == date(2026, 10, 31)
    (file,) = Path(office.app.state.desk.settings.feedback.folder).iterdir()
    assert file.name == "总览-2026-10-01-2026-10-31.xlsx"


def test_only_leads_schedule(office: Office) -> None:
    assert (
        office.client(Permission.TRAINER, team="甲组").post("/feedback/schedules", data={"kind": "director", "every": "week"}).status_code
        == 403
    )


def test_the_self_test_asks_what_customers_said(office: Office) -> None:
    page = office.client(Permission.AGENT, agent="A01").get("/feedback/selftest", headers=PAGE).text
    assert "那我这个事情到底什么时候能办好啊" in page
    assert "13812345678" not in page
    assert "A01" not in page.replace("agent-A01", "")


def test_an_answer_is_judged_as_a_call_would_be(office: Office) -> None:
    client = office.client(Permission.AGENT, agent="A01")
    bad = client.post("/feedback/selftest/answer", json={"answer": "有意见你告去", "role": "survey"}).json()
    (flag,) = bad["flags"]
    assert flag["phrase_id"] == "9.1.10"
    assert flag["instead"].startswith("您的意见我记下了，我先把眼前的事给您办好")  # as fits a surveyor
    assert flag["why"]
    good = client.post("/feedback/selftest/answer", json={"answer": "让您久等了，我马上给您查。", "role": "survey"}).json()
    assert (good["flags"], good["courtesies"]) == ([], ["为带来的不便道歉", "主动说自己来做什么"])
    assert client.post("/feedback/selftest/answer", json={"answer": "   ", "role": "survey"}).status_code == 422
    assert client.post("/feedback/selftest/answer", json={"answer": "好", "role": "chef"}).status_code == 422


def test_the_coaching_pack_of_a_role(office: Office) -> None:
    text = office.client().get("/feedback/file", params={**ASKED, "kind": Kind.COACHING, "of": "role", "name": "loss_assessment"}).text
    assert "定损岗位" in text
    assert month.quote("9.6.03") in text
    assert month.quote("9.1.06") not in text


def test_the_companys_own_better_sentence_is_in_the_report(office: Office) -> None:
    """What the lexicon pages put in force holds for reports too."""
    said = next(plant.phrase for call in month.plan() if call.number % 4 < 2 for plant in call.plants if plant.counts)
    better = "这是本公司自己的说法，请照着练"
    body = blank(()).replace("phrases: []", f'phrases:\n  - {{id: "{said}", instead: {better}}}\n')
    client, asked = office.client(), {**ASKED, "kind": "coaching"}
    assert better not in client.get("/feedback/file", params=asked).text
    office.store.lexicons.add(body, "1" * 64, "说法", office.user(Permission.LEAD), after=0, active=True)
    assert better in client.get("/feedback/file", params=asked).text
