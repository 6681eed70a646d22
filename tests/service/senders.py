"""What sends files in tests: recordings and ZIPs made on the spot, an office with small limits, and the few steps of tus.

In: a client. Out: what the API says. The one decision: no recording here is decoded by anybody, so a header and some bytes do.
"""

import io
import zipfile
from base64 import b64encode
from pathlib import Path
from typing import Any

from phrasecheck.settings import ServiceSettings, Settings
from tests.broken_files import wav_of
from tests.service.desks import Client, Office

API = "/api/v1"
LIMIT = 3 << 20
SMALL = ServiceSettings(upload_bytes=LIMIT, zip_files=50, zip_bytes=8 << 20, form_bytes=256 << 10)
Answer = Any  # a Response of httpx or httpx2, whichever Starlette has found
PARTS = "application/offset+octet-stream"


def small(settings: Settings) -> Settings:
    """The settings with limits that a test can reach."""
    return settings.model_copy(update={"service": SMALL})


def sound(mark: int = 0, size: int = 2000) -> bytes:
    """A wav like no other with another mark."""
    return wav_of(mark.to_bytes(8, "little") + bytes(range(256)) * (size // 256), count=1)


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def metadata(**known: str) -> str:
    """The header Upload-Metadata."""
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in known.items())


def begin(client: Client, length: int, **known: str) -> Answer:
    """POST: creation."""
    return client.post(f"{API}/uploads", headers={"Upload-Length": str(length), "Upload-Metadata": metadata(**known)})


def part(client: Client, place: str, offset: int, data: bytes, **headers: str) -> Answer:
    """PATCH: the bytes from an offset on."""
    return client.patch(place, content=data, headers={"Upload-Offset": str(offset), "Content-Type": PARTS, **headers})


def send(client: Client, name: str, data: bytes, **known: str) -> dict[str, Any]:
    """A whole file in one part; what became of it."""
    begun = begin(client, len(data), filename=name, **known)
    assert begun.status_code == 201, begun.text
    sent = part(client, begun.headers["location"], 0, data)
    assert sent.status_code == 204, sent.text
    told: dict[str, Any] = client.get(begun.headers["location"]).json()
    assert told["state"] == "taken"
    return told


def outcomes(told: dict[str, Any]) -> list[str]:
    """The outcome of each file in it."""
    return [item["outcome"] for item in told["items"]]


def post(client: Client, name: str, data: bytes, key: str | None = None, **fields: str) -> Answer:
    """POST /api/v1/calls."""
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{API}/calls", files={"audio": (name, data)}, data=fields, headers=headers)


def left_behind(office: Office) -> list[Path]:
    """Files on the disk that belong to no call."""
    return [path for path in office.store.uploads.folder.parent.rglob("*") if path.is_file()]
