"""A hundred uploads that mean no good: each gets a clear 4xx, or a clear refusal of what is inside, and leaves nothing behind.

The table is the test: a name, what is sent, the statuses that will do. Nothing may end in a 500, in a call, or in a file on the disk.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook

from phrasecheck.service.app import create_app
from phrasecheck.settings import Settings
from phrasecheck.store.states import CallState, Permission
from phrasecheck.store.store import open_store
from tests.service.desks import Client, Office
from tests.service.senders import API, LIMIT, PARTS, Answer, begin, left_behind, metadata, part, post, send, small, sound, zipped

Attack = Callable[[Client], Answer]
GB = 1 << 30
HTML = b"<!DOCTYPE html><html><body>Sign in to the hotel's network</body></html>"

FOREIGN = {  # what is no recording, whatever it calls itself
    "html": HTML,
    "html-bom": b"\xef\xbb\xbf" + HTML,
    "html-spaces": b"\r\n\t  " + HTML,
    "html-upper": HTML.upper(),
    "html-comment": b"<!-- saved from url --><html></html>",
    "xml": b'<?xml version="1.0"?><playlist/>',
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "pdf": b"%PDF-1.7\n" + bytes(500),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(500),
    "gif": b"GIF89a" + bytes(500),
    "webp": b"RIFF\0\1\0\0WEBPVP8 " + bytes(500),
    "heic": b"\0\0\0\x18ftypheic" + bytes(500),
    "avi": b"RIFF\0\1\0\0AVI LIST" + bytes(500),
    "exe": b"MZ\x90\0" + bytes(500),
    "elf": b"\x7fELF\2\1\1" + bytes(500),
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "rar": b"Rar!\x1a\7\1\0" + bytes(500),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(500),
    "gz": b"\x1f\x8b\x08" + bytes(500),
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
    "sqlite": b"SQLite format 3\0" + bytes(500),
    "text": "这不是录音，是一段话。\n".encode() * 20,
    "m3u": b"#EXTM3U\n#EXT-X-STREAM-INF\nhttp://169.254.169.254/latest\n",
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "json": b'{"error": "expired"}',
    "nulls": bytes(5000),
    "one-byte": b"R",
}
NAMES = {  # in the file name
    "null": "a\0.wav",
    "newline": "a\r\nX-Evil: 1.wav",
    "escape": "a\x1b[2J.wav",
    "long": "a" * 2000 + ".wav",
    "empty": "",
    "bidi": "a\u202evaw.exe",
}
FACTS = {
    "role": "root",
    "time": "yesterday",
    "direction": "sideways",
    "agent_channel": "both",
    "agent": "a" * 201,
    "team": "x\0y",
    "policy": "9" * 500,
}


def tus(name: str, data: bytes, **known: str) -> Attack:
    """In one part, by tus; the answer to the part, or to its beginning."""

    def attack(client: Client) -> Answer:
        begun = begin(client, len(data), filename=name, **known)
        return part(client, begun.headers["location"], 0, data) if begun.status_code == 201 else begun

    return attack


def direct(name: str, data: bytes, **fields: str) -> Attack:
    return lambda client: post(client, name, data, **fields)


def raw(data: bytes, kind: str = "multipart/form-data; boundary=b", path: str = f"{API}/calls", **headers: str) -> Attack:
    """A body as it is."""
    return lambda client: client.post(path, content=data, headers={"content-type": kind, **headers})


def opened(**headers: str) -> Attack:
    """A creation with these headers."""
    return lambda client: client.post(f"{API}/uploads", headers=headers)


def on(method: str, headers: dict[str, str], data: bytes = b"x" * 10, length: int = 1000) -> Attack:
    """Something done to an upload that was begun."""

    def attack(client: Client) -> Answer:
        place = begin(client, length, filename="a.wav").headers["location"]
        answer = client.request(method, place, content=data, headers=headers)
        assert client.delete(place).status_code in {204, 404}
        return answer

    return attack


def field(name: str, value: bytes, filename: bytes | None = None) -> bytes:
    named = b'; filename="' + filename + b'"' if filename is not None else b""
    return b'--b\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + named + b"\r\n\r\n" + value + b"\r\n"


AUDIO = field("audio", sound(), b"a.wav")
ATTACKS: dict[str, Attack] = {
    **{f"tus {what} named wav": tus("call.wav", data) for what, data in FOREIGN.items()},
    **{f"post {what} named wav": direct("call.wav", data) for what, data in FOREIGN.items()},
    **{f"{what} named mp3": tus("call.mp3", FOREIGN[what]) for what in ("html", "text", "png", "exe", "m3u", "json")},
    **{f"tus name {what}": tus(name, sound()) for what, name in NAMES.items()},
    **{f"tus fact {key}": tus("a.wav", sound(), **{key: value}) for key, value in FACTS.items()},
    **{f"post fact {key}": direct("a.wav", sound(), **{key: value}) for key, value in FACTS.items()},
    # lengths
    "3 GB announced": lambda client: begin(client, 3 * GB, filename="a.wav"),
    "3 GB header": raw(AUDIO + b"--b--\r\n", **{"content-length": str(3 * GB)}),
    "3 GB header on a part": on("PATCH", {"Upload-Offset": "0", "Content-Type": PARTS, "content-length": str(3 * GB)}),
    "3 GB header on a page": raw(b"x", "application/x-www-form-urlencoded", "/webhooks", **{"content-length": str(3 * GB)}),
    "too much": direct("a.wav", sound(size=LIMIT + (2 << 20))),
    "a little too much": direct("a.wav", sound(size=LIMIT + 8192)),
    "more than announced": on("PATCH", {"Upload-Offset": "0", "Content-Type": PARTS}, sound(size=5000)),
    "no length": opened(**{"Upload-Metadata": metadata(filename="a.wav")}),
    "negative length": opened(**{"Upload-Length": "-5", "Upload-Metadata": metadata(filename="a.wav")}),
    "length in words": opened(**{"Upload-Length": "many", "Upload-Metadata": metadata(filename="a.wav")}),
    "endless length": opened(**{"Upload-Length": "9" * 400, "Upload-Metadata": metadata(filename="a.wav")}),
    "empty": lambda client: begin(client, 0, filename="a.wav"),
    "empty post": direct("a.wav", b""),
    # tus
    "no name": opened(**{"Upload-Length": "5"}),
    "metadata no base64": opened(**{"Upload-Length": "5", "Upload-Metadata": "filename a.wav"}),
    "metadata no text": opened(**{"Upload-Length": "5", "Upload-Metadata": "filename /////w=="}),
    "many facts": opened(**{"Upload-Length": "5", "Upload-Metadata": metadata(filename="a.wav", **{f"k{n}": "v" for n in range(99)})}),
    "huge metadata": opened(**{"Upload-Length": "5", "Upload-Metadata": metadata(filename="a.wav", x="y" * 20_000)}),
    "offset ahead": on("PATCH", {"Upload-Offset": "500", "Content-Type": PARTS}),
    "offset negative": on("PATCH", {"Upload-Offset": "-1", "Content-Type": PARTS}),
    "offset missing": on("PATCH", {"Content-Type": PARTS}),
    "offset endless": on("PATCH", {"Upload-Offset": "9" * 300, "Content-Type": PARTS}),
    "part as json": on("PATCH", {"Upload-Offset": "0", "Content-Type": "application/json"}),
    "wrong version": on("PATCH", {"Upload-Offset": "0", "Content-Type": PARTS, "Tus-Resumable": "9.9.9"}),
    "no such upload": lambda client: part(client, f"{API}/uploads/{'0' * 32}", 0, b"x"),
    "a path for an id": lambda client: client.get(f"{API}/uploads/..%2f..%2fetc%2fpasswd"),
    "null in an id": lambda client: client.get(f"{API}/uploads/abc%00"),
    "null in a call": lambda client: client.get(f"{API}/calls/abc%00"),
    # multipart
    "no multipart": raw(b"hello", "text/plain"),
    "no boundary": raw(AUDIO, "multipart/form-data"),
    "wrong boundary": raw(AUDIO, "multipart/form-data; boundary=other"),
    "cut off": raw(AUDIO[:200]),
    "cut in a header": raw(AUDIO[:30]),
    "binary rubbish": raw(bytes(range(256)) * 20),
    "no name of the part": raw(b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    "bad header of the part": raw(b"--b\r\n:::\r\n\r\nx\r\n--b--\r\n"),
    "audio as text": raw(field("audio", b"hello") + b"--b--\r\n"),
    "no audio": raw(field("role", b"survey") + b"--b--\r\n"),
    "two recordings": raw(AUDIO + AUDIO + b"--b--\r\n"),
    "huge field": raw(AUDIO + field("agent", b"a" * 200_000) + b"--b--\r\n"),
    "many fields": raw(AUDIO + b"".join(field(f"k{n}", b"v") for n in range(500)) + b"--b--\r\n"),
    "null in a field": raw(AUDIO + field("agent", b"a\0b") + b"--b--\r\n"),
    "null in a field's name": raw(AUDIO + field("a\0b", b"c") + b"--b--\r\n"),
    "null in the file's name": raw(field("audio", sound(), b"a\0.wav") + b"--b--\r\n"),
    "empty body": raw(b""),
    "zip by the door for one": direct("a.zip", zipped(("a.wav", sound()))),
    "csv by the door for one": direct("a.csv", b"file\na.wav\n"),
    "key with spaces": lambda client: client.post(f"{API}/calls", files={"audio": ("a.wav", sound())}, headers={"Idempotency-Key": "a b"}),
    "long key": lambda client: client.post(f"{API}/calls", files={"audio": ("a.wav", sound())}, headers={"Idempotency-Key": "k" * 500}),
    # lists
    "state in words": lambda client: client.get(f"{API}/calls", params={"state": "' OR 1=1 --"}),
    "null in a filter": lambda client: client.get(f"{API}/calls?agent=a%00b"),
    "time before time": lambda client: client.get(f"{API}/calls?since=0001-01-01T00:00:00"),
    "limit endless": lambda client: client.get(f"{API}/calls?limit=99999999999999999999"),
    "after nothing": lambda client: client.get(f"{API}/calls?after=nothing"),
    "run again nothing": lambda client: client.post(f"{API}/calls/nothing/run-again"),
    # a form of another site, a token of another scope
    "no csrf": lambda client: client.post(f"{API}/uploads", headers={"x-csrf-token": "guessed", "Upload-Length": "5"}),
    "another site": lambda client: client.post(f"{API}/uploads", headers={"origin": "https://evil.example", "Upload-Length": "5"}),
}


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    store = open_store(settings.store)
    yield Office(create_app(small(settings), store), store)
    store.close()


def test_there_are_a_hundred() -> None:
    assert len(ATTACKS) + len(INSIDE) >= 100


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_hostile_upload_is_refused_and_leaves_nothing(office: Office, attack: Attack) -> None:
    answer = attack(office.client(Permission.INSPECTOR))
    assert 400 <= answer.status_code < 500, answer.text
    told = answer.json()["error"]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told["message"]), told
    clean(office)


@pytest.mark.parametrize(
    ("status", "attack"), [(413, "3 GB announced"), (413, "3 GB header"), (413, "3 GB header on a part"), (413, "too much")]
)
def test_what_is_too_large_is_told_so(office: Office, status: int, attack: str) -> None:
    assert ATTACKS[attack](office.client(Permission.INSPECTOR)).status_code == status


def test_what_is_no_recording_is_refused_before_the_rest_is_sent(office: Office) -> None:
    client = office.client(Permission.INSPECTOR)
    place = begin(client, 2 << 20, filename="call.wav").headers["location"]
    refused = part(client, place, 0, HTML * 100)
    assert refused.status_code == 422
    assert "网页" in refused.json()["error"]["message"]
    assert client.head(place).status_code == 404
    clean(office)


def clean(office: Office) -> None:
    """No call, no file."""
    assert office.store.calls.counts() == dict.fromkeys(CallState, 0)
    assert left_behind(office) == []


# --- what is inside a ZIP or a table -------------------------------------------------------------------------------------------------


def lying(size: int) -> bytes:
    """A ZIP whose table of contents says another size."""
    data = bytearray(zipped(("a.wav", sound())))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", size)
    return bytes(data)


def with_contents_of(size: int) -> bytes:
    """A ZIP that says its table of contents has so many bytes."""
    data = bytearray(zipped(*((f"{'n' * 200}{n}.wav", b"x") for n in range(700))))
    data[-10:-6] = struct.pack("<I", min(size, len(data) - 22))
    return bytes(data)


def method(number: int) -> bytes:
    """A ZIP with an odd way of packing."""
    return zipped(("a.wav", sound()), method=number)


def workbook(*rows: list[object]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(out)
    return out.getvalue()


def swapped(data: bytes, name: str, content: bytes) -> bytes:
    """A workbook with other bytes for one of its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return zipped(*((part, content if part == name else book.read(part)) for part in book.namelist()))


SHEET = "xl/worksheets/sheet1.xml"
BOOK = workbook(["文件", "坐席"], ["a.wav", "1"])
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(12))
    + b"]><worksheet>&m;</worksheet>"
)
FETCH = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'
CELLS = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData/></worksheet>'
)

INSIDE: dict[str, tuple[str, bytes, str]] = {  # file name, bytes, a word of the refusal
    "bomb": ("a.zip", zipped(("a.wav", sound() + bytes(2_900_000))), "压缩炸弹"),
    "bombs in sum": ("a.zip", zipped(*((f"{n}.wav", bytes(2_900_000)) for n in range(9))), "MB"),
    "too large inside": ("a.zip", zipped(("a.wav", bytes(LIMIT + 9))), "不超过"),
    "too many": ("a.zip", zipped(*((f"{n}.wav", b"x") for n in range(51))), "50 个文件"),
    "contents too long": ("a.zip", with_contents_of(1 << 31), "目录过长"),
    "says less": ("a.zip", lying(10), "损坏"),
    "says more": ("a.zip", lying(90_000), "损坏"),
    "cut off": ("a.zip", zipped(("a.wav", sound(size=9000)))[:-30], "损坏"),
    "only a beginning": ("a.zip", b"PK\x03\x04" + bytes(100), "损坏"),
    "empty": ("a.zip", zipped(), "没有文件"),
    "null in a name": ("a.zip", zipped(("a_.wav", sound())).replace(b"a_.wav", b"a\0.wav"), "空字节"),
    "bzip2": ("a.zip", method(zipfile.ZIP_BZIP2), "压缩方式"),
    "lzma": ("a.zip", method(zipfile.ZIP_LZMA), "压缩方式"),
    "html inside": ("a.zip", zipped(("a.wav", HTML)), "网页"),
    "zip inside": ("a.zip", zipped(("a.zip", zipped(("a.wav", sound())))), "不展开"),
    "zip as wav inside": ("a.zip", zipped(("a.wav", zipped(("a.wav", sound())))), "不展开"),
    "path out": ("a.zip", zipped(("../a.wav", sound())), "压缩包之外"),
    "path out of Windows": ("a.zip", zipped(("..\\..\\a.wav", sound())), "压缩包之外"),
    "csv without files": ("a.csv", "坐席\n1\n".encode(), "「文件」"),
    "csv with an odd role": ("a.csv", "文件,岗位\na.wav,厨师\n".encode(), "第 2 行"),
    "csv in UTF-16": ("a.csv", "文件,坐席\na.wav,1\n".encode("utf-16"), "空字节"),
    "csv in no encoding": ("a.csv", "文件,坐席\n".encode() + b"\xff\xfe\xfd\x80.wav,1\n", "UTF-8 或 GBK"),
    "csv with nulls": ("a.csv", b"file,agent\na.wav,\0\n", "空字节"),
    "csv with a huge field": ("a.csv", b"file,agent\na.wav," + b"a" * 200_000 + b"\n", "CSV"),
    "csv with a long field": ("a.csv", b"file,agent\na.wav," + b"a" * 2000 + b"\n", "200 字"),
    "csv with an open quote": ("a.csv", b'file,agent\n"a.wav' + b"x,\n" * 60_000, "CSV"),
    "csv with many columns": ("a.csv", b"file" + b",x" * 500 + b"\n", "100 列"),
    "csv twice a file": ("a.csv", b"file\na.wav\nb/a.wav\n", "两次"),
    "csv that is html": ("a.csv", HTML, "网页"),
    "xlsx that is html": ("a.xlsx", HTML, "XLSX"),
    "xlsx that is a zip": ("a.xlsx", zipped(("a.wav", sound())), "XLSX"),
    "xlsx bomb": ("a.xlsx", swapped(BOOK, SHEET, b"<worksheet>" + b" " * (70 << 20)), "展开后"),
    "xlsx laughs": ("a.xlsx", swapped(BOOK, SHEET, LAUGHS), "XLSX"),
    "xlsx fetches": ("a.xlsx", swapped(BOOK, SHEET, FETCH), "XLSX"),
    "xlsx broken": ("a.xlsx", swapped(BOOK, SHEET, b"<worksheet"), "XLSX"),
    "xlsx without cells": ("a.xlsx", swapped(BOOK, SHEET, CELLS), "「文件」"),
    "xlsx of many parts": ("a.xlsx", zipped(*((f"{n}.xml", b"x") for n in range(1200))), "展开后"),
    "xlsx with an odd channel": ("a.xlsx", workbook(["文件", "坐席声道"], ["a.wav", "中"]), "坐席声道"),
}


@pytest.mark.parametrize(("name", "data", "says"), INSIDE.values(), ids=INSIDE)
def test_what_is_hostile_inside_is_refused_and_leaves_nothing(office: Office, name: str, data: bytes, says: str) -> None:
    client = office.client(Permission.INSPECTOR)
    refusals = refused(client, name, data)
    assert refusals
    assert all(says in refusal for refusal in refusals), refusals
    clean(office)


def refused(client: Client, name: str, data: bytes) -> list[str]:
    """The reasons; of the part itself when it was refused at once."""
    begun = begin(client, len(data), filename=name)
    answer = part(client, begun.headers["location"], 0, data)
    if answer.status_code != 204:
        assert answer.status_code == 422
        return [answer.json()["error"]["message"]]
    items = client.get(begun.headers["location"]).json()["items"]
    assert {item["outcome"] for item in items} <= {"refused"}
    return [item["message"] for item in items]


def test_a_zip_that_lies_leaves_its_neighbours_alone(office: Office, tmp_path: Path) -> None:
    told = send(office.client(Permission.LEAD), "day.zip", zipped(("bad.wav", HTML), ("good.wav", sound()), ("../out.wav", sound(2))))
    assert [item["outcome"] for item in told["items"]] == ["refused", "accepted", "refused"]
    assert len(left_behind(office)) == 1
