"""Finding calls, the call page, its sound and wave form, files."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from openpyxl import load_workbook

from phrasecheck.audio import RATE, decode
from phrasecheck.service.asked import Asked, asked
from phrasecheck.service.audio import ranged
from phrasecheck.store.calls import NewCall
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import CallState, Permission, RejectReason, ReviewState, Verb
from phrasecheck.types import Role
from tests.service.desks import PAGE, Client, Office
from tests.service.evidence import PHONE, done, recording, sample


def text(client: Client, path: str, **query: object) -> str:
    answered = client.get(f"{path}?{urlencode(query)}" if query else path, headers=PAGE)
    assert answered.status_code == 200, answered.text
    return answered.text


# --- the list -----------------------------------------------------------------------------------------------------------------------


def test_a_call_is_found_by_whatever_is_known_of_it(office: Office) -> None:
    call = done(office.store, said_at=datetime(2026, 11, 2, 4, tzinfo=UTC))
    lead = office.client(Permission.LEAD)
    fits: list[dict[str, str]] = [
        {},
        {"role": "survey", "team": "一组", "agent": "A1", "state": "done", "unsure": "true"},
        {"since": "2026-11-02", "until": "2026-11-02"},
        {"text": "有一件搞去"},
        {"section": "9.1", "phrase": "9.1.10", "review": "new", "doubtful": "false"},
        {"points": "60", "order": "worst"},
        {"role": "", "team": "", "points": "", "text": " "},
    ]
    for query in fits:
        assert f"/calls/{call}" in text(lead, "/calls", **query), query
    for query in (
        {"role": "sales"},
        {"until": "2026-11-01"},
        {"text": "理赔"},
        {"phrase": "9.2.01"},
        {"points": "59"},
        {"unsure": "false"},
        {"review": "appealed"},
    ):
        assert "没有符合条件的通话" in text(lead, "/calls", **query), query
    assert lead.get("/calls?role=king", headers=PAGE).status_code == 422
    assert lead.get("/calls?since=0001-01-01", headers=PAGE).status_code == 422


def test_a_list_is_paged_behind_its_last_line(office: Office) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(52):
        office.store.calls.accept(BytesIO(b"x"), _new(f"{number:02}.wav", start + timedelta(minutes=number)))
    lead = office.client(Permission.LEAD)
    first = text(lead, "/calls", team="二组")
    assert "52.wav" not in first and "51.wav" in first and "02.wav" in first and "01.wav" not in first
    link = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = text(lead, link)
    assert "01.wav" in second and "00.wav" in second and "02.wav" not in second
    assert 'rel="next"' not in second


def _new(source: str, at: datetime) -> NewCall:
    return NewCall(source=source, role=Role.SALES, team="二组", said_at=at)


def test_what_is_searched_for_is_shown_with_its_place(office: Office) -> None:
    call = done(office.store)
    page = text(office.client(Permission.LEAD), "/found", text="有意见告去")
    assert f"/calls/{call}?t=20.0" in page
    assert "<mark>有意见告去</mark>" in page
    assert "同音" not in page.partition("<ol")[2].partition("</ol>")[0]
    assert "同音" in text(office.client(Permission.LEAD), "/found", text="有一件搞去").partition("<ol")[2]
    assert "没有人说过" in text(office.client(Permission.LEAD), "/found", text="理赔款到账")


def test_a_filter_is_kept_and_comes_back_as_its_form(office: Office) -> None:
    lead = office.client(Permission.LEAD)
    assert (
        lead.post("/calls/filters?team=一组&points=60&since=2026-11-01&until=2026-11-02&order=worst", data={"name": "一组低分"}).status_code
        == 303
    )
    page = text(lead, "/calls")
    assert "一组低分" in page
    assert urlencode({"team": "一组", "since": "2026-11-01", "until": "2026-11-02", "points": "60.0"}).replace("&", "&amp;") in page
    assert "一组低分" not in text(office.client(Permission.LEAD), "/calls")
    lead.post("/calls/filters/delete", data={"name": "一组低分"})
    assert "一组低分" not in text(lead, "/calls")


def test_a_form_and_its_filter_are_the_same() -> None:
    form = Asked(
        text="告去",
        role=Role.SURVEY,
        since="2026-03-01",
        until="2026-03-31",
        state=CallState.DONE,
        review=ReviewState.NEW,
        points=60,
        unsure=False,
    )
    assert form.wanted.until is not None and form.wanted.since is not None
    assert (form.wanted.until - form.wanted.since).days == 31
    assert asked(form.wanted) == form
    assert asked(Filter()) == Asked()


# --- who sees what ------------------------------------------------------------------------------------------------------------------


def test_an_agent_sees_his_own_calls_and_nothing_of_others(office: Office) -> None:
    own, other = done(office.store), done(office.store, agent="A2", source="乙坐席的.wav")
    agent = office.client(Permission.AGENT, agent="A1")
    assert "乙坐席的" not in text(agent, "/calls")
    for path in ("", "/audio", "/wave.svg"):
        assert agent.get(f"/calls/{own}{path}", headers=PAGE).status_code == 200
        assert agent.get(f"/calls/{other}{path}", headers=PAGE).status_code == 404
    assert f"/calls/{other}" not in text(agent, "/found", text="有意见告去")
    assert "乙坐席的" not in agent.get("/calls/export?form=csv").text
    assert agent.get(f"/api/v1/calls/{other}/hits").status_code == 404
    assert {found["call"] for found in agent.get("/api/v1/utterances?text=有意见告去").json()["utterances"]} == {own}
    hit = office.store.results.hits(other)[0]
    assert agent.post(f"/hits/{hit.id}/review", data={"verb": "appeal", "seen": "new"}).status_code == 404


@pytest.mark.parametrize("permission", [p for p in Permission if p is not Permission.LEAD])
def test_personal_data_are_black_below_the_lead(office: Office, permission: Permission) -> None:
    call = done(office.store, source=f"客户{PHONE}.wav", extra={"联系电话": PHONE})
    office.store.reviews.add(office.store.results.hits(call)[0].id, Verb.CONFIRM, office.user(Permission.INSPECTOR), comment=f"回电{PHONE}")
    visitor, lead = office.client(permission, team="一组", agent="A1"), office.client(Permission.LEAD)
    for path in ("/calls", f"/calls/{call}", "/found?text=我的电话是", "/calls/export?form=csv", "/api/v1/utterances?text=我的电话是"):
        assert PHONE not in visitor.get(path, headers=PAGE).text, path
        assert PHONE in lead.get(path, headers=PAGE).text, path


# --- the page -----------------------------------------------------------------------------------------------------------------------


def test_the_page_shows_all_that_is_known_of_a_hit(office: Office) -> None:
    call = done(office.store)
    page = text(office.client(Permission.INSPECTOR), f"/calls/{call}")
    for told in ("你问我我问谁", "较重", "字面一致", "可以这样说", "右声道音量偏低", "1 句话不确定是谁说的", "sample 1", "存疑"):
        assert told in page, told
    assert page.count('class="card moment') == 6
    assert f"/calls/{call}/wave.svg?channel=right" in page


def test_a_call_without_a_result_says_how_it_stands(office: Office) -> None:
    call = office.store.calls.accept(BytesIO(b"x"), _new("a.wav", datetime.now(UTC)))
    assert "排队中" in text(office.client(Permission.LEAD), f"/calls/{call.id}")
    claim = office.store.calls.claim()
    assert claim is not None
    office.store.calls.fail(claim, "解不开录音", again=False)
    assert "解不开录音" in text(office.client(Permission.LEAD), f"/calls/{call.id}")


def test_versions_can_be_looked_at_but_only_the_current_is_judged(office: Office) -> None:
    call = done(office.store)
    first = office.store.results.versions(call)[0].version
    made = sample()
    later = replace(made, hits=made.hits[1:], provenance=replace(made.provenance, lexicon="sample 2", lexicon_sha256="c" * 64))
    inspector = office.user(Permission.INSPECTOR)
    hit = office.store.results.hits(call)[0]
    office.store.reviews.add(hit.id, Verb.REJECT, inspector, reason=RejectReason.QUOTED, comment="在念条款")
    office.store.results.rescore(call, later, "test")
    client = office.signed_in(inspector)
    now, then = text(client, f"/calls/{call}"), text(client, f"/calls/{call}?version={first}")
    assert now.count('class="card moment') == 5 and 'data-verb="confirm"' in now
    assert "不再认定" in now and "在念条款" in now  # history stays
    assert then.count('class="card moment') == 6 and 'data-verb="confirm"' not in then
    assert "以前的一版" in then
    assert client.get(f"/calls/{call}?version={'0' * 64}", headers=PAGE).status_code == 404


# --- sound --------------------------------------------------------------------------------------------------------------------------


def loud(body: bytes, folder: Path, start: float, end: float) -> list[float]:
    """How loud each channel is in these seconds."""
    path = folder / "heard.mp3"
    path.write_bytes(body)
    audio = decode(path)
    return [float(np.sqrt(np.mean(channel.samples[int(start * RATE) : int(end * RATE)] ** 2))) for channel in audio.channels]


def test_personal_data_are_silent_on_their_channel_below_the_lead(office: Office, tmp_path: Path) -> None:
    call = done(office.store)  # the number is said from about 12.2 to 14.5 s on the right
    for permission, right in ((Permission.LEAD, 0.28), (Permission.INSPECTOR, 0.0)):
        heard = office.client(permission).get(f"/calls/{call}/audio").content
        assert loud(heard, tmp_path, 13, 14) == pytest.approx([0.28, right], abs=0.03)
        assert loud(heard, tmp_path, 16, 20) == pytest.approx([0.28, 0.28], abs=0.03)
    (only,) = loud(office.client(Permission.INSPECTOR).get(f"/calls/{call}/audio?channel=right").content, tmp_path, 13, 14)
    assert only == pytest.approx(0, abs=0.01)


def test_without_a_transcript_nobody_below_the_lead_hears_anything(office: Office, tmp_path: Path) -> None:
    call = office.store.calls.accept(BytesIO(recording()), _new("a.wav", datetime.now(UTC))).id
    quiet, whole = (office.client(p).get(f"/calls/{call}/audio").content for p in (Permission.INSPECTOR, Permission.LEAD))
    assert loud(whole, tmp_path, 1, 79) == pytest.approx([0.28, 0.28], abs=0.03)
    assert max(loud(quiet, tmp_path, 1, 79)) < 0.01


def test_any_part_of_the_sound_can_be_asked_for(office: Office) -> None:
    call = done(office.store)
    lead = office.client(Permission.LEAD)
    whole = lead.get(f"/calls/{call}/audio")
    assert (whole.status_code, whole.headers["content-type"], whole.headers["accept-ranges"]) == (200, "audio/mpeg", "bytes")
    size = len(whole.content)
    for asked_for, start, stop in (
        ("bytes=0-", 0, size),
        ("bytes=100-199", 100, 200),
        ("bytes=-50", size - 50, size),
        ("bytes=100-99999999", 100, size),
    ):
        part = lead.get(f"/calls/{call}/audio", headers={"range": asked_for})
        assert (part.status_code, part.headers["content-range"]) == (206, f"bytes {start}-{stop - 1}/{size}")
        assert part.content == whole.content[start:stop]
    beyond = lead.get(f"/calls/{call}/audio", headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert lead.get(f"/calls/{call}/audio", headers={"range": "bytes=0-1,5-6"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "part"),
    [(None, None), ("lines=1-2", None), ("bytes=-", None), ("bytes=5-2", (5, 3)), ("bytes=-0", (10, 10)), ("bytes=-99", (0, 10))],
)
def test_ranges(header: str | None, part: tuple[int, int] | None) -> None:
    assert ranged(header, 10) == part


def test_listening_is_in_the_trail_once_a_sitting(office: Office) -> None:
    call = done(office.store)
    one, two = office.client(Permission.INSPECTOR), office.client(Permission.LEAD)
    for client in (one, one, two):
        client.get(f"/calls/{call}/audio", headers={"range": "bytes=500-"})
    two.get(f"/calls/{call}/audio?save=true")
    told = [entry.action for entry in office.store.audit.entries(subject=f"call:{call}")]
    assert told == ["call.save", "call.listen", "call.listen", "call.upload"]


def test_what_was_made_of_a_recording_goes_with_it(office: Office, tmp_path: Path) -> None:
    call = done(office.store)
    lead = office.client(Permission.LEAD)
    lead.get(f"/calls/{call}/audio")
    assert lead.get(f"/calls/{call}/wave.svg?channel=left").headers["content-type"] == "image/svg+xml"
    assert lead.get(f"/calls/{call}/wave.svg?channel=ch9").status_code == 404
    folder = tmp_path / "recordings"
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".wav", ".mp3", ".json"}
    assert len(list(office.store.recordings.kept())) == 1
    office.store.calls.delete(call, "test", "retention")
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_recording_that_is_gone_is_said_so(office: Office) -> None:
    call = done(office.store)
    office.store.recordings.delete(office.store.calls.get(call).recording)
    lead = office.client(Permission.LEAD)
    assert lead.get(f"/calls/{call}/audio").status_code == lead.get(f"/calls/{call}/wave.svg").status_code == 404
    assert lead.get(f"/calls/{call}", headers=PAGE).status_code == 200


# --- files --------------------------------------------------------------------------------------------------------------------------


def test_the_list_as_a_file_with_the_points_of_the_verdicts(office: Office) -> None:
    call = done(office.store, source="=cmd|' /C calc'!A1.wav")
    office.store.reviews.add(
        office.store.results.hits(call)[0].id, Verb.REJECT, office.user(Permission.INSPECTOR), reason=RejectReason.TONE
    )
    lead = office.client(Permission.LEAD)
    book = load_workbook(BytesIO(lead.get("/calls/export?form=xlsx&team=一组").content))
    assert book.sheetnames == ["通话", "命中"]
    rows = list(book["通话"].iter_rows(values_only=True))
    assert dict(zip(rows[0], rows[1], strict=True)) | {"通话时间": "", "编号": ""} == {
        "通话时间": "",
        "录音": "=cmd|' /C calc'!A1.wav",
        "坐席": "A1",
        "班组": "一组",
        "岗位": "查勘",
        "状态": "已完成",
        "时长": timedelta(seconds=80),
        "得分": 70,
        "复核前得分": 60,
        "违规": 3,
        "存疑待看": 2,
        "待复核": 5,
        "申诉中": 0,
        "说话人未确定": "是",
        "编号": "",
    }
    assert book["通话"]["B2"].data_type == "s" and book["通话"]["B2"].quotePrefix
    assert book["命中"].max_row == 7
    lines = list(csv.DictReader(StringIO(lead.get("/calls/export?form=csv&what=hits").content.decode("utf-8-sig"))))
    assert [line["复核"] for line in lines] == ["已驳回"] + ["待复核"] * 5
    assert lines[0]["录音"].startswith("'=")
    assert lines[0]["原话"] == "你问我我问谁"
    assert [entry.action for entry in office.store.audit.entries(action="calls.export")] == ["calls.export"] * 2
    assert "理赔" not in str(office.store.audit.entries(action="calls.export")[0].details)
