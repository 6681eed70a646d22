"""Judging hits, appeals and their judgement, wordings that are never flagged."""

import pytest

from phrasecheck.service.access import Scope
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import Permission, RejectReason, ReviewState, Verb
from phrasecheck.store.tables import HitRow
from tests.service.desks import PAGE, Client, Office
from tests.service.evidence import done


@pytest.fixture
def call(office: Office) -> str:
    return done(office.store)


def judge(client: Client, hit: int, verb: str, seen: str = "new", **more: str) -> int:
    return client.post(f"/hits/{hit}/review", data={"verb": verb, "seen": seen, **more}, headers=PAGE).status_code


def first(office: Office, call: str) -> HitRow:
    return office.store.results.hits(call)[0]


def points(office: Office) -> float | None:
    (line,) = office.store.listing.page(Filter())
    return line.points


def test_a_verdict_leads_back_to_its_hit_and_stays_in_the_history(office: Office, call: str) -> None:
    inspector = office.client(Permission.INSPECTOR)
    hit = first(office, call)
    answered = inspector.post(f"/hits/{hit.id}/review", data={"verb": "confirm", "seen": "new", "comment": "口气很冲"}, headers=PAGE)
    assert (answered.status_code, answered.headers["location"]) == (303, f"/calls/{call}#hit-{hit.id}")
    page = inspector.get(f"/calls/{call}", headers=PAGE).text
    assert "口气很冲" in page
    assert "已确认" in page
    (entry,) = office.store.audit.entries(action="hit.confirm")
    assert (entry.subject, entry.details["hit"]) == (f"call:{call}", hit.id)


def test_points_on_the_page_follow_the_verdicts(office: Office, call: str) -> None:
    lead = office.client(Permission.LEAD)
    assert judge(lead, first(office, call).id, "reject", reason="misheard") == 303
    page = lead.get(f"/calls/{call}", headers=PAGE).text
    assert "<strong>70</strong>" in page
    assert "<s>60</s>" in page
    assert "复核后不算违规，不计分 1 处" in page
    assert points(office) == 70


def test_a_rejection_needs_one_of_the_reasons(office: Office, call: str) -> None:
    inspector, hit = office.client(Permission.INSPECTOR), first(office, call).id
    assert judge(inspector, hit, "reject") == 422
    assert judge(inspector, hit, "reject", reason="bored") == 422
    assert judge(inspector, hit, "reject", reason="other") == 422  # the comment has to say
    assert judge(inspector, hit, "reject", reason="other", comment="测试录音") == 303


def test_the_second_of_two_is_told_what_the_first_did(office: Office, call: str) -> None:
    one, two = office.user(Permission.INSPECTOR), office.client(Permission.INSPECTOR)
    hit = first(office, call)
    office.store.reviews.add(hit.id, Verb.REJECT, one, reason=RejectReason.TONE)
    answered = two.post(f"/hits/{hit.id}/review", data={"verb": "confirm", "seen": "new"}, headers={"accept": "application/json"})
    assert answered.status_code == 409
    assert one.name in answered.json()["error"]["message"]
    assert first(office, call).state is ReviewState.REJECTED
    assert judge(two, hit.id, "confirm", seen="rejected") == 303


def test_from_the_hit_to_the_final_judgement(office: Office, call: str) -> None:
    inspector, lead = office.client(Permission.INSPECTOR), office.client(Permission.LEAD)
    agent = office.client(Permission.AGENT, agent="A1")
    hit = first(office, call).id
    judge(inspector, hit, "confirm")
    page = agent.get(f"/calls/{call}", headers=PAGE).text
    assert 'data-verb="appeal"' in page
    assert 'data-verb="confirm"' not in page
    assert judge(agent, hit, "appeal", seen="confirmed", comment="我在念客户的原话") == 303
    assert points(office) == 60
    assert "我在念客户的原话" in lead.get("/appeals", headers=PAGE).text
    assert f"/calls/{call}#hit-{hit}" in lead.get("/appeals", headers=PAGE).text
    assert judge(inspector, hit, "uphold", seen="appealed") == 409
    assert judge(lead, hit, "uphold", seen="appealed", comment="属实") == 303
    assert points(office) == 70
    for client, verb in ((lead, "reject"), (lead, "dismiss"), (agent, "appeal"), (inspector, "confirm")):
        assert judge(client, hit, verb, seen="upheld", **({"reason": "tone"} if verb == "reject" else {})) == 409
    assert "没有等待终审的申诉" in lead.get("/appeals", headers=PAGE).text
    assert "属实" in agent.get("/appeals?closed=true", headers=PAGE).text
    assert "属实" not in office.client(Permission.AGENT, agent="A2").get("/appeals?closed=true", headers=PAGE).text
    assert [review.verb for review in office.store.reviews.of_call(call)] == [Verb.CONFIRM, Verb.APPEAL, Verb.UPHOLD]


def test_buttons_are_there_exactly_when_they_would_work(office: Office, call: str) -> None:
    buttons = {
        p: office.client(p, team="一组", agent="A1").get(f"/calls/{call}", headers=PAGE).text.count('class="review"') for p in Permission
    }
    assert buttons == {
        Permission.ADMIN: 0,
        Permission.LEAD: 12,  # confirm and reject on each of six
        Permission.INSPECTOR: 12,
        Permission.TRAINER: 0,
        Permission.SUPERVISOR: 0,
        Permission.AGENT: 4,  # not against the doubtful one, nor where it is not known who spoke: they cost nothing
    }


def test_a_wording_is_let_through_from_now_on_and_flagged_again(office: Office, call: str) -> None:
    user = office.user(Permission.INSPECTOR)
    inspector, hit = office.signed_in(user), first(office, call)
    assert judge(inspector, hit.id, "reject", reason="tone", never_flag="true") == 303
    (row,) = office.store.allowances.active()
    assert (row.phrase_id, row.wording, row.author_id) == (hit.phrase_id, hit.quote, user.id)
    page = inspector.get("/allowances", headers=PAGE).text
    assert f"「{hit.quote}」" in page
    assert user.name in page
    assert inspector.post(f"/allowances/{row.id}/remove").status_code == 303
    assert office.store.allowances.active() == []
    assert "已撤销的" in inspector.get("/allowances", headers=PAGE).text
    assert inspector.post(f"/allowances/{row.id}/remove", headers=PAGE).status_code == 404
    assert inspector.post("/allowances", data={"phrase_id": "9.1.10", "wording": "有意见可以告诉我"}).status_code == 303
    assert inspector.post("/allowances", data={"phrase_id": "9.9.99", "wording": "好"}, headers=PAGE).status_code == 422
    assert [entry.action for entry in office.store.audit.entries(action="allowance")] == [
        "allowance.add",
        "allowance.remove",
        "allowance.add",
    ]


def test_a_confirmed_hit_lets_nothing_through(office: Office, call: str) -> None:
    judge(office.client(Permission.LEAD), first(office, call).id, "confirm", never_flag="true")
    assert office.store.allowances.active() == []


def test_a_program_judges_with_the_same_words(office: Office, call: str) -> None:
    program = office.program(office.user(Permission.INSPECTOR), [Scope.READ, Scope.REVIEW])
    hits = program.get(f"/api/v1/calls/{call}/hits").json()["hits"]
    assert [hit["state"] for hit in hits] == ["new"] * 6
    path = f"/api/v1/hits/{hits[0]['id']}/reviews"
    assert program.post(path, json={"verb": "reject", "reason": "quoted", "seen": "new", "never_flag": True}).json()["after"] == "rejected"
    refused = program.post(path, json={"verb": "reject", "reason": "quoted", "seen": "new"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "refused")
    assert program.post(path, json={"verb": "reject", "verdict": "?"}).status_code == 422
    assert program.post("/api/v1/hits/999999/reviews", json={"verb": "confirm"}).status_code == 404
    (told,) = program.get(f"/api/v1/calls/{call}/hits").json()["hits"][0]["reviews"]
    assert (told["verb"], told["reason"]) == ("reject", "quoted")
    assert len(office.store.allowances.active()) == 1


def test_appeals_are_paged(office: Office) -> None:
    agent = office.user(Permission.AGENT, agent="A1")
    for _ in range(13):
        for hit in [h for h in office.store.results.hits(done(office.store)) if not h.doubtful]:
            office.store.reviews.add(hit.id, Verb.APPEAL, agent, comment="请复核")
    lead = office.client(Permission.LEAD)
    page = lead.get("/appeals", headers=PAGE).text
    assert page.count("card appeal") == 50
    link = page.split('href="/appeals?after=')[1].split('"')[0]
    assert lead.get(f"/appeals?after={link}", headers=PAGE).text.count("card appeal") == 2
