"""Which encoders, which stored vectors, which lexicon a matcher is made of."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from phrasecheck import resources
from phrasecheck.build import VECTORS, build_matcher, digest, encoder_folders, shipped_neighbours, stored_vectors
from phrasecheck.lexicon import Exemplar, load_exemplars
from phrasecheck.settings import MatchSettings, Settings
from phrasecheck.types import Method
from tests.matching.fakes import WIDTH, FakeEncoder
from tests.matching.lexicons import lexicon, phrase

_HERE = all((root / "models" / name).exists() for root in resources.ROOTS[-1:] for name in ("encoder-characters", "fuse.json"))
shipped_models = pytest.mark.skipif(not _HERE, reason="models/ is made by `phrasecheck train` and `calibrate`")


def test_the_users_own_encoder_stands_alone(tmp_path: Path) -> None:
    assert encoder_folders(Settings(encoder=str(tmp_path))) == (tmp_path,)


@pytest.mark.parametrize(("names", "expected"), [(["characters"], 1), (["characters", "sound"], 2)])
def test_the_encoder_by_sound_may_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], expected: int) -> None:
    monkeypatch.setattr(resources, "ROOTS", (tmp_path,))
    for name in names:
        (tmp_path / "models" / f"encoder-{name}").mkdir(parents=True)
    assert [folder.name for folder in encoder_folders(Settings())] == [f"encoder-{name}" for name in names]
    assert len(names) == expected


@shipped_models
def test_shipped_encoders_are_called_what_the_manifest_calls_them() -> None:
    """One trained into another folder and copied here would carry that folder's name into every result."""
    manifest = yaml.safe_load(resources.resource("models/manifest.yaml").read_text(encoding="utf-8"))
    listed = {f"{row['name']} {row['sha256'][:12]}" for row in manifest["models"]}
    assert {json.loads((folder / "encoder.json").read_text(encoding="utf-8"))["name"] for folder in encoder_folders(Settings())} <= listed


def test_stored_vectors_belong_to_their_lines(tmp_path: Path) -> None:
    lines = [Exemplar(text="您好", phrase=None), Exemplar(text="自己看", phrase="9.1.06", spans=((0, 3),))]
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float16)
    assert stored_vectors(tmp_path, "one", lines) is None
    np.savez_compressed(tmp_path / VECTORS, vectors=vectors, sha256=digest("one", lines))
    read = stored_vectors(tmp_path, "one", lines)
    assert read is not None
    assert read.dtype == np.float32
    assert read.tolist() == vectors.tolist()
    assert stored_vectors(tmp_path, "another encoder", lines) is None
    for other in (lines[:1], lines[::-1], [lines[0], replace(lines[1], text="自己看。")], [lines[0], replace(lines[1], spans=((0, 2),))]):
        assert stored_vectors(tmp_path, "one", other) is None


def test_neighbours_hold_the_shipped_lines_and_a_companys_own(tmp_path: Path) -> None:
    book = lexicon(
        phrase("9.1.06", "条款上不是写着吗,自己看。"), phrase("9.2.77", "爱买不买。", examples=["不买拉倒"], fine=["您再考虑一下"])
    )
    lines = load_exemplars()
    encoder = FakeEncoder({}, ["9.1.06"])
    stored = np.zeros((len(lines), WIDTH), dtype=np.float16)
    np.savez_compressed(tmp_path / VECTORS, vectors=stored, sha256=digest(encoder.name, lines))
    near = shipped_neighbours(book, encoder, tmp_path)
    assert encoder.seen == ["爱买不买。", "不买拉倒", "您再考虑一下"]  # the stored ones are not encoded again
    fresh = [line.text for line, vector in zip(near.lines, near.vectors, strict=True) if vector.any()]
    assert sorted(fresh) == sorted(encoder.seen)
    assert (np.diff(near.phrase) >= 0).all()
    assert set(near.phrase.tolist()) == {-1, 0, 1}


@shipped_models
def test_without_semantics_no_encoder_is_loaded() -> None:
    matcher = build_matcher(Settings(matching=MatchSettings(methods=(Method.EXACT, Method.FUZZY))))
    assert matcher.parts.encoders == ()
    assert matcher.parts.neighbours is None
