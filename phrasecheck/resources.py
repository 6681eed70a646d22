"""Where the data that ships with the package lies.

In: a name such as `models/manifest.yaml`. Out: its path. The one decision: an installed copy has the folders `lexicons` and `models` under
`phrasecheck/data` (pyproject.toml puts them there), a working tree has them at its top; both are looked at, the installed place first.
"""

from pathlib import Path

from phrasecheck.errors import PhrasecheckError

_PACKAGE = Path(__file__).resolve().parent
ROOTS = (_PACKAGE / "data", _PACKAGE.parent)


def resource(name: str) -> Path:
    """The file or folder `name` (relative, beginning with `lexicons` or `models`). PhrasecheckError when it is in neither place."""
    for root in ROOTS:
        path = root / name
        if path.exists():
            return path
    raise PhrasecheckError(f"安装不完整：应有随程序附带的 {name}，在 {'、'.join(map(str, ROOTS))} 都没有找到。请重新安装 phrasecheck。")
