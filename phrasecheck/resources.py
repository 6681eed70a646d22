"""Where the data that travels with the package lies: at the top of a checkout, inside the package of an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """The file or folder `name` (lexicons/..., models/...); the checkout's when there is one, else the wheel's."""
    checkout = _PACKAGE.parent / name
    return checkout if checkout.exists() else _PACKAGE / "data" / name
