"""The page of retention, the command, and the daily run."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from phrasecheck.cli.retention import retention
from phrasecheck.errors import NotFoundError
from phrasecheck.service.chores import sweep
from phrasecheck.settings import PrivacySettings, Settings
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import CallRow
from tests.contracts.test_store import RESULT, done
from tests.service.desks import Office

SHORT = PrivacySettings(keep_days=1e-9, retention_hour=0)


@pytest.fixture
def call(office: Office) -> CallRow:
    return done(office.store, replace(RESULT, hits=(), scorecards=()))


def test_holds_go_on_and_off_with_a_reason(office: Office, call: CallRow) -> None:
    lead = office.client()
    assert lead.post("/retention/hold", data={"call": call.id, "on": "true", "why": ""}).headers["location"] == f"/retention?call={call.id}"
    assert "写明理由" in lead.get("/retention").text
    assert lead.post("/retention/hold", data={"call": call.id, "on": "true", "why": "诉讼 <17>"}).status_code == 303
    page = lead.get("/retention").text
    assert "诉讼 &lt;17&gt;" in page
    office.store.retention.run(SHORT)
    assert office.store.calls.get(call.id).hold
    lead.post("/retention/hold", data={"call": call.id, "on": "false", "why": "结案"})
    assert not office.store.calls.get(call.id).hold
    assert lead.post("/retention/hold", data={"call": "nobody", "on": "true", "why": "x"}).status_code == 404


def test_what_went_is_on_record(office: Office, call: CallRow) -> None:
    office.store.retention.assign(SHORT)
    lead = office.client()
    assert f"/calls/{call.id}" in lead.get("/retention").text, "due"
    assert office.store.retention.run(SHORT, "管理员") == 1
    page = lead.get("/retention").text
    assert "保存期满（普通通话）" in page
    assert call.sha256[:16] in page
    assert office.store.audit.first_broken() is None


def test_a_run_by_hand_keeps_to_the_settings(office: Office, call: CallRow) -> None:
    assert office.client(Permission.ADMIN).post("/retention/run").status_code == 303
    assert office.store.calls.get(call.id), "a year is not over"
    assert office.client().post("/retention/run").status_code == 403


def test_the_server_does_it_once_a_day(office: Office, call: CallRow, settings: Settings) -> None:
    desk = replace(office.app.state.desk, settings=settings.model_copy(update={"privacy": SHORT}))
    sweep(desk)
    with pytest.raises(NotFoundError):
        office.store.calls.get(call.id)
    kept = done(office.store)
    sweep(desk)
    assert office.store.calls.get(kept.id), "today's run is over"


def test_the_command(office: Office, call: CallRow, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHRASECHECK_STORE__DATABASE", settings.store.database)
    monkeypatch.setenv("PHRASECHECK_STORE__RECORDINGS", settings.store.recordings)
    monkeypatch.setenv("PHRASECHECK_PRIVACY__KEEP_DAYS", "1e-9")
    told = CliRunner().invoke(retention, ["run", "--dry-run"])
    assert told.exit_code == 0
    assert call.id in told.output
    assert office.store.calls.get(call.id)
    assert "已删除 1 通" in CliRunner().invoke(retention, ["run"]).output
    with pytest.raises(NotFoundError):
        office.store.calls.get(call.id)
