"""Pages of sampling: drawing, the queue, second opinions, agreement; who sees what."""

import re

import httpx2
import pytest

from phrasecheck.store.states import Permission, ReviewState, Verb
from phrasecheck.store.tables import CallRow, UserRow
from tests.contracts.test_store import done
from tests.service.desks import Client, Office

DRAW = {"kind": "percent", "amount": "100", "double": "100", "do": "draw", "seed": "s"}


@pytest.fixture
def pair(office: Office) -> list[UserRow]:
    return [office.user(Permission.INSPECTOR) for _ in range(2)]


@pytest.fixture
def call(office: Office) -> CallRow:
    return done(office.store)


def draw(client: Client, inspectors: list[UserRow], **more: str) -> httpx2.Response:
    return client.post("/sampling", data={**DRAW, **more, "inspector": [str(one.id) for one in inspectors]})


def drawn(office: Office, pair: list[UserRow]) -> dict[bool, tuple[UserRow, int]]:
    """Who has the call as what: {blind: (inspector, assignment)}."""
    assert draw(office.client(), pair).status_code == 303
    tasks = [(one, task.assignment) for one in pair for task in office.store.sampling.queue(one.id)]
    return {row.blind: (one, row.id) for one, row in tasks}


def test_a_preview_draws_nothing(office: Office, pair: list[UserRow], call: CallRow) -> None:
    answered = draw(office.client(), pair, do="preview")
    assert re.search(r"<strong>1</strong> 通，会抽中 <strong>1</strong>", answered.text)
    assert 'value="s"' in answered.text
    assert office.store.sampling.samples() == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"amount": "0"}, "抽取比例应在"),
        ({"amount": "101"}, "抽取比例应在"),
        ({"kind": "clean", "amount": "0"}, "抽取数量应大于"),
        ({"double": "101"}, "复评比例应在"),
        ({"since": "2026-02-31"}, "日期应写成"),
        ({"since": "2030-01-01"}, "没有可抽的通话"),
        ({"kind": "clean", "amount": "5"}, "没有可抽的通话"),
    ],
)
def test_what_cannot_be_drawn_is_told_on_the_form(
    office: Office, pair: list[UserRow], call: CallRow, typed: dict[str, str], told: str
) -> None:
    answered = draw(office.client(), pair, **typed)
    assert answered.status_code == 422
    assert told in answered.text


def test_nobody_chosen_is_told(office: Office, call: CallRow) -> None:
    assert "至少选一位" in draw(office.client(), []).text


def test_an_inspector_is_led_to_his_queue(office: Office, pair: list[UserRow], call: CallRow) -> None:
    tasks = drawn(office, pair)
    client = office.signed_in(tasks[False][0])
    assert client.get("/sampling").headers["location"] == "/my-queue"
    assert f"/my-queue/{tasks[False][1]}" in client.get("/my-queue").text
    assert client.get(f"/my-queue/{tasks[True][1]}").status_code == 404, "somebody else's"
    page = client.get(f"/my-queue/{tasks[False][1]}").text
    assert f"/calls/{call.id}" in page
    assert "待复核" in page


def test_a_second_opinion_sees_nothing_of_the_first(office: Office, pair: list[UserRow], call: CallRow) -> None:
    tasks = drawn(office, pair)
    (first, _), (second, task) = tasks[False], tasks[True]
    for hit in office.store.sampling.hits(call.id):
        office.store.reviews.add(hit.id, Verb.CONFIRM, first, comment="一号意见")
    client = office.signed_in(second)
    page = client.get(f"/my-queue/{task}").text
    assert "独立复评" in page
    assert "一号意见" not in page
    assert "已确认" not in page
    assert f"/calls/{call.id}/audio" in page
    hits = office.store.sampling.hits(call.id)
    unfinished = client.post(f"/my-queue/{task}/done", data={"outcome": "complete"})
    assert unfinished.status_code == 409
    assert "没有判断" in unfinished.text
    for hit in hits:
        answered = client.post(f"/my-queue/{task}/opinion", data={"hit": str(hit.id), "violation": "false", "comment": "语气正常"})
        assert answered.headers["location"] == f"/my-queue/{task}#hit-{hit.id}"
    assert {hit.state for hit in office.store.sampling.hits(call.id)} == {ReviewState.CONFIRMED}
    assert client.post(f"/my-queue/{task}/done", data={"outcome": "missed"}).status_code == 422
    assert client.post(f"/my-queue/{task}/done", data={"outcome": "complete"}).headers["location"] == "/my-queue"
    shown = office.client().get("/agreement").text
    assert "语气正常" in shown
    assert first.name in shown
    assert re.search(rf"<strong>{len(hits)}</strong>", shown)


def test_done_leads_to_the_next(office: Office, pair: list[UserRow]) -> None:
    for _ in range(3):
        done(office.store)
    assert draw(office.client(), pair[:1], double="0").status_code == 303
    client = office.signed_in(pair[0])
    one, two, three = (task.assignment.id for task in office.store.sampling.queue(pair[0].id))
    middle = client.get(f"/my-queue/{two}").text
    assert f'rel="prev" href="/my-queue/{one}"' in middle
    assert f'rel="next" href="/my-queue/{three}"' in middle
    for hit in office.store.sampling.hits(office.store.sampling.queue(pair[0].id)[2].call.id):
        office.store.reviews.add(hit.id, Verb.CONFIRM, pair[0])
    assert client.post(f"/my-queue/{three}/done", data={"outcome": "complete"}).headers["location"] == f"/my-queue/{one}", (
        "the first that is left"
    )
    assert client.get(f"/my-queue/{three}").headers["location"] == "/my-queue"


def test_calls_of_somebody_away_are_handed_over(office: Office, pair: list[UserRow], call: CallRow) -> None:
    lead = office.client()
    draw(lead, pair[:1], double="0")
    assert lead.post("/sampling/hand-over", data={"away": str(pair[0].id), "to": [str(pair[1].id)]}).status_code == 303
    assert [task.call.id for task in office.store.sampling.queue(pair[1].id)] == [call.id]
    assert lead.post("/sampling/hand-over", data={"away": str(pair[0].id)}).status_code == 303
    assert "至少选一位" in lead.get("/sampling").text


def test_pages_without_anything_on_them(office: Office) -> None:
    lead = office.client()
    assert "还没有抽过" in lead.get("/sampling").text
    assert "还没有质检员" not in lead.get("/sampling").text, "the lead herself may inspect"
    assert "队列是空的" in lead.get("/my-queue").text
    assert "没有两人都评过的命中" in lead.get("/agreement").text
    lead.cookies.set("phrasecheck_lang", "en")
    for path in ("/sampling", "/my-queue", "/agreement"):
        assert lead.get(path).status_code == 200
