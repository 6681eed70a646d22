"""The lexicon's pages: read, tried, edited, compared, gone back to; and stored calls judged again, over HTTP."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from phrasecheck.current import CurrentMatcher
from phrasecheck.rescoring import Rescoring
from phrasecheck.settings import Settings
from phrasecheck.store.states import Permission
from tests.desk_lexicons import current, stored, transcript
from tests.service.desks import PAGE, Client, Office

SAID = transcript("您好，请问有什么可以帮您", "代步车没有，自己想办法", "有意见，告去")
PHRASE = {
    "id": "co-01",
    "new": "true",
    "section": "9.1",
    "severity": "较重",
    "text": "代步车没有，自己想办法",
    "severity_reason": "推诿",
    "why": "合同里有",
    "instead": "我给您登记明天的",
    "examples": "哪有车给你\n腿长你身上",
    "fine": "今天没车了，我给您登记明天的",
    "enabled": "true",
}


@pytest.fixture
def matchers(office: Office, settings: Settings) -> CurrentMatcher:
    """A desk without weights."""
    made = current(settings, office.store)
    office.app.state.desk = replace(office.app.state.desk, matcher=made)
    return made


@pytest.fixture
def lead(office: Office, matchers: CurrentMatcher) -> Client:
    return office.client(Permission.LEAD)


@pytest.fixture
def rescoring(office: Office, settings: Settings, matchers: CurrentMatcher) -> Iterator[Rescoring]:
    with matchers.use() as matcher:
        for _ in range(3):
            stored(office.store, matcher, settings, SAID, team="一组")
    yield Rescoring(office.store, settings, matchers)


def turns(rescoring: Rescoring) -> None:
    while rescoring.turn():
        pass


def read(client: Client, path: str, status: int = 200, **query: Any) -> str:
    answer = client.get(path, params=query, headers=PAGE)
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def save(client: Client, after: int = 0, **fields: str) -> Any:
    return client.post("/lexicon/edit/phrase", data={**PHRASE, "after": str(after), **fields}, headers=PAGE)


# --- reading and trying -----------------------------------------------------------------------------------------------------------


def test_the_lexicon_is_there_by_section_with_what_to_say_instead(lead: Client) -> None:
    text = read(lead, "/lexicon")
    assert text.count('<td class="fit"><a href="/lexicon/phrases/') == 98
    assert text.count("<h2 id=") == 9
    found = read(lead, "/lexicon", q="告去")
    assert "9.1.10" in found and "9.1.04" not in found
    assert "没有符合的禁语" in read(lead, "/lexicon", q="没有这句话")
    assert "9.2." not in read(lead, "/lexicon", section="9.1").partition("<table")[2]


def test_a_phrase_says_why_and_what_to_say_instead(office: Office, lead: Client) -> None:
    assert "有意见,告去。" in read(lead, "/lexicon/phrases/9.1.10")
    assert "没有禁语 9.9.99" in read(lead, "/lexicon/phrases/9.9.99", 404)
    agent = office.client(Permission.AGENT, agent="1")
    assert "修改" not in read(agent, "/lexicon/phrases/9.1.10")


def test_a_sentence_is_tried(lead: Client) -> None:
    answer = lead.post("/lexicon/bench", data={"text": "那个，有意见，告去。", "role": "survey"}, headers=PAGE)
    text = unescape(answer.text)
    assert answer.status_code == 200
    for part in (
        "命中",
        "9.1.10",
        '<mark class="hit">',
        "最近的违规例句",
        "最近的合规例句",
        "哪些词起了作用",
        "最接近的禁语",
        "可以这样说",
    ):
        assert part in text, part
    assert "不命中" in unescape(lead.post("/lexicon/bench", data={"text": "您好", "role": "survey"}, headers=PAGE).text)
    assert "没有可比对的字" in unescape(lead.post("/lexicon/bench", data={"text": "……", "role": "survey"}, headers=PAGE).text)
    assert lead.post("/lexicon/bench", data={"text": "好" * 501, "role": "survey"}, headers=PAGE).status_code == 422


def test_a_version_not_in_force_is_tried(lead: Client) -> None:
    save(lead)
    said = {"text": "代步车没有，自己想办法", "role": "survey"}
    assert "co-01" not in lead.post("/lexicon/bench", data=said, headers=PAGE).text
    assert "co-01" in lead.post("/lexicon/bench", data={**said, "version": "1"}, headers=PAGE).text
    assert lead.post("/lexicon/bench", data={**said, "version": "9"}, headers=PAGE).status_code == 404


# --- editing ------------------------------------------------------------------------------------------------------------------------


def test_a_phrase_is_added_in_the_form_and_put_in_force(office: Office, lead: Client) -> None:
    answer = save(lead, active="true", note="代步车投诉多")
    assert (answer.status_code, answer.headers["location"]) == (303, "/lexicon/versions")
    assert "co-01" in read(lead, "/lexicon")
    versions = read(lead, "/lexicon/versions")
    assert "代步车投诉多" in versions and "现行" in versions
    edit = read(lead, "/lexicon/edit/phrase", id="co-01")
    assert "哪有车给你\n腿长你身上" in edit
    assert office.store.lexicons.active_number() == 1


def test_only_what_differs_is_written_down(office: Office, lead: Client) -> None:
    form = read(lead, "/lexicon/edit/phrase", id="9.1.04")
    fields = dict(re.findall(r'<textarea id="(\w+)"[^>]*>([^<]*)</textarea>', form))
    shown = re.search(r'name="text" value="([^"]*)"', form)
    assert shown is not None
    same = {**fields, "id": "9.1.04", "section": "9.1", "text": shown.group(1), "new": "", "enabled": "true"}
    lead.post("/lexicon/edit/phrase", data={**same, "severity": "较重", "after": "0"}, headers=PAGE)
    assert "id: 9.1.04\n  severity: 较重\n" in office.store.lexicons.get(1).body
    assert office.store.lexicons.get(1).body.count("\n  ") <= 2
    lead.post("/lexicon/edit/phrase", data={**same, "severity": "较重", "enabled": "", "after": "1"}, headers=PAGE)
    assert "enabled: false" in office.store.lexicons.get(2).body
    assert "停用" in read(lead, "/lexicon/edit")
    lead.post("/lexicon/edit/remove", data={"id": "9.1.04", "after": "2"}, headers=PAGE)
    assert "9.1.04" not in office.store.lexicons.get(3).body


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("severity", "很重", "不在允许的取值之内"),
        ("text", "，。", "没有可比对的字"),
        ("why", "", "缺少 why"),
        ("alone", "没车给您", "不是 text 里的一个分句"),
        ("spellings", "{车", "没有配对"),
        ("section", "7.7", "没有在 sections 里定义"),
        ("id", "co 1", "不能有空格"),
        ("id", "9.1.10", "已经有了"),
        ("examples", "今天没车了，我给您登记明天的吧", "几乎一样"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(office: Office, lead: Client, field: str, value: str, reason: str) -> None:
    answer = lead.post("/lexicon/edit/phrase", data={**PHRASE, "after": "0", field: value}, headers=PAGE)
    assert answer.status_code == 422
    text = unescape(answer.text)
    beside = re.search(rf'<p class="problem" id="{field}-problem" role="alert">([^<]*)</p>', text)
    assert beside is not None, text
    assert reason in beside.group(1)
    assert "登记明天的" in text  # what was typed is not lost
    assert office.store.lexicons.latest() == 0


def test_the_same_file_as_yaml(office: Office, lead: Client) -> None:
    save(lead)
    body = re.search(r'<textarea id="body"[^>]*>([^<]*)</textarea>', read(lead, "/lexicon/edit/yaml"))
    assert body is not None and "id: co-01" in body.group(1)
    wrong = lead.post("/lexicon/edit/yaml", data={"body": body.group(1).replace("较重", "很重"), "after": "1"}, headers=PAGE)
    assert wrong.status_code == 422
    assert re.search(r"第 \d+ 行：co-01 的 severity：不在允许的取值之内", unescape(wrong.text))
    changed = body.group(1).replace("较重", "严重").replace("\n", "\r\n")
    assert lead.post("/lexicon/edit/yaml", data={"body": changed, "after": "1", "note": "更重"}, headers=PAGE).status_code == 303
    assert "\r" not in office.store.lexicons.get(2).body
    for hostile in ("a: &a [*a]", "- " * 5000, "\x00", "!!python/object/apply:os.system ['true']", "[" * 3000):
        assert lead.post("/lexicon/edit/yaml", data={"body": hostile, "after": "2"}, headers=PAGE).status_code == 422, hostile[:20]
    answer = office.program(office.user(Permission.INSPECTOR), ["read"]).get("/api/v1/lexicon/versions/2")
    assert "id: co-01" in answer.text and "attachment" in answer.headers["content-disposition"]


def test_who_edits_an_old_version_is_told(lead: Client) -> None:
    assert save(lead).status_code == 303
    answer = save(lead, 0, id="co-02")
    assert answer.status_code == 409
    assert "现在已有第 1 版" in answer.text


def test_versions_are_compared_and_gone_back_to(office: Office, lead: Client) -> None:
    save(lead, active="true")
    save(lead, 1, id="co-01", new="", severity="严重", active="true")
    text = read(lead, "/lexicon/compare", old=1, new=2)
    assert "修改 1 条" in text and "较重" in text and "严重" in text
    assert "新增 1 条" in read(lead, "/lexicon/compare", old=0, new=1)
    assert "去掉 1 条" in read(lead, "/lexicon/compare", old=1, new=0)
    assert "两版没有不同" in read(lead, "/lexicon/compare", old=2, new=2)
    assert lead.post("/lexicon/versions/1/activate", headers=PAGE).status_code == 303
    assert office.store.lexicons.active_number() == 1
    assert lead.post("/lexicon/versions/0/activate", headers=PAGE).status_code == 303
    assert office.store.lexicons.active_number() == 0
    assert lead.post("/lexicon/versions/9/activate", headers=PAGE).status_code == 404


def test_programs_read_the_lexicon_in_force(office: Office, lead: Client) -> None:
    save(lead, active="true")
    told = office.program(office.user(Permission.TRAINER, team="一组"), ["read"]).get("/api/v1/lexicon").json()
    assert told["version"] == 1
    assert {phrase["id"] for phrase in told["phrases"]} >= {"co-01", "9.1.10"}


# --- judging again ------------------------------------------------------------------------------------------------------------------


def test_stored_calls_are_judged_again_after_a_look(office: Office, lead: Client, rescoring: Rescoring) -> None:
    save(lead)
    answer = lead.post("/rescores", data={"version": "1", "team": "一组"}, headers=PAGE)
    assert answer.headers["location"] == "/rescores/1"
    assert "预览中" in read(lead, "/rescores/1")
    turns(rescoring)
    text = read(lead, "/rescores/1")
    assert "待确认" in text and text.count("co-01") == 3 and "未启用" in text
    assert lead.get("/api/v1/rescores/1").json()["appeared"] == 3
    assert lead.post("/rescores/1/apply", headers=PAGE).status_code == 303
    turns(rescoring)
    assert "已应用" in read(lead, "/rescores/1")
    assert lead.post("/rescores/1/apply", headers=PAGE).status_code == 409
    assert "已应用" in read(lead, "/rescores")


def test_a_preview_is_dropped(lead: Client, rescoring: Rescoring) -> None:
    lead.post("/rescores", data={"version": "0"}, headers=PAGE)
    turns(rescoring)
    assert "没有一通会改变" in read(lead, "/rescores/1")
    assert lead.post("/rescores/1/cancel", headers=PAGE).status_code == 303
    assert "已停止" in read(lead, "/rescores/1")


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"version": "9"}, 404), ({"version": "0", "team": "九组"}, 409), ({"version": "0", "since": "x"}, 422), ({}, 422)],
)
def test_a_wrong_rescoring_is_refused(lead: Client, rescoring: Rescoring, fields: dict[str, str], status: int) -> None:
    assert lead.post("/rescores", data=fields, headers=PAGE).status_code == status


def test_programs_rescore_too(office: Office, rescoring: Rescoring) -> None:
    program = office.program(office.user(Permission.LEAD), ["review", "read"])
    answer = program.post("/api/v1/rescores", json={"version": 0, "since": "2020-01-01T00:00:00+08:00"})
    assert (answer.status_code, answer.json()["state"]) == (201, "previewing")
    turns(rescoring)
    number = answer.json()["id"]
    assert program.get(f"/api/v1/rescores/{number}/changes").json() == {"calls": [], "next": None}
    assert program.post(f"/api/v1/rescores/{number}/apply").json()["state"] == "applying"
    assert program.post("/api/v1/rescores", json={"version": 0, "since": "2020-01-01T00:00:00"}).status_code == 422
