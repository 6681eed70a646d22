"""The audit page."""

from sqlalchemy import text

from phrasecheck.store.states import Permission
from tests.service.desks import PAGE, Office


def test_it_is_filtered_and_paged(office: Office) -> None:
    lead = office.client(Permission.LEAD)
    for number in range(120):
        office.store.audit.note("小王" if number % 2 else "小李", "call.listen", f"call:{number}")
    first = lead.get("/audit", headers=PAGE).text
    assert "call:119" in first
    assert "call:10<" not in first
    older = lead.get("/audit?before=30", headers=PAGE).text
    assert "call:10<" in older
    named = lead.get("/audit", params={"actor": "小王", "action": "call"}, headers=PAGE).text
    assert "call:119" in named
    assert "call:118" not in named
    assert "user.create" in lead.get("/audit", params={"action": "user.create"}, headers=PAGE).text


def test_verifying_finds_what_was_changed(office: Office) -> None:
    lead = office.client(Permission.LEAD)
    lead.post("/audit/verify")
    assert "没有被改过" in lead.get("/audit", headers=PAGE).text
    with office.store.database.write() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("UPDATE audit SET actor = '别人' WHERE id = 1"))
    lead.post("/audit/verify")
    assert "从第 1 条起" in lead.get("/audit", headers=PAGE).text
