"""How it could have been said, fitted to the role.

In: a phrase and a role. Out: a sentence. The one decision: the lexicon's own `instead` unless lexicons/instead.yaml has a better one for
the role; a company that changes a phrase's `instead` in its own lexicon has the last word.
"""

from collections.abc import Mapping
from functools import cache

import yaml

from phrasecheck.lexicon import Phrase, load_lexicon
from phrasecheck.resources import resource
from phrasecheck.types import Role

SHIPPED = "lexicons/instead.yaml"


@cache
def sentences() -> Mapping[tuple[str, Role], str]:
    """(phrase id, role) -> the better sentence."""
    rows = yaml.safe_load(resource(SHIPPED).read_text(encoding="utf-8"))
    return {(phrase, Role(role.strip())): text for phrase, own in rows.items() for roles, text in own.items() for role in roles.split(",")}


def better(phrase: Phrase, role: Role) -> str:
    """The sentence to say instead in this role."""
    if phrase.instead != _shipped().get(phrase.id):
        return phrase.instead
    return sentences().get((phrase.id, role), phrase.instead)


@cache
def _shipped() -> Mapping[str, str]:
    return {phrase.id: phrase.instead for phrase in load_lexicon().phrases.values()}
