"""Recordings by hash, in a folder and in an object store (fsspec's in-memory one)."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest

from phrasecheck.errors import NotFoundError, StoreError
from phrasecheck.store.recordings import Recordings


@pytest.fixture(params=["folder", "object store"])
def recordings(request: pytest.FixtureRequest, tmp_path: Path) -> Recordings:
    return Recordings(str(tmp_path / "录音 #1") if request.param == "folder" else f"memory://{uuid4()}/recordings")


def test_what_was_put_comes_back_under_its_hash(recordings: Recordings) -> None:
    kept = recordings.put(BytesIO(b"sound" * 1_000_000), "a.WAV")
    digest = sha256(b"sound" * 1_000_000).hexdigest()
    assert (kept.key, kept.sha256, kept.size) == (f"{digest[:2]}/{digest}.wav", digest, 5_000_000)
    with recordings.local(kept.key) as path:
        assert path.read_bytes() == b"sound" * 1_000_000
        assert path.suffix == ".wav"


def test_the_same_recording_is_kept_once(recordings: Recordings) -> None:
    one, two = (recordings.put(BytesIO(b"x"), name) for name in ("a.wav", "b.wav"))
    assert one == two
    assert recordings.put(BytesIO(b"x"), "a.alaw").key != one.key  # only the suffix says how to read it


def test_it_can_be_deleted_twice(recordings: Recordings) -> None:
    kept = recordings.put(BytesIO(b"x"), "a.wav")
    for _ in range(2):
        recordings.delete(kept.key)
        assert not recordings.exists(kept.key)
    with pytest.raises(NotFoundError, match="重新上传"), recordings.local(kept.key):
        pass


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a.wav/../../x", "a.\x00wav", "a.超长的后缀", "noend.", ".hidden", "a.w v", "a." + "b" * 300]
)
def test_the_users_name_leads_nowhere(recordings: Recordings, name: str) -> None:
    key = recordings.put(BytesIO(b"x"), name).key
    assert key == f"2d/{sha256(b'x').hexdigest()}"


class Torn(BytesIO):
    """An upload that breaks off."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise ConnectionResetError
        return super().read(1)


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="存不下录音"):
        Recordings(str(tmp_path)).put(Torn(b"sound"), "a.wav")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("url", ["nosuch://bucket", "/proc/nowhere"])
def test_a_place_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(StoreError, match=url):
        Recordings(url)
