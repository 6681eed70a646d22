"""Who is told personal data: the settings' kinds, the QA lead, and every way out of the house."""

import pytest

from phrasecheck.service import shield
from phrasecheck.service.security import visitor_of
from phrasecheck.settings import PrivacySettings, Settings
from phrasecheck.store.states import Permission
from phrasecheck.types import Personal
from tests.contracts.test_store import done
from tests.service.desks import Office
from tests.service.evidence import PHONE, sample

SAID = f"我叫王大明，电话{PHONE}"


@pytest.mark.parametrize("permission", list(Permission))
def test_settings_say_what_is_hidden_and_the_lead_is_told_all(office: Office, permission: Permission) -> None:
    names = Settings(privacy=PrivacySettings(redact=(Personal.NAME,)))
    shown = shield.words(visitor_of(office.user(permission), names), SAID)
    assert shown == (SAID if permission is Permission.LEAD else f"我叫███，电话{PHONE}")


def test_events_are_shielded_and_ids_stay(office: Office) -> None:
    visitor = visitor_of(office.user(Permission.SUPERVISOR), Settings())
    body = {"call": "12345678901", "text": SAID, "at": 1.5, "hits": [{"quote": PHONE, "utterance_id": "u1"}]}
    assert shield.told(visitor, body) == {
        "call": "12345678901",
        "text": f"我叫王大明，电话{'█' * 11}",
        "at": 1.5,
        "hits": [{"quote": "█" * 11, "utterance_id": "u1"}],
    }


@pytest.mark.parametrize("permission", [p for p in Permission if p is not Permission.LEAD])
def test_no_way_out_tells_a_number_to_anybody_below_the_lead(office: Office, permission: Permission) -> None:
    call = done(office.store, sample(), source=f"{PHONE}.wav", extra={"来电": PHONE}, agent="A1", team="一组")
    client = office.client(permission, team="一组", agent="A1")
    ways = (
        f"/calls/{call.id}",
        "/calls",
        "/found?text=电话",
        "/calls/export?form=csv",
        "/queue",
        f"/api/v1/calls/{call.id}",
        f"/api/v1/calls/{call.id}/result",
        f"/api/v1/calls/{call.id}/hits",
        "/api/v1/calls",
        "/api/v1/utterances?text=电话",
        "/retention",
    )
    for way in ways:
        assert PHONE not in client.get(way).text, way
    assert PHONE in office.client().get(f"/api/v1/calls/{call.id}/result").text
