"""Which weights there are, and where on this machine.

In: models/manifest.yaml, a cache folder, and what the user calls the recogniser. Out: folders, the engine that runs one, and checks. The one
decision: a big file is hashed while it is joined and then marked with its size and time, so that a start costs a stat and not 145 MB of reading;
`verify` reads everything.
"""

import hashlib
import importlib.util
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from phrasecheck.errors import ModelError
from phrasecheck.resources import resource
from phrasecheck.settings import Settings
from phrasecheck.transcribe import Recogniser

CHUNK = 1 << 20
HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")  # large-v3, Systran/faster-whisper-large-v3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One set of weights in the manifest; the fields are explained at its head."""

    name: str
    file: str
    source: str
    sha256: str
    size: int
    licence: str
    purpose: str
    parts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What `verify` found of one entry: `path` is None where the weights are not on this machine yet."""

    entry: Entry
    path: Path | None
    problem: str | None = None


def entries() -> tuple[Entry, ...]:
    """The manifest, in its order. ModelError when it cannot be read."""
    file = resource("models/manifest.yaml")
    try:
        rows: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
        return tuple(Entry(**(row | {key: tuple(row.get(key, ())) for key in ("parts", "beside")})) for row in rows)
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise ModelError(f"读不了模型清单 {file}：{error}") from error


def entry(name: str) -> Entry:
    """The entry called `name`. ModelError when there is none."""
    known = {each.name: each for each in entries()}
    if name not in known:
        raise ModelError(f"模型清单里没有 {name}，应为：{'、'.join(known)}。")
    return known[name]


def load_recogniser(settings: Settings) -> Recogniser:
    """The recogniser that the settings name, ready to hear. Raises ModelError, InputError."""
    folder = resolve(settings.asr.model, settings.cache_dir)
    if settings.asr.engine == "whisper" or (settings.asr.engine == "auto" and (folder / "model.bin").is_file()):
        from phrasecheck.engines.whisper import Whisper

        return Whisper(folder, settings.asr)
    from phrasecheck.engines.sherpa import Sherpa

    return Sherpa(folder, settings.asr)


def resolve(model: str, cache_dir: Path) -> Path:
    """The folder of the recogniser called `model`: 'base' (the shipped weights), a folder, or a size or hub name that faster-whisper fetches."""
    if model == "base":
        return whisper_base(cache_dir)
    folder = Path(model).expanduser()
    if (folder / "model.bin").is_file() or (folder / "tokens.txt").is_file():
        return folder
    if not folder.exists() and HUB_NAME.fullmatch(model):
        return _fetched(model, cache_dir.expanduser() / "hub")
    raise ModelError(
        "语音识别模型应为 base、一个文件夹（CTranslate2 的含 model.bin，sherpa-onnx 的含 tokens.txt），"
        f"或 faster-whisper 的型号（如 large-v3）、Hugging Face 上的名字，收到的是 {model}。请检查 --asr-model。"
    )


def _fetched(name: str, cache: Path) -> Path:
    from faster_whisper.utils import download_model

    problem: object = None
    for offline in (True, False):  # what was fetched once needs no network again
        if not offline:
            log.warning("正在从 Hugging Face 取语音识别模型 %s，大的有几 GB，请稍等。", name)
        try:
            folder = Path(download_model(name, local_files_only=offline, cache_dir=str(cache)))
        except Exception as error:  # whatever the network, the hub or the disk has against it
            problem = error
            continue
        if (folder / "model.bin").is_file():
            return folder
        problem = "那里没有 model.bin，不是 CTranslate2 格式"
    raise ModelError(
        f"{name} 不是这台机器上的文件夹，按 faster-whisper 的型号或 Hugging Face 上的名字也取不到：{problem}。"
        "不能联网时，请在别的机器上取来整个文件夹，用 --asr-model 指明它的位置。"
    )


def whisper_base(cache_dir: Path) -> Path:
    """The folder with the shipped Whisper weights, joined from their two packages on first use; several processes may ask at once.

    Raises ModelError when a package is missing, the cache cannot be written, or the hash is wrong (the bad file is then gone).
    """
    wanted = entry("whisper-base")
    folder = cache_dir.expanduser() / wanted.name
    file = folder / wanted.file
    try:
        if not _marked(file, wanted):
            if file.exists():
                _check_file(file, wanted)
            else:
                _install(wanted, folder)
            _mark(file)
    except OSError as error:
        raise ModelError(f"写不了模型缓存 {folder}：{error}。请检查磁盘空间和权限，或用设置 cache_dir 换一个位置。") from error
    return folder


def verify(cache_dir: Path) -> list[Check]:
    """Read every file of the manifest that is on this machine and compare its hash. Nothing is removed."""
    return [_verified(each, _place(each, cache_dir.expanduser())) for each in entries()]


def _place(wanted: Entry, cache_dir: Path) -> Path | None:
    """Where the one file of `wanted` lies: in the cache when it is joined, in its package, or beside the manifest."""
    if len(wanted.parts) == 1:
        try:
            return packaged(wanted.parts[0])
        except ModelError:
            return None
    path = cache_dir / wanted.name / wanted.file if wanted.parts else resource("models") / wanted.file
    return path if path.is_file() else None


def _verified(wanted: Entry, path: Path | None) -> Check:
    if path is None:
        return Check(entry=wanted, path=None)
    found = _digest(path)
    problem = None if found == wanted.sha256 else f"哈希不符：应为 {wanted.sha256}，实际为 {found}"
    return Check(entry=wanted, path=path, problem=problem)


def packaged(part: str) -> Path:
    """The file "package/path inside it" of an installed Python package. ModelError when the package or the file is missing."""
    package, _, inside = part.partition("/")
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / inside
        if path.is_file():
            return path
    raise ModelError(f"缺少模型数据 {part}：请运行 pip install {package.replace('_', '-')}。")


def _chunks(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _install(wanted: Entry, folder: Path) -> None:
    """Join the parts into `folder`. Every file arrives whole, by a rename; the weights last."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [packaged(part) for part in wanted.parts]
    for path in map(packaged, wanted.beside):
        _arrive(folder / path.name, _chunks([path]))
    found = _arrive(folder / wanted.file, _chunks(parts), sha256=wanted.sha256)
    if found != wanted.sha256:
        raise ModelError(
            f"模型 {wanted.name} 的哈希不符：应为 {wanted.sha256}，由安装包拼出的是 {found}。没有保留拼出的文件；"
            f"请重新安装：pip install --force-reinstall {' '.join(part.split('/')[0].replace('_', '-') for part in wanted.parts)}"
        )


def _arrive(target: Path, chunks: Iterable[bytes], sha256: str | None = None) -> str:
    """Write `chunks` beside `target` and rename onto it, unless their hash is not `sha256`. Returns the hash."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    temporary = Path(name)
    try:
        digest = hashlib.sha256()
        with os.fdopen(handle, "wb") as stream:
            for chunk in chunks:
                digest.update(chunk)
                stream.write(chunk)
        if sha256 in (None, digest.hexdigest()):
            temporary.chmod(0o644)
            temporary.replace(target)
        return digest.hexdigest()
    finally:
        temporary.unlink(missing_ok=True)


def _check_file(file: Path, wanted: Entry) -> None:
    """A file without a valid mark: written by another process just now, or touched since. Only its bytes can tell."""
    found = _digest(file)
    if found != wanted.sha256:
        file.unlink(missing_ok=True)
        raise ModelError(f"模型文件 {file} 已损坏：哈希应为 {wanted.sha256}，实际为 {found}。坏文件已删除，请再运行一次，会重新生成。")


def _stamp(file: Path) -> dict[str, Any]:
    status = file.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _marked(file: Path, wanted: Entry) -> bool:
    try:
        mark = json.loads(_mark_of(file).read_text(encoding="utf-8"))
        return bool(mark == _stamp(file)) and file.stat().st_size == wanted.size
    except (OSError, ValueError):
        return False


def _mark(file: Path) -> None:
    _arrive(_mark_of(file), [json.dumps(_stamp(file)).encode()])


def _mark_of(file: Path) -> Path:
    return file.with_name(file.name + ".checked")
