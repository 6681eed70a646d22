"""The speaker encoder's way from a package to ONNX, with weights made on the spot."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

torch = pytest.importorskip("torch")

from phrasecheck.errors import ModelError
from phrasecheck.training import speaker
from phrasecheck.training.speaker import INSIDE, Network, difference, export, read


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel as Resemblyzer's, with the other things that its file holds."""
    torch.manual_seed(1)
    stored = BytesIO()
    state = {**Network().state_dict(), "similarity_weight": torch.ones(1)}
    torch.save({"step": 7, "model_state": state, "optimizer_state": {}}, stored)
    path = tmp_path / "Resemblyzer-0.1.4-py3-none-any.whl"
    with ZipFile(path, "w") as package:
        package.writestr(INSIDE, stored.getvalue())
    return path


def test_the_file_answers_as_the_network(wheel: Path, tmp_path: Path) -> None:
    file = tmp_path / "speaker-encoder" / "encoder.onnx"
    export(read(wheel), file)
    assert difference(read(wheel), file) < 1e-5
    assert difference(Network().eval(), file) > 1e-3


def test_a_file_that_answers_otherwise_is_not_kept(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker, "difference", lambda *_: 0.1)
    with pytest.raises(ModelError, match="结果不同"):
        export(read(wheel), tmp_path / "encoder.onnx")
    assert not (tmp_path / "encoder.onnx").exists()


def test_another_package_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.whl"
    with ZipFile(other, "w") as package:
        package.writestr("other/__init__.py", "")
    for path in (other, tmp_path / "missing.whl", Path(__file__)):
        with pytest.raises(ModelError, match="Resemblyzer"):
            read(path)
