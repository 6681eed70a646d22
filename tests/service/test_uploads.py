"""Files that are sent become calls: in parts, in ZIPs, with tables before and after them, once."""

import stat
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from phrasecheck.metadata import read_metadata
from phrasecheck.service.app import create_app
from phrasecheck.service.chores import do, sweep
from phrasecheck.service.intake import take_in
from phrasecheck.settings import Settings
from phrasecheck.store.states import CallState, Permission
from phrasecheck.store.store import open_store
from phrasecheck.store.tables import CallRow, UploadItemRow
from phrasecheck.store.uploads import Uploads
from tests.service.desks import PAGE, Client, Office
from tests.service.senders import API, LIMIT, begin, left_behind, outcomes, part, post, send, small, sound, zipped
from tests.stores import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office(settings: Settings, clock: Clock) -> Iterator[Office]:
    store = open_store(settings.store, clock)
    yield Office(create_app(small(settings), store), store)
    store.close()


@pytest.fixture
def clerk(office: Office) -> Client:
    return office.client(Permission.INSPECTOR)


def the_call(office: Office, told: dict[str, Any]) -> CallRow:
    (item,) = told["items"]
    return office.store.calls.get(item["call"])


# --- parts --------------------------------------------------------------------------------------------------------------------------


def test_a_recording_in_parts(office: Office, clerk: Client) -> None:
    data = sound(size=20_000)
    begun = begin(clerk, len(data), filename="一月/来电.wav", agent="3077", role="查勘")
    assert begun.headers["upload-offset"] == "0"
    place = begun.headers["location"]
    assert part(clerk, place, 0, data[:7000]).headers["upload-offset"] == "7000"
    asked = clerk.head(place)
    assert (asked.headers["upload-offset"], asked.headers["upload-length"]) == ("7000", str(len(data)))
    assert part(clerk, place, 7000, data[7000:]).status_code == 204
    call = the_call(office, clerk.get(place).json())
    assert (call.source, call.agent, call.role, call.state) == ("来电.wav", "3077", "survey", CallState.QUEUED)
    assert call.extra == {"文件夹": "一月"}
    with office.store.recordings.local(call.recording) as path:
        assert path.read_bytes() == data
    assert left_behind(office) == [office.store.uploads.folder.parent / call.recording]


def test_a_part_at_the_wrong_place_is_refused_and_changes_nothing(clerk: Client) -> None:
    data = sound()
    place = begin(clerk, len(data), filename="a.wav").headers["location"]
    part(clerk, place, 0, data[:1000])
    wrong = part(clerk, place, 500, data[500:])
    assert wrong.status_code == 409
    assert "第 1000 字节" in wrong.json()["error"]["message"]
    assert clerk.head(place).headers["upload-offset"] == "1000"
    assert part(clerk, place, 1000, data[1000:] + b"more").status_code == 413


def test_what_came_before_a_lost_connection_stays(office: Office, clerk: Client) -> None:
    """The older of two connections for one upload stops when the newer has gone on."""
    data, uploads = sound(size=10_000), office.store.uploads
    place = begin(clerk, len(data), filename="a.wav").headers["location"]
    row = uploads.get(place.rpartition("/")[2])
    uploads.append(row, 0, data[:3000])
    assert part(clerk, place, 3000, data[3000:6000]).status_code == 204
    assert part(clerk, place, 3000, data[3000:6000]).status_code == 409  # the older one's bytes come late
    assert part(clerk, place, 6000, data[6000:]).status_code == 204
    assert outcomes(clerk.get(place).json()) == ["accepted"]


def test_an_upload_is_its_senders_own(office: Office, clerk: Client) -> None:
    place = begin(clerk, 1000, filename="a.wav").headers["location"]
    other = office.client(Permission.LEAD)
    assert {other.get(place).status_code, other.head(place).status_code, part(other, place, 0, b"x").status_code} == {404}


def test_an_upload_can_be_given_up_and_expires(office: Office, clerk: Client, clock: Clock) -> None:
    given_up, forgotten = (begin(clerk, 1000, filename="a.wav").headers["location"] for _ in range(2))
    assert clerk.delete(given_up).status_code == 204
    assert clerk.get(given_up).status_code == 404
    clock.later(hours=25)
    sweep(office.app.state.desk)
    assert clerk.get(forgotten).status_code in {401, 404}
    assert left_behind(office) == []


def test_the_options_say_what_the_server_can_do(clerk: Client) -> None:
    told = clerk.options(f"{API}/uploads")
    assert told.headers["tus-extension"] == "creation,expiration,termination"
    assert told.headers["tus-max-size"] == str(LIMIT)
    other = clerk.post(f"{API}/uploads", headers={"Upload-Length": "5", "Tus-Resumable": "0.2"})
    assert (other.status_code, other.headers["tus-version"]) == (412, "1.0.0")


def test_taking_in_is_gone_on_with_after_a_kill(office: Office, clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies when three of five recordings are queued and only two of these noted; the chores of the next one finish it."""
    data = zipped(*((f"{n}.wav", sound(n)) for n in range(5)))
    place = begin(clerk, len(data), filename="day.zip").headers["location"]
    upload = place.rpartition("/")[2]
    uploads, noted = office.store.uploads, []

    def die(upload_id: str, item: object) -> None:
        noted.append(item)
        if len(noted) == 3:
            raise KeyboardInterrupt
        add(upload_id, item)  # type: ignore[arg-type]

    add = uploads.add
    monkeypatch.setattr(type(uploads), "add", lambda self, *given: die(*given))
    row = uploads.get(upload)
    uploads.append(row, 0, data)
    uploads.whole(row)
    with pytest.raises(KeyboardInterrupt):
        take_in(office.app.state.desk, upload)
    monkeypatch.undo()
    assert office.store.calls.counts()[CallState.QUEUED] == 3
    do(office.app.state.desk)  # somebody is thought to be at it still
    assert office.store.calls.counts()[CallState.QUEUED] == 3
    office.store.database.now.later(seconds=61)  # type: ignore[attr-defined]
    do(office.app.state.desk)
    assert office.store.calls.counts()[CallState.QUEUED] == 5
    assert [item.outcome for item in uploads.items(upload)] == ["accepted"] * 5


# --- the same recording -------------------------------------------------------------------------------------------------------------


def test_a_recording_that_was_here_is_skipped_or_checked_again(office: Office, clerk: Client) -> None:
    first = the_call(office, send(clerk, "a.wav", sound()))
    skipped = send(clerk, "b.wav", sound())
    assert outcomes(skipped) == ["known"]
    assert skipped["items"][0]["call"] == first.id
    assert "已上传过（a.wav，排队中），没有重复检查" in skipped["items"][0]["message"]
    office.store.calls.cancel(first.id, "test")
    assert outcomes(send(clerk, "b.wav", sound(), again="true")) == ["again"]
    assert office.store.calls.get(first.id).state is CallState.QUEUED
    assert office.store.calls.counts()[CallState.QUEUED] == 1


# --- ZIPs ---------------------------------------------------------------------------------------------------------------------------


def test_the_good_files_of_a_zip_go_on(office: Office, clerk: Client) -> None:
    link = zipfile.ZipInfo("link.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("好/一.wav", sound(1))
        archive.writestr("../../etc/二.wav", sound(2))
        archive.writestr("/abs/三.wav", sound(3))
        archive.writestr("C:\\四.wav", sound(4))
        archive.writestr(link, "/etc/passwd")
        archive.writestr("里/五.zip", zipped(("x.wav", sound(5))))
        archive.writestr("六.wav", zipped(("x.wav", sound(5))))
        archive.writestr("七.wav", b"<html>not found</html>")
        archive.writestr("__MACOSX/._一.wav", b"litter")
        archive.writestr("空/", b"")
        archive.writestr("八.wav", sound(8))
    told = send(clerk, "day.zip", out.getvalue())
    by_name = {item["name"]: item for item in told["items"]}
    assert {name for name, item in by_name.items() if item["outcome"] == "accepted"} == {"好/一.wav", "八.wav"}
    for name, says in {
        "../../etc/二.wav": "压缩包之外",
        "/abs/三.wav": "压缩包之外",
        "C:/四.wav": "压缩包之外",
        "link.wav": "链接",
        "里/五.zip": "不展开",
        "六.wav": "不展开",
        "七.wav": "网页",
    }.items():
        assert by_name[name]["outcome"] == "refused"
        assert says in by_name[name]["message"], name
    assert len(by_name) == 9
    assert len(left_behind(office)) == 2


def test_names_of_windows_in_china(office: Office, clerk: Client) -> None:
    data = zipped(("____.wav", sound(1))).replace(b"____.wav", "来电".encode("gb18030") + b".wav")
    assert the_call(office, send(clerk, "day.zip", data)).source == "来电.wav"


def test_an_encrypted_entry_says_so(clerk: Client) -> None:
    data = bytearray(zipped(("a.wav", sound(1)), ("b.wav", sound(2)), method=zipfile.ZIP_STORED))
    second = data.rindex(b"PK\x01\x02")
    data[second + 8] |= 1
    told = send(clerk, "day.zip", bytes(data))
    assert outcomes(told) == ["accepted", "refused"]
    assert "去掉密码" in told["items"][1]["message"]


# --- metadata -----------------------------------------------------------------------------------------------------------------------

TABLE = "文件,坐席,团队,岗位,时间,方向,坐席声道,保单号\na.wav,0077,一组,查勘,2026-11-02 10:00,呼入,左,P1\n".encode()


def complete(call: CallRow) -> None:
    assert (call.agent, call.team, call.role, call.direction, call.agent_channel) == ("0077", "一组", "survey", "in", "left")
    assert call.role_stated
    assert call.said_at == datetime(2026, 11, 2, 10).astimezone(UTC)
    assert call.extra["保单号"] == "P1"
    assert call.state is CallState.QUEUED


def test_a_table_before_its_recording(office: Office, clerk: Client) -> None:
    assert outcomes(send(clerk, "meta.csv", TABLE, batch="b1")) == ["table"]
    complete(the_call(office, send(clerk, "a.wav", sound(), batch="b1", wait="true")))


def test_a_table_after_its_recording(office: Office, clerk: Client) -> None:
    call = the_call(office, send(clerk, "a.wav", sound(), batch="b1", wait="true"))
    assert (call.state, call.role, call.role_stated) == (CallState.UPLOADED, "reception", False)
    told = send(clerk, "meta.csv", TABLE, batch="b1")
    assert "已用于 1 段" in told["items"][0]["message"]
    complete(office.store.calls.get(call.id))


def test_a_table_that_is_taken_while_its_recording_is(office: Office, clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Uploads.add

    def overtaken(self: Uploads, upload_id: str, item: UploadItemRow) -> None:
        """The table comes when the call is made, but not yet known to be of its batch."""
        monkeypatch.undo()
        assert outcomes(send(clerk, "meta.csv", TABLE, batch="b1")) == ["table"]
        add(self, upload_id, item)

    monkeypatch.setattr(Uploads, "add", overtaken)
    complete(the_call(office, send(clerk, "a.wav", sound(1), batch="b1")))


def test_a_table_of_another_day_finds_what_waits_but_not_what_comes_later(office: Office, clerk: Client) -> None:
    call = the_call(office, send(clerk, "a.wav", sound(1), batch="b1", wait="true"))
    send(clerk, "meta.csv", TABLE, batch="b2")
    complete(office.store.calls.get(call.id))
    assert the_call(office, send(clerk, "a.wav", sound(2), batch="b3")).agent is None


def test_a_table_in_the_zip_and_as_a_workbook(office: Office, clerk: Client) -> None:
    book, out = Workbook(), BytesIO()
    for row in (
        ["文件", "坐席", "团队", "岗位", "时间", "方向", "坐席声道", "保单号"],
        ["x/a.wav", "0077", "一组", "查勘", datetime(2026, 11, 2, 10), "呼入", "左", "P1"],
    ):
        book.worksheets[0].append(row)
    book.save(out)
    told = send(clerk, "day.zip", zipped(("a.wav", sound()), ("表.xlsx", out.getvalue())))
    assert outcomes(told) == ["accepted", "table"]
    complete(office.store.calls.get(told["items"][0]["call"]))


def test_a_table_that_comes_too_late_says_so(office: Office, clerk: Client) -> None:
    send(clerk, "a.wav", sound(), batch="b1")
    assert office.store.calls.claim() is not None
    assert "已用于 0 段" in send(clerk, "meta.csv", TABLE, batch="b1")["items"][0]["message"]


def test_a_waiting_call_can_be_checked_without_its_table(office: Office, clerk: Client) -> None:
    call = the_call(office, send(clerk, "a.wav", sound(), wait="true"))
    assert clerk.post(f"/queue/{call.id}/release", headers=PAGE).status_code == 303
    assert office.store.calls.get(call.id).state is CallState.QUEUED


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_is_a_table_that_is_read(clerk: Client, tmp_path_factory: pytest.TempPathFactory, kind: str) -> None:
    path = tmp_path_factory.mktemp("template") / f"template.{kind}"
    path.write_bytes(clerk.get(f"/uploads/template.{kind}").content)
    (row,) = read_metadata(path).values()
    assert (row["agent"], row["role"], row["direction"]) == ("3077", "查勘", "呼入")
    if kind == "xlsx":
        assert len(load_workbook(path).worksheets[0].data_validations.dataValidation) == 3


# --- the API of calls ---------------------------------------------------------------------------------------------------------------


def test_a_program_hands_in_a_call_and_asks_how_it_stands(office: Office) -> None:
    program = office.program(office.user(Permission.INSPECTOR), ["upload", "read"])
    answered = post(program, "a.wav", sound(), key="k1", role="survey", agent="3077", time="2026-11-02T10:00:00+08:00", 保单号="P1")
    assert answered.status_code == 202
    call = program.get(answered.headers["location"]).json()
    assert (call["state"], call["ahead"], call["agent"], call["source"]) == ("queued", 0, "3077", "a.wav")
    assert office.store.calls.get(call["id"]).extra == {"保单号": "P1"}
    assert program.get(f"{API}/calls/{call['id']}/result").status_code == 404
    assert [c["id"] for c in program.get(f"{API}/calls", params={"state": "queued"}).json()["calls"]] == [call["id"]]
    assert program.get(f"{API}/calls", params={"state": "done"}).json() == {"calls": [], "next": None}


def test_an_idempotency_key_is_one_call(office: Office, clerk: Client) -> None:
    first, again = (post(clerk, "a.wav", sound(1), key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    other = post(clerk, "a.wav", sound(2), key="k1")
    assert other.status_code == 422
    assert "幂等键" in other.json()["error"]["message"]
    known = post(clerk, "a.wav", sound(1), key="k2")
    assert (known.status_code, known.json()["duplicate"], known.json()["id"]) == (200, True, first.json()["id"])
    assert office.store.calls.counts()[CallState.QUEUED] == 1


def test_a_failed_call_says_why_and_is_run_again(office: Office, clerk: Client) -> None:
    call = post(clerk, "a.wav", sound()).json()["id"]
    claim = office.store.calls.claim()
    assert claim is not None
    office.store.calls.fail(claim, "不是录音", again=False)
    assert clerk.get(f"{API}/calls/{call}").json()["reason"] == "不是录音"
    assert "不是录音" in clerk.get("/queue", headers=PAGE).text
    assert clerk.post(f"{API}/calls/{call}/run-again").status_code == 202
    assert clerk.post(f"{API}/calls/{call}/run-again").status_code == 409


def test_pages_of_calls(clerk: Client) -> None:
    for number in range(5):
        post(clerk, f"{number}.wav", sound(number))
    first = clerk.get(f"{API}/calls", params={"limit": 3}).json()
    second = clerk.get(f"{API}/calls", params={"limit": 3, "after": first["next"]}).json()
    assert len(first["calls"]) == 3
    assert sorted(call["source"] for call in first["calls"] + second["calls"]) == [f"{n}.wav" for n in range(5)]
    assert second["next"] is None


def test_an_agent_sees_his_own_calls_alone(office: Office, clerk: Client) -> None:
    mine, other = (post(clerk, "a.wav", sound(n), agent=agent).json()["id"] for n, agent in enumerate(("1", "2")))
    agent = office.client(Permission.AGENT, agent="1")
    assert [call["id"] for call in agent.get(f"{API}/calls").json()["calls"]] == [mine]
    assert agent.get(f"{API}/calls/{other}").status_code == 404
    assert agent.get(f"{API}/calls/{other}/result").status_code == 404


def test_pages_are_there(clerk: Client, office: Office) -> None:
    assert "选择文件夹" in clerk.get("/uploads", headers=PAGE).text
    post(clerk, "a.wav", sound(1))
    post(clerk, "b.wav", sound(2))
    page = clerk.get("/queue", headers=PAGE).text
    assert "第 1 位" in page
    assert "第 2 位" in page
    (first, *_) = office.store.queue.line(CallState.QUEUED, 10)
    assert clerk.post(f"/queue/{first.id}/cancel", headers=PAGE).status_code == 303
    assert "已由" in clerk.get("/queue", headers=PAGE).text
    assert clerk.post("/queue/run-failed", headers=PAGE).status_code == 303
    assert office.store.calls.counts()[CallState.QUEUED] == 2
