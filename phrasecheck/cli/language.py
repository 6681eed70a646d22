"""Chinese first, English by PHRASECHECK_LANG=en."""

import os


def say(chinese: str, english: str) -> str:
    """The text in the user's language."""
    return english if os.environ.get("PHRASECHECK_LANG", "zh").lower().startswith("en") else chinese
