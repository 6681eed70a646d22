"""Putting a Matcher together from what ships and what a company adds."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from phrasecheck.engines.encoder import OnnxEncoder
from phrasecheck.lexicon import Exemplar, Lexicon, load_exemplars, load_lexicon
from phrasecheck.matching.fuse import load_weights
from phrasecheck.matching.matcher import Matcher, Parts
from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.reading import Encoder
from phrasecheck.matching.semantic import Neighbours, embed, with_own_lines
from phrasecheck.resources import resource
from phrasecheck.settings import Settings
from phrasecheck.types import Method

CHARACTERS = "models/encoder-characters"
SOUND = "models/encoder-sound"
VECTORS = "exemplars.npz"


def build_matcher(settings: Settings, lexicon: Lexicon | None = None, encoders: Sequence[Encoder] | None = None) -> Matcher:
    """The matcher for `settings`; `lexicon` and `encoders` spare reading them again. Encoders are loaded only when semantic matching is on."""
    threadpool_limits(1, user_api="blas")  # products here are small; BLAS threads would only take the cores from the encoders
    lexicon = lexicon or load_lexicon(settings.lexicons)
    folders = encoder_folders(settings) if Method.SEMANTIC in settings.matching.methods else ()
    loaded = tuple(OnnxEncoder(folder) for folder in folders) if encoders is None else tuple(encoders)
    parts = Parts(
        lexicon=lexicon,
        encoders=loaded,
        neighbours=shipped_neighbours(lexicon, loaded[0], folders[0]) if loaded else None,
        qualifiers=load_qualifiers(),
        weights=load_weights(),
    )
    return Matcher(parts, settings.matching)


def encoder_folders(settings: Settings) -> tuple[Path, ...]:
    """The encoder by characters and, where it is there, the one by sound; or the one that the user names."""
    if settings.encoder != "shipped":
        return (Path(settings.encoder),)
    characters = resource(CHARACTERS)
    sound = characters.parent / Path(SOUND).name
    return (characters, sound) if sound.is_dir() else (characters,)


def shipped_neighbours(lexicon: Lexicon, encoder: Encoder, folder: Path) -> Neighbours:
    """The shipped exemplars with their stored vectors, and the lexicon's own lines encoded now."""
    lines = load_exemplars()
    vectors = stored_vectors(folder, encoder.name, lines)
    if vectors is None:
        vectors = embed(encoder, lines)
    return with_own_lines(lexicon, encoder, lines, vectors)


def stored_vectors(folder: Path, encoder: str, lines: Sequence[Exemplar]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None:
    """The exemplars' vectors stored beside an encoder, or None when they are those of another one or of other lines."""
    file = folder / VECTORS
    if not file.is_file():
        return None
    with np.load(file) as stored:
        if str(stored["sha256"]) != digest(encoder, lines):
            return None
        return np.asarray(stored["vectors"], dtype=np.float32)


def digest(encoder: str, lines: Sequence[Exemplar]) -> str:
    """What identifies the vectors that an encoder of this name gives these lines."""
    import hashlib

    return hashlib.sha256(json.dumps([encoder, *([line.text, line.spans] for line in lines)], ensure_ascii=False).encode()).hexdigest()
