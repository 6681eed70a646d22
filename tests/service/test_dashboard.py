"""The dashboard: its figures lead to the calls they count, and everybody sees his own."""

import re
from html import unescape

import pytest

from phrasecheck.store.states import Permission
from tests import month
from tests.service.desks import PAGE, Office

OCTOBER = {"since": "2026-10-01", "until": "2026-10-31"}


@pytest.fixture
def full(office: Office) -> Office:
    month.pour(office.store, month.plan()[:200])
    return office


def read(office: Office, permission: Permission = Permission.LEAD, team: str | None = None, **query: str) -> str:
    answer = office.client(permission, **({"team": team} if team else {})).get("/dashboard", params={**OCTOBER, **query}, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_an_empty_desk_has_a_dashboard(office: Office) -> None:
    text = unescape(office.client().get("/dashboard", headers=PAGE).text)
    assert "这段时间没有已检查的通话" in text


def test_every_bar_leads_to_the_calls_it_counts(full: Office) -> None:
    text = read(full)
    assert text.count("<svg") > 20
    for query in ("role=survey", "team=%E7%94%B2%E7%BB%84", "section=9.1", "phrase=9.1.10", "review=rejected"):
        found = re.search(rf'href="(/calls\?[^"]*{query}[^"]*)"', text)
        assert found, query
        assert "since=2026-10-01" in found.group(1) and "until=2026-10-31" in found.group(1)
    client = full.client()
    for address in sorted(set(re.findall(r'href="(/calls\?[^"]*)"', text))):
        assert client.get(address, headers=PAGE).status_code == 200, address


def test_a_weeks_column_leads_to_that_week_within_the_period(full: Office) -> None:
    text = read(full, since="2026-10-07", until="2026-10-14")
    assert "since=2026-10-07&until=2026-10-11" in text
    assert "since=2026-10-12&until=2026-10-14" in text


def test_the_figures_are_in_tables_too(full: Office) -> None:
    text = read(full)
    violated = sum(bool(call.counted) for call in month.plan()[:200])
    assert f"{100 * violated / 200:.1f}%" in text
    assert "误报多" in text  # 9.1.14 is always rejected


def test_a_team_is_chosen_and_a_supervisor_sees_his_own(full: Office) -> None:
    everybody = read(full)
    assert "甲组" in everybody and "乙组" in everybody
    chosen = unescape(full.client().get("/dashboard", params={**OCTOBER, "team": "甲组"}, headers=PAGE).text)
    assert "/calls?since=2026-10-01&until=2026-10-31&team=%E7%94%B2%E7%BB%84" in chosen
    assert 'scope="row"><a href="/calls?since=2026-10-01&until=2026-10-31&team=%E4%B9%99' not in chosen
    own = read(full, Permission.SUPERVISOR, team="甲组")
    assert "甲组" in own and "乙组" not in own
    calls = sum(call.team == "甲组" for call in month.plan()[:200])
    assert f"{calls} 通" in own


@pytest.mark.parametrize(
    ("query", "reason"), [({"since": "gestern"}, "2026-10-01 这样"), ({"since": "2026-11-30"}, "不晚于"), ({"since": "2020-01-01"}, "731")]
)
def test_a_wrong_period_is_explained(office: Office, query: dict[str, str], reason: str) -> None:
    answer = office.client().get("/dashboard", params={"until": "2026-10-31", **query}, headers=PAGE)
    assert answer.status_code == 422
    assert reason in answer.text


def test_an_agent_has_none(office: Office) -> None:
    assert office.client(Permission.AGENT, agent="A01").get("/dashboard", headers=PAGE).status_code == 403
