"""What ships is found in a working tree and in an installed package."""

from pathlib import Path

import pytest

from phrasecheck import resources
from phrasecheck.errors import PhrasecheckError
from phrasecheck.lexicon import EXEMPLARS, SHIPPED
from phrasecheck.resources import resource


@pytest.mark.parametrize("name", [SHIPPED, EXEMPLARS, "lexicons/qualifiers.yaml", "models/manifest.yaml"])
def test_what_ships_is_there(name: str) -> None:
    assert resource(name).exists()


def test_it_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resource(SHIPPED).is_file()


def test_the_installed_place_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed, tree = tmp_path / "data", tmp_path / "tree"
    monkeypatch.setattr(resources, "ROOTS", (installed, tree))
    for root in (tree, installed):
        (root / "models").mkdir(parents=True)
        (root / "models" / "a").write_text("", encoding="utf-8")
        assert resource("models/a") == root / "models" / "a"


def test_what_is_missing_says_what_to_do() -> None:
    with pytest.raises(PhrasecheckError, match=r"安装不完整：应有随程序附带的 models/none.*请重新安装 phrasecheck"):
        resource("models/none")
